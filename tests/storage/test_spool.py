from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from airslice.domain.apps import SliceFormat
from airslice.domain.errors import StoreFailed
from airslice.domain.file_kind import FileKind
from airslice.slicing.audio import OpusAudio, PcmAudio
from airslice.storage import spool as spool_module
from airslice.storage.spool import DiskSpool, DiskSpoolFile

KIND = FileKind(slice_format=SliceFormat.WAV, sample_rate_hz=16_000, passthrough=False)
DISK_FULL = OSError(errno.ENOSPC, "No space left on device")


class ScriptedWriters:
    """Writers of the plain samples, on a disk that fails or waits where a test says so."""

    def __init__(self) -> None:
        self.failing = ""
        """The call that fails: open, write or finish."""
        self.opened = 0
        self.may_write = threading.Event()
        self.may_write.set()

    def open(self, path: Path, kind: FileKind) -> ScriptedWriter:
        self.opened += 1
        path.touch()
        self.fail_if("open")
        return ScriptedWriter(self, path)

    def fail_if(self, call: str) -> None:
        if call == self.failing:
            raise DISK_FULL


class ScriptedWriter:
    def __init__(self, writers: ScriptedWriters, path: Path) -> None:
        self._writers = writers
        self._path = path

    def write(self, audio: Sequence[PcmAudio] | Sequence[OpusAudio]) -> None:
        self._writers.may_write.wait()
        self._writers.fail_if("write")
        with self._path.open("ab") as file:
            for piece in audio:
                assert isinstance(piece, PcmAudio)
                file.write(piece.pcm)

    def finish(self) -> None:
        self._writers.fail_if("finish")

    def discard(self) -> None:
        self._path.unlink(missing_ok=True)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data" / "spool"


@pytest.fixture
def writers() -> ScriptedWriters:
    return ScriptedWriters()


@pytest.fixture
async def spool(directory: Path, writers: ScriptedWriters) -> AsyncIterator[DiskSpool]:
    spool = DiskSpool(directory, writers)
    yield spool
    writers.may_write.set()
    spool.close()


def open_file(spool: DiskSpool) -> DiskSpoolFile:
    return spool.open(KIND)


def audio(number: int) -> list[PcmAudio]:
    return [PcmAudio(number.to_bytes(2, "little"))]


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_a_finished_file_lies_under_its_name_with_size_and_checksum(
    spool: DiskSpool, directory: Path
) -> None:
    file = open_file(spool)
    file.write(audio(1))
    file.write(audio(2))
    file.finish()

    spooled = await file.finished()

    assert names(directory) == [file.name]
    assert spooled.path == spool.path_of(file.name)
    assert spooled.path.read_bytes() == b"\x01\x00\x02\x00"
    assert spooled.size_bytes == 4
    assert spooled.sha256 == hashlib.sha256(b"\x01\x00\x02\x00").hexdigest()


async def test_a_file_has_its_name_only_once_it_is_complete(
    spool: DiskSpool, writers: ScriptedWriters, directory: Path
) -> None:
    writers.may_write.clear()
    file = open_file(spool)
    file.write(audio(1))
    file.finish()
    await eventually(lambda: writers.opened == 1)

    assert file.name not in names(directory)

    writers.may_write.set()
    await file.finished()
    assert names(directory) == [file.name]


async def test_files_keep_their_order_although_many_threads_write_them(spool: DiskSpool) -> None:
    files = [open_file(spool) for _ in range(20)]
    for number in range(100):
        for file in files:
            file.write(audio(number))
        await asyncio.sleep(0)
    for file in files:
        file.finish()

    spooled = [await file.finished() for file in files]

    expected = b"".join(number.to_bytes(2, "little") for number in range(100))
    assert [one.path.read_bytes() for one in spooled] == [expected] * 20
    assert spool.pending_writes == 0


async def test_everybody_who_waits_gets_the_file(spool: DiskSpool) -> None:
    file = open_file(spool)
    impatient = asyncio.create_task(file.finished())
    await asyncio.sleep(0)
    impatient.cancel()

    file.finish()

    assert (await file.finished()).size_bytes == 0


async def test_of_a_discarded_file_nothing_is_left(spool: DiskSpool, directory: Path) -> None:
    file = open_file(spool)
    file.write(audio(1))
    file.discard()

    spool.close()

    assert names(directory) == []


async def test_a_file_that_is_discarded_before_any_audio_is_never_made(
    spool: DiskSpool, writers: ScriptedWriters
) -> None:
    open_file(spool).discard()

    spool.close()

    assert writers.opened == 0


@pytest.mark.parametrize("call", ["open", "write", "finish"])
class TestFullDisk:
    async def test_the_file_is_reported_as_not_written(
        self, spool: DiskSpool, writers: ScriptedWriters, call: str
    ) -> None:
        writers.failing = call
        file = open_file(spool)
        file.write(audio(1))
        file.finish()

        with pytest.raises(StoreFailed, match="No space left"):
            await file.finished()

    async def test_no_part_of_it_is_left(
        self, spool: DiskSpool, writers: ScriptedWriters, directory: Path, call: str
    ) -> None:
        writers.failing = call
        file = open_file(spool)
        file.write(audio(1))
        file.finish()

        spool.close()

        assert names(directory) == []

    async def test_no_write_is_pending_afterwards(
        self, spool: DiskSpool, writers: ScriptedWriters, call: str
    ) -> None:
        writers.failing = call
        file = open_file(spool)
        for number in range(10):
            file.write(audio(number))
        file.discard()

        spool.close()

        assert spool.pending_writes == 0

    async def test_the_next_file_is_written_once_there_is_space(
        self, spool: DiskSpool, writers: ScriptedWriters, call: str
    ) -> None:
        writers.failing = call
        lost = open_file(spool)
        lost.write(audio(1))
        lost.finish()
        with pytest.raises(StoreFailed):
            await lost.finished()

        writers.failing = ""
        file = open_file(spool)
        file.write(audio(2))
        file.finish()

        assert (await file.finished()).path.read_bytes() == b"\x02\x00"


async def test_an_episode_of_a_full_disk_is_logged_once(
    spool: DiskSpool, writers: ScriptedWriters, caplog: pytest.LogCaptureFixture
) -> None:
    async def write_one() -> None:
        file = open_file(spool)
        file.write(audio(1))
        file.finish()
        with contextlib.suppress(StoreFailed):
            await file.finished()

    writers.failing = "write"
    for _ in range(5):
        await write_one()
    refused = spool.failing
    writers.failing = ""
    for _ in range(5):
        await write_one()

    assert (refused, spool.failing) == (True, False)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "No space left on device" in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_disk_is_tried_again_without_a_trace(
    spool: DiskSpool,
    writers: ScriptedWriters,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    writers.failing = "write"
    file = open_file(spool)
    file.write(audio(1))
    await eventually(lambda: spool.failing)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        spool.try_again()
        refused = spool.failing
    spool.try_again()

    assert (refused, spool.failing) == (True, False)
    assert names(directory) == []


async def test_a_failed_file_gives_its_space_back_before_its_slice_ends(
    spool: DiskSpool, writers: ScriptedWriters, directory: Path
) -> None:
    writers.failing = "write"
    file = open_file(spool)

    file.write(audio(1))

    await eventually(lambda: spool.pending_writes == 0)
    assert names(directory) == []


async def test_a_file_does_not_go_on_after_a_failure(
    spool: DiskSpool, writers: ScriptedWriters
) -> None:
    writers.failing = "write"
    file = open_file(spool)
    file.write(audio(1))
    await eventually(lambda: spool.pending_writes == 0)

    writers.failing = ""
    file.write(audio(2))
    file.finish()

    with pytest.raises(StoreFailed):
        await file.finished()


async def test_what_exceeds_the_bound_of_pending_writes_is_lost_and_reported(
    spool: DiskSpool,
    writers: ScriptedWriters,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool_module, "MAX_PENDING_WRITES", 3)
    writers.may_write.clear()
    waiting, refused = open_file(spool), open_file(spool)
    for number in range(3):
        waiting.write(audio(number))
    refused.write(audio(9))
    assert spool.pending_writes == 3

    writers.may_write.set()
    waiting.finish()
    refused.finish()

    assert (await waiting.finished()).size_bytes == 6
    with pytest.raises(StoreFailed, match="too slow"):
        await refused.finished()
    assert names(directory) == [waiting.name]
    assert spool.pending_writes == 0


async def test_a_restart_keeps_complete_files_and_removes_the_others(directory: Path) -> None:
    directory.mkdir(parents=True)
    for name in ("complete.wav", "half.wav.part"):
        (directory / name).touch()

    spool = DiskSpool(directory, ScriptedWriters())

    assert names(directory) == ["complete.wav"]
    spool.close()


async def test_a_complete_file_can_be_removed_twice(spool: DiskSpool, directory: Path) -> None:
    file = open_file(spool)
    file.finish()
    await file.finished()

    spool.remove(file.name)
    spool.remove(file.name)

    assert names(directory) == []


async def test_closing_waits_for_what_was_begun(
    spool: DiskSpool, writers: ScriptedWriters, directory: Path
) -> None:
    files = [open_file(spool) for _ in range(10)]
    for file in files:
        file.write(audio(1))
        file.finish()

    spool.close()

    assert names(directory) == sorted(file.name for file in files)


async def test_the_spool_knows_how_much_it_holds(directory: Path, writers: ScriptedWriters) -> None:
    directory.mkdir(parents=True)
    (directory / "from the last start.wav").write_bytes(bytes(100))
    spool = DiskSpool(directory, writers, quota_bytes=5_000)
    first, second = open_file(spool), open_file(spool)
    for file in (first, second):
        file.write(audio(1))
        file.finish()
        await file.finished()

    assert spool.usage().used == 104
    assert {entry.name: entry.size_bytes for entry in spool.entries()} == {
        "from the last start.wav": 100,
        first.name: 2,
        second.name: 2,
    }
    for _ in range(2):
        spool.remove("from the last start.wav")
    spool.remove(first.name)

    used, quota, free = spool.usage()
    assert (used, quota) == (2, 5_000)
    assert free > 0
    spool.close()


async def test_a_file_that_is_written_anew_counts_once(spool: DiskSpool) -> None:
    for length in (1, 3):
        file = spool.open(KIND, name="same.wav")
        for _ in range(length):
            file.write(audio(1))
        file.finish()
        await file.finished()

    assert spool.usage().used == 6
