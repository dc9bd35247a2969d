"""What the demonstration does with its folder; `make demo` runs the whole of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from airslice.demo import run


def test_a_folder_that_is_not_of_a_demo_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "thesis.txt"
    file.write_text("years of work")

    assert run(tmp_path) == 1

    assert file.read_text() == "years of work"
    assert f"demo: failed: {tmp_path} is not of an earlier demo" in capsys.readouterr().err
