"""What a disk leaves of a journal when its machine dies, or its server was another release."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from airslice.storage.journal import DiskPast, past_journals
from airslice.storage.journal_records import fact_record, framed, pieces_record
from tests.support.fuzz.answer_parsers import JOURNAL
from tests.support.values.journal_values import ANN, spoken


def past(tmp_path: Path, content: bytes) -> DiskPast:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "00000001").write_bytes(content)
    (found,) = past_journals(tmp_path)
    return found


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(bytes(4_096), id="zeros of a file that had grown already"),
        pytest.param(pieces_record(99, [spoken(0)]), id="pieces of a stream without a name"),
        pytest.param(fact_record("opened", note={"name": "x"}), id="a note of another release"),
        pytest.param(framed(b"\1\0\0\0\0[1]"), id="a stream of another release"),
        pytest.param(framed(b"\3not JSON"), id="a fact of another release"),
        pytest.param(framed(b"\2\1"), id="half a number"),
        pytest.param(framed(b"\x63what"), id="a record of an unknown kind"),
    ],
)
def test_what_was_sound_is_read(tmp_path: Path, end: bytes) -> None:
    found = past(tmp_path, JOURNAL + end)

    assert [s.note.name for s in found.unsettled] == ["two"]
    assert len(list(found.pieces(ANN))) == 6


def test_a_strange_record_is_named_but_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        past(tmp_path, framed(b"\3" + b"secret" * 1_000))

    assert "00000001 ends in a record that cannot be read" in caplog.text
    assert "secret" not in caplog.text


def test_pieces_of_another_release_end_their_record(tmp_path: Path) -> None:
    strange = pieces_record(0, [spoken(50)])[8:]
    strange = strange[:17] + b"\x63" + strange[18:]

    found = past(tmp_path, JOURNAL + framed(strange))

    assert len(list(found.pieces(ANN))) == 6
