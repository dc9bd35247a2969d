from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from airslice.slicing.timeline import Piece, PieceKind
from airslice.storage import journal as journal_module
from airslice.storage.journal import DiskJournal, DiskPast, past_journals
from tests.support.clock import HandClock
from tests.support.values.journal_values import ANN, BOB, note, spoken


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def journal(tmp_path: Path, clock: HandClock) -> DiskJournal:
    return DiskJournal(tmp_path, clock, max_bytes=1 << 30)


def only_past(root: Path) -> DiskPast:
    (past,) = past_journals(root)
    return past


async def test_pieces_are_read_again_stream_by_stream(journal: DiskJournal, tmp_path: Path) -> None:
    journal.keep(ANN, [spoken(0), spoken(1)])
    journal.keep(BOB, [spoken(7)])
    journal.keep(ANN, [Piece(1_920, 480, PieceKind.SILENT, None)])
    await journal.flush()

    past = only_past(tmp_path)

    assert list(past.pieces(ANN)) == [
        spoken(0),
        spoken(1),
        Piece(1_920, 480, PieceKind.SILENT, None),
    ]
    assert list(past.pieces(BOB)) == [spoken(7)]


async def test_notes_survive_as_they_were(journal: DiskJournal, tmp_path: Path) -> None:
    journal.opened(note("one"), reach_back_s=0)
    journal.opened(note("two"), reach_back_s=0)
    journal.opened(note("three"), reach_back_s=0)
    journal.closed("two", index=4, samples=99)
    journal.settled("one")
    journal.placed("run", ANN, 3)
    journal.placed("run", ANN, 5)
    await journal.flush()

    past = only_past(tmp_path)

    assert [s.note for s in past.unsettled] == [note("two"), note("three")]
    assert [(s.index, s.samples) for s in past.unsettled] == [(4, 99), (None, None)]
    assert past.placements == {("run", ANN): 5}


async def test_a_journal_of_settled_slices_leaves_nothing(
    journal: DiskJournal, tmp_path: Path
) -> None:
    journal.start()
    journal.keep(ANN, [spoken(0)])
    journal.opened(note("one"), reach_back_s=0)
    journal.settled("one")

    await journal.close()

    assert past_journals(tmp_path) == []


async def test_a_journal_that_is_needed_stays(journal: DiskJournal, tmp_path: Path) -> None:
    journal.start()
    journal.opened(note("one"), reach_back_s=0)

    await journal.close()

    assert [s.note.name for s in only_past(tmp_path).unsettled] == ["one"]
    only_past(tmp_path).forget()
    assert past_journals(tmp_path) == []


class TestRotation:
    async def rotate(self, journal: DiskJournal, clock: HandClock, seconds: float) -> None:
        await journal.flush()
        journal.begin_segment()
        clock.now_ns += round(seconds * 1e9)
        await journal.remove_unneeded()

    async def test_segments_go_when_their_slices_are_settled(
        self, journal: DiskJournal, clock: HandClock, tmp_path: Path
    ) -> None:
        journal.opened(note("one"), reach_back_s=0)
        journal.keep(ANN, [spoken(0)])
        await self.rotate(journal, clock, 10)
        journal.keep(ANN, [spoken(1)])
        await self.rotate(journal, clock, 10)
        assert len(list(tmp_path.glob("*/*"))) == 3

        journal.settled("one")
        await self.rotate(journal, clock, 10)

        assert len(list(tmp_path.glob("*/*"))) == 1

    async def test_every_segment_can_be_read_without_those_before(
        self, journal: DiskJournal, clock: HandClock, tmp_path: Path
    ) -> None:
        journal.placed("run", ANN, 11)
        journal.keep(ANN, [spoken(0)])
        await self.rotate(journal, clock, 10)
        journal.keep(ANN, [spoken(1)])
        await journal.flush()

        past = only_past(tmp_path)

        assert list(past.pieces(ANN)) == [spoken(1)]
        assert past.placements == {("run", ANN): 11}

    async def test_a_slice_that_is_never_settled_keeps_what_it_needs_and_no_more(
        self, journal: DiskJournal, clock: HandClock, tmp_path: Path
    ) -> None:
        journal.opened(note("lost"), reach_back_s=0)
        journal.keep(ANN, [spoken(0)])
        await self.rotate(journal, clock, 10)
        journal.keep(ANN, [spoken(1)])
        journal.closed("lost", index=0, samples=1_920)
        for number in range(2, 9):
            journal.keep(ANN, [spoken(number)])
            await self.rotate(journal, clock, 10)

        past = only_past(tmp_path)
        [lost] = past.unsettled
        assert (lost.index, lost.samples) == (0, 1_920)
        assert list(past.pieces(ANN))[:2] == [spoken(0), spoken(1)]
        assert len(list(tmp_path.glob("*/*"))) == 3

    async def test_what_is_closed_while_a_segment_ends_keeps_the_next_one(
        self, journal: DiskJournal, clock: HandClock, tmp_path: Path
    ) -> None:
        journal.opened(note("slice"), reach_back_s=0)
        journal.keep(ANN, [spoken(0)])
        await journal.flush()
        journal.keep(ANN, [spoken(1)])  # while the flush is under way
        journal.closed("slice", index=0, samples=1_920)
        journal.begin_segment()
        for _ in range(3):
            await self.rotate(journal, clock, 10)

        past = only_past(tmp_path)
        assert [unsettled.index for unsettled in past.unsettled] == [0]
        assert list(past.pieces(ANN)) == [spoken(0), spoken(1)]

    async def test_what_a_slice_reaches_back_to_is_kept(
        self, journal: DiskJournal, clock: HandClock, tmp_path: Path
    ) -> None:
        journal.opened(note("before"), reach_back_s=0)
        journal.keep(ANN, [spoken(0)])
        await self.rotate(journal, clock, 10)
        journal.opened(note("after"), reach_back_s=9)
        journal.settled("before")
        await self.rotate(journal, clock, 10)

        assert list(only_past(tmp_path).pieces(ANN)) == [spoken(0)]

    async def test_beyond_the_bound_the_oldest_is_given_up(
        self, clock: HandClock, tmp_path: Path
    ) -> None:
        journal = DiskJournal(tmp_path, clock, max_bytes=2_000)
        journal.opened(note("one"), reach_back_s=0)
        for number in range(8):
            journal.keep(ANN, [spoken(number, bytes(500))])
            await self.rotate(journal, clock, 1)

        assert journal.size_bytes <= 2_000
        assert journal.dropped_bytes > 2_000


async def test_a_disk_that_refuses_loses_nothing_if_it_recovers(
    journal: DiskJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.keep(ANN, [spoken(0)])
    await journal.flush()

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        journal.keep(ANN, [spoken(1)])
        await journal.flush()
        refused = journal.failing
    journal.keep(ANN, [spoken(2)])
    await journal.flush()

    assert (refused, journal.failing) == (True, False)
    assert list(only_past(tmp_path).pieces(ANN)) == [spoken(0), spoken(1), spoken(2)]


async def test_what_waits_for_the_disk_is_bounded(
    journal: DiskJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MAX_BUFFERED_BYTES", 1_000)

    for number in range(100):
        journal.keep(ANN, [spoken(number, bytes(100))])

    assert journal.dropped_bytes > 8_000
    await journal.flush()
    assert 0 < journal.size_bytes <= 1_000


async def test_what_arrives_while_a_segment_ends_is_read_again(
    journal: DiskJournal, tmp_path: Path
) -> None:
    journal.keep(ANN, [spoken(0)])
    journal.keep(BOB, [spoken(100)])
    await journal.flush()
    journal.keep(BOB, [spoken(101)])  # while the flush is under way
    journal.begin_segment()
    journal.keep(ANN, [spoken(1)])
    journal.keep(BOB, [spoken(102)])
    await journal.flush()

    past = only_past(tmp_path)

    assert list(past.pieces(ANN)) == [spoken(0), spoken(1)]
    assert list(past.pieces(BOB)) == [spoken(100), spoken(101), spoken(102)]


async def test_a_journal_that_dropped_records_can_be_read(
    journal: DiskJournal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(journal_module, "MAX_BUFFERED_BYTES", 300)
        journal.keep(ANN, [spoken(0, bytes(200))])
        for number in range(10):
            journal.keep(BOB, [spoken(number, bytes(100))])  # not even its name fits
        dropping = journal.failing
    await journal.flush()
    journal.keep(BOB, [spoken(10)])
    await journal.flush()

    past = only_past(tmp_path)
    assert list(past.pieces(ANN)) == [spoken(0, bytes(200))]
    assert list(past.pieces(BOB)) == [spoken(10)]
    assert (dropping, journal.failing) == (True, False)
    assert journal.dropped_bytes > 1_000
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


async def test_an_episode_of_a_disk_that_refuses_is_logged_once(
    journal: DiskJournal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        for number in range(10):
            journal.keep(ANN, [spoken(number)])
            await journal.flush()
    await journal.flush()

    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "No space left on device" in caplog.text


async def test_a_segment_that_cannot_be_begun_ends_nothing(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 100)
    monkeypatch.setattr(journal_module, "WRITE_INTERVAL_S", 0.001)
    monkeypatch.setattr(journal_module, "SYNC_INTERVAL_S", 0.001)
    journal = DiskJournal(tmp_path, clock, max_bytes=1 << 30)
    journal.opened(note("slice"), reach_back_s=0)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", full)
        journal.start()
        journal.keep(ANN, [spoken(0, bytes(200))])
        await until(lambda: journal.failing)
    await until(lambda: not journal.failing)
    journal.keep(ANN, [spoken(1)])
    await journal.close()

    assert list(only_past(tmp_path).pieces(ANN)) == [spoken(0, bytes(200)), spoken(1)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


def full(*args: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
