"""What holds for notes of slices, and for a server that keeps no journal."""

from __future__ import annotations

from dataclasses import replace

from airslice.application.ports.journal import NoJournal
from airslice.domain.room import MIXED_STREAM
from tests.support.values.journal_values import ANN, note, spoken


def test_a_note_says_whether_it_is_of_the_mix() -> None:
    of_stream = note("a.flac")

    assert not of_stream.is_mix
    assert replace(of_stream, address=ANN._replace(stream=MIXED_STREAM)).is_mix


def test_without_a_journal_nothing_is_kept_and_nothing_fails() -> None:
    journal = NoJournal()

    journal.keep(ANN, [spoken(0)])
    journal.opened(note("a.flac"), reach_back_s=1)
    journal.closed("a.flac", index=0, samples=1)

    assert (journal.failing, journal.size_bytes, journal.dropped_bytes) == (False, 0, 0)
