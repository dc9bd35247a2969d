"""What a crash interrupts is finished at the next start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airslice.application.tasks.recovery import Recovery
from airslice.application.tasks.track import ClosedSlice
from airslice.domain.apps import SliceFormat
from airslice.encoding.writers import FileSliceWriters
from airslice.storage.journal import DiskJournal, past_journals
from airslice.storage.spool import DiskSpool
from tests.support.stages.stage import ACCOUNT, APP, RATE, Speaker, Stage, Stored, ValueDecoders


class CrashingStage(Stage):
    """A stage that can die without a word, and start again."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.dies_at_next_slice = False
        super().__init__(folder / "spool", **changes)

    def boot(self) -> None:
        self.journal = DiskJournal(self.folder / "journal", self.clock, max_bytes=1 << 30)
        super().boot()

    def closed(self, closed: ClosedSlice) -> None:
        if not self.dies_at_next_slice:
            super().closed(closed)

    async def crash_and_restart(self) -> None:
        """Lose everything that is only in memory; what the journal had written stays."""
        assert isinstance(self.journal, DiskJournal)
        await self.journal.flush()
        await self.die()
        self.dies_at_next_slice = False
        self.clock.now_ns += 3_000_000_000
        pasts = past_journals(self.folder / "journal")
        self.spool = DiskSpool(self.folder / "spool", FileSliceWriters())
        self.boot()
        recovery = Recovery(store=self.store, decoders=ValueDecoders(), tools=self.tools)
        await self.deliver()
        await recovery.recover_all(pasts, self.recorder.recorded)
        await self.tasks.recover()


@pytest.fixture
def stage(tmp_path: Path) -> CrashingStage:
    return CrashingStage(tmp_path)


def counting(stage: Stage, seconds: float, speakers: dict[Speaker, Callable[[int], int]]) -> None:
    """Let speakers say values that change with each packet."""
    for number in range(round(seconds * 50)):
        stage.run(0.02, {speaker: value(number) for speaker, value in speakers.items()})


def joined(slices: list[Stored]) -> list[int]:
    return [value for s in slices for value in s.pcm]


async def test_the_open_slice_ends_where_the_server_died(stage: CrashingStage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    ann = stage.join("ann")
    counting(stage, 2.5, {ann: lambda n: 1_000 + n})

    await stage.crash_and_restart()
    again = stage.join("ann")
    counting(stage, 1.5, {again: lambda n: 2_000 + n})
    await stage.tasks.stop(ACCOUNT, stage.order().key)
    await stage.settle()

    slices = stage.stored("ann")
    assert [s.index for s in slices] == list(range(len(slices)))
    before = [value for value in joined(slices) if value < 2_000]
    assert before[: 2 * RATE] == [1_000 + n // (RATE // 50) for n in range(2 * RATE)]
    assert len(before) >= 2.3 * RATE  # what the beat had not taken yet is lost
    assert before == [1_000 + n // (RATE // 50) for n in range(len(before))]
    assert joined(slices)[len(before) :] == [
        2_000 + n // (RATE // 50) for n in range(3 * RATE // 2)
    ]


async def test_labels_of_what_was_interrupted_are_right(stage: CrashingStage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    before_ms = stage.clock.utc_ns() // 1_000_000
    counting(stage, 2.5, {stage.join("ann"): lambda n: 1_000})

    await stage.crash_and_restart()
    await stage.settle()

    # The first packet came 20 ms later.
    assert [s.start_ms - before_ms for s in stage.stored("ann")] == [20, 1_020, 2_020]


async def test_nothing_is_made_twice(stage: CrashingStage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    counting(stage, 3.5, {stage.join("ann"): lambda n: 1_000})
    await stage.settle()

    await stage.crash_and_restart()
    await stage.crash_and_restart()
    await stage.settle()

    assert [s.index for s in stage.stored("ann")] == [0, 1, 2, 3]


async def test_a_slice_that_was_closed_but_not_recorded_is_made_whole(stage: CrashingStage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    ann = stage.join("ann")
    counting(stage, 0.9, {ann: lambda n: 1_000 + n})
    stage.dies_at_next_slice = True
    counting(stage, 0.5, {ann: lambda n: 1_045 + n})

    await stage.crash_and_restart()
    await stage.settle()

    slices = stage.stored("ann")
    assert (slices[0].index, len(slices[0].pcm)) == (0, RATE)
    assert joined(slices)[:RATE] == [1_000 + n // (RATE // 50) for n in range(RATE)]


async def test_aligned_slices_and_the_mix_are_finished_too(stage: CrashingStage) -> None:
    control = {"align": True, "mixed": True, "redundant_ms": 200, "redundant_duration": 1}
    await stage.tasks.start(ACCOUNT, stage.order(control=control))
    ann = stage.join("ann")
    counting(stage, 1, {ann: lambda n: 1_000 + n})
    bob = stage.join("bob")
    counting(stage, 1.5, {ann: lambda n: 1_050 + n, bob: lambda n: 3_000 + n})

    await stage.crash_and_restart()
    await stage.settle()

    ann_last, bob_last, mixed_last = (stage.stored(u)[-1] for u in ("ann", "bob", "mixed"))
    assert ann_last.start_ms == bob_last.start_ms == mixed_last.start_ms
    length = min(len(s.pcm) for s in (ann_last, bob_last, mixed_last))
    assert length >= 0.4 * RATE
    assert mixed_last.pcm[:length].tolist() == [
        a + b for a, b in zip(ann_last.pcm[:length], bob_last.pcm[:length], strict=True)
    ]
    for user in ("ann", "bob", "mixed"):
        indexes = [s.index for s in stage.stored(user)]
        assert indexes == list(range(len(indexes)))


async def test_silent_slices_stay_unwanted(stage: CrashingStage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order(control={"ignore_silence": True}))
    counting(stage, 2.5, {stage.join("ann"): lambda n: 1_000 if n < 50 else 0})

    await stage.crash_and_restart()
    await stage.settle()

    assert [s.index for s in stage.stored("ann")] == [0]


async def test_the_publishers_own_packets_are_kept(tmp_path: Path) -> None:
    stage = CrashingStage(tmp_path, app=replace(APP, slice_format=SliceFormat.OGG))
    await stage.tasks.start(ACCOUNT, stage.order())
    counting(stage, 1.5, {stage.join("ann"): lambda n: 1_000 + n})

    await stage.crash_and_restart()
    await stage.settle()

    bodies = [stage.objects.body("bucket", key) for _, key in sorted(stage.objects.objects)]
    assert len(bodies) == 2
    for number in range(50):
        assert bytes((0xF8,)) + (1_000 + number).to_bytes(2, "big") in bodies[0]
    for number in range(50, 68):
        assert bytes((0xF8,)) + (1_000 + number).to_bytes(2, "big") in bodies[1]


async def test_a_journal_that_was_cut_off_gives_what_is_sound(
    stage: CrashingStage, tmp_path: Path
) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    counting(stage, 1.5, {stage.join("ann"): lambda n: 1_000 + n})
    assert isinstance(stage.journal, DiskJournal)
    await stage.journal.flush()
    (segment,) = (tmp_path / "journal").glob("*/*")
    segment.write_bytes(segment.read_bytes()[:-100])

    await stage.crash_and_restart()
    await stage.settle()

    assert joined(stage.stored("ann"))[:RATE] == [1_000 + n // (RATE // 50) for n in range(RATE)]
    assert len(stage.stored("ann")) == 2


async def test_a_journal_is_forgotten_once_its_slices_are_recorded(stage: CrashingStage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    counting(stage, 1.5, {stage.join("ann"): lambda n: 1_000})

    await stage.crash_and_restart()

    assert isinstance(stage.journal, DiskJournal)
    await stage.journal.close()
    assert all(not past.unsettled for past in past_journals(stage.folder / "journal"))
