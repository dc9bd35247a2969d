"""Slices get into the records in order, whatever their files take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from airslice.application.ports.storage import SpooledFile
from airslice.application.tasks.recorder import SliceRecorder
from airslice.application.tasks.track import ClosedSlice
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import SliceFormat
from airslice.domain.errors import StoreFailed
from airslice.domain.file_kind import FileKind
from airslice.domain.room import StreamKey
from airslice.domain.slice_record import SliceRecord
from tests.support.memory.tasks import MemoryTaskStore
from tests.support.stages.stage import HandClock
from tests.support.values.values import a_task

ALICE, BOB = StreamKey("alice"), StreamKey("bob")


class SlowFile:
    """A file that is complete when a test says so."""

    def __init__(self, name: str, spooled: SpooledFile) -> None:
        self.name = name
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._spooled = spooled

    async def finished(self) -> SpooledFile:
        await self.ready
        return self._spooled


class Recording:
    """A recorder, and what comes of it."""

    def __init__(self, store: MemoryTaskStore, folder: Any) -> None:
        self.clock = HandClock()
        self.recorded: list[tuple[str, int]] = []
        self.recorder = SliceRecorder(
            store=store,
            wall_clock=WallClock(self.clock),
            sleep=self.clock.sleep,
            on_recorded=lambda closed: self.recorded.append((closed.stream.user_id, closed.index)),
        )
        self._spooled = SpooledFile(path=folder, size_bytes=44, sha256="ab" * 32)

    def accept(self, index: int, stream: StreamKey = ALICE) -> SlowFile:
        file = SlowFile(f"{stream.user_id}-{index}", self._spooled)
        closed = ClosedSlice(
            run_id="run-1",
            stream=stream,
            index=index,
            identifier="prefix",
            start_ms=1_000 * index,
            samples=16_000,
            kind=FileKind(slice_format=SliceFormat.WAV, sample_rate_hz=16_000, passthrough=False),
            file=file,  # type: ignore[arg-type]
        )
        self.recorder.accept(closed)
        return file

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def store() -> MemoryTaskStore:
    store = MemoryTaskStore()
    await store.save_task(a_task())
    return store


@pytest.fixture
def recording(store: MemoryTaskStore, tmp_path: Any) -> Recording:
    return Recording(store, tmp_path)


async def test_a_stream_is_recorded_in_order_though_files_are_complete_in_another(
    recording: Recording,
) -> None:
    long, short = recording.accept(0), recording.accept(1)
    other = recording.accept(0, BOB)

    short.ready.set_result(None)
    other.ready.set_result(None)
    await recording.settle()
    assert recording.recorded == [("bob", 0)]
    long.ready.set_result(None)
    await recording.recorder.recorded("run-1")

    assert recording.recorded == [("bob", 0), ("alice", 0), ("alice", 1)]
    assert recording.recorder.waiting_slices == 0


async def test_a_slice_whose_file_failed_is_lost_and_the_next_is_recorded(
    recording: Recording,
) -> None:
    broken, sound = recording.accept(0), recording.accept(1)

    sound.ready.set_result(None)
    broken.ready.set_exception(StoreFailed("the spool cannot be written"))
    await recording.recorder.close()

    assert recording.recorded == [("alice", 1)]
    assert recording.recorder.failed_slices == 1


async def test_slices_that_are_lost_in_a_row_are_logged_once(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    for index in range(5):
        failure = StoreFailed("the spool cannot be written")
        recording.accept(index).ready.set_exception(failure)
    recording.accept(5).ready.set_result(None)
    await recording.recorder.close()

    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "slice 0: the spool cannot be written" in caplog.records[0].getMessage()
    assert "5 were lost" in caplog.records[1].getMessage()


async def test_a_database_that_fails_for_a_while_delays_only(
    recording: Recording, store: MemoryTaskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, failures = store.add_slice, 0

    async def fail_at_first(record: SliceRecord) -> None:
        nonlocal failures
        failures += 1
        if failures <= 2:
            raise StoreFailed("the database failed: disk I/O error")
        await add(record)

    monkeypatch.setattr(store, "add_slice", fail_at_first)
    recording.accept(0).ready.set_result(None)
    async with asyncio.timeout(60):
        while not recording.recorded:
            recording.clock.turn_to_next_alarm()
            await asyncio.sleep(0.001)

    assert await store.next_index("run-1") == {("alice", 0): 1}
