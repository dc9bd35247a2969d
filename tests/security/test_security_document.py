"""SECURITY.md names the test of each defence: they must exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
DOCUMENT = (PROJECT / "SECURITY.md").read_text(encoding="utf-8")
PROOFS = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", DOCUMENT)


@pytest.mark.parametrize(("file", "name"), PROOFS)
def test_a_proof_exists(file: str, name: str) -> None:
    text = (PROJECT / file).read_text(encoding="utf-8")

    assert re.search(rf"def {name or 'test_'}", text)
    if name:
        assert re.search(rf"def {name}\(", text)


def test_every_defence_has_a_proof() -> None:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| ")]
    tables = DOCUMENT.partition("## Who may do what")[2]
    defences = [row for row in rows if row in tables and not row.startswith("| defence")]

    assert [row for row in defences if "`tests/" not in row] == []
    assert len(defences) > 40
