"""Slice files on this machine's disk, written in the background, until they are stored."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import shutil
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path

from airslice.application.ports.storage import (
    SliceWriter,
    SliceWriters,
    SpooledFile,
    SpoolEntry,
    SpoolUsage,
)
from airslice.domain.errors import StoreFailed
from airslice.domain.file_kind import FileKind
from airslice.slicing.audio import OpusAudio, PcmAudio

_log = logging.getLogger(__name__)

WRITER_THREADS = 4
"""Encoders and the disk let go of the interpreter, so threads really run side by side."""

MAX_PENDING_WRITES = 3_200
"""Writes that wait for the disk: 5 s of audio each, 512 MB at 16 kHz. A disk that falls further
behind cannot keep up at all; what is more is refused and its slice reported as lost."""

DEFAULT_QUOTA_BYTES = 20 * 10**9

_PART = ".part"

_TRIAL_BYTES = 1 << 20
"""Written to find out whether a disk that refused takes writes again: about two slices."""


class _Order(Enum):
    FINISH = "finish"
    DISCARD = "discard"


class DiskSpool:
    """A directory of slice files (port `Spool`)."""

    def __init__(
        self, directory: Path, writers: SliceWriters, *, quota_bytes: int = DEFAULT_QUOTA_BYTES
    ) -> None:
        """Use `directory`, which is made if it is missing; half-written files are removed."""
        directory.mkdir(parents=True, exist_ok=True)
        for part in directory.glob(f"*{_PART}"):
            part.unlink()
        self._directory = directory
        self.quota_bytes = quota_bytes
        self._used_bytes = sum(entry.size_bytes for entry in self.entries())
        self._used_lock = threading.Lock()
        self._writers = writers
        self._threads = ThreadPoolExecutor(WRITER_THREADS, thread_name_prefix="spool")
        self._pending_lock = threading.Lock()
        self.pending_writes = 0
        """Writes that wait for the disk."""
        self.failing = False
        """Whether the disk refused the latest write."""

    def try_again(self) -> None:
        """Write a file and remove it, to find out whether the disk still refuses; may block."""
        path = self.path_of(f"{uuid.uuid4().hex}{_PART}")
        try:
            with path.open("wb") as file:
                file.write(bytes(_TRIAL_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        except OSError as error:
            self._note(error)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        else:
            self._note(None)

    def open(self, kind: FileKind, *, name: str | None = None) -> DiskSpoolFile:
        """Begin a new file, or the file `name` anew, which a crash interrupted."""
        name = name or f"{uuid.uuid4().hex}.{kind.slice_format.extension}"
        return DiskSpoolFile(self, name, kind)

    def path_of(self, name: str) -> Path:
        """Where the complete file `name` lies."""
        return self._directory / name

    def remove(self, name: str) -> None:
        """Remove the complete file `name`; it need not exist."""
        path = self.path_of(name)
        size_bytes = _size_of(path)
        path.unlink(missing_ok=True)
        if path.suffix != _PART:
            self._account(-size_bytes)

    def entries(self) -> list[SpoolEntry]:
        """Return all complete files; may block."""
        found = []
        for path in self._directory.iterdir():
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                status = path.stat()
                if path.suffix != _PART:
                    modified_ms = status.st_mtime_ns // 1_000_000
                    found.append(SpoolEntry(path.name, status.st_size, modified_ms))
        return found

    def usage(self) -> SpoolUsage:
        """Return how full the spool is."""
        try:
            free = shutil.disk_usage(self._directory).free
        except OSError as error:
            self._note(error)
            free = 0
        return SpoolUsage(used=self._used_bytes, quota=self.quota_bytes, free=free)

    def close(self) -> None:
        """Wait until all that was begun is written."""
        self._threads.shutdown()

    def _open_writer(self, file: DiskSpoolFile) -> SliceWriter:
        return self._writers.open(self.path_of(file.name + _PART), file.kind)

    def _note(self, failure: OSError | None) -> None:
        """Learn from a write, and log where the disk begins to fail and where it recovers."""
        if (failure is not None) == self.failing:
            return
        self.failing = failure is not None
        if failure is not None:
            _log.error("the spool cannot be written, slices are lost: %s", failure)
        else:
            _log.warning("the spool is written again")

    def _account(self, more_bytes: int) -> None:
        with self._used_lock:
            self._used_bytes += more_bytes

    def _reserve_write(self) -> bool:
        with self._pending_lock:
            if self.pending_writes >= MAX_PENDING_WRITES:
                return False
            self.pending_writes += 1
            return True

    def _release_write(self) -> None:
        with self._pending_lock:
            self.pending_writes -= 1


class DiskSpoolFile:
    """One file: its calls are carried out in order, on any thread of the pool (`SpoolFile`)."""

    def __init__(self, spool: DiskSpool, name: str, kind: FileKind) -> None:
        self.name = name
        self.kind = kind
        self._spool = spool
        self._orders: deque[Sequence[PcmAudio] | Sequence[OpusAudio] | _Order] = deque()
        self._lock = threading.Lock()
        self._busy = False
        self._writer: SliceWriter | None = None
        self._failure: StoreFailed | None = None
        self._loop = asyncio.get_running_loop()
        self._finished: asyncio.Future[SpooledFile] = self._loop.create_future()

    def write(self, audio: Sequence[PcmAudio] | Sequence[OpusAudio]) -> None:
        """Append audio. Returns at once."""
        if self._spool._reserve_write():
            self._order(audio)
        else:
            self._failure = StoreFailed("the disk of the spool is too slow")
            self._spool._note(OSError("it is too slow"))

    def finish(self) -> None:
        """Complete the file. Returns at once."""
        self._order(_Order.FINISH)

    def discard(self) -> None:
        """Remove the file. Returns at once."""
        self._order(_Order.DISCARD)

    async def finished(self) -> SpooledFile:
        """Wait until the file is complete; raises `StoreFailed` if it could not be written."""
        return await asyncio.shield(self._finished)

    def _order(self, order: Sequence[PcmAudio] | Sequence[OpusAudio] | _Order) -> None:
        with self._lock:
            self._orders.append(order)
            if self._busy:
                return
            self._busy = True
        self._spool._threads.submit(self._work)

    def _work(self) -> None:
        """Carry out orders until there are none; on a thread of the pool."""
        while True:
            with self._lock:
                if not self._orders:
                    self._busy = False
                    return
                order = self._orders.popleft()
            self._carry_out(order)

    def _carry_out(self, order: Sequence[PcmAudio] | Sequence[OpusAudio] | _Order) -> None:
        """Write; of a file that has failed or is not wanted, remove what there is."""
        spooled = None
        if self._failure is None and order is not _Order.DISCARD:
            try:
                spooled = self._written(order)
                if spooled is not None:
                    self._spool._note(None)
            except OSError as error:
                self._spool._note(error)
                self._failure = StoreFailed(f"the spool cannot be written: {error}")
            except Exception as error:  # whatever breaks a file must not end the thread
                _log.exception("spool file %s cannot be written", self.name)
                self._failure = StoreFailed(f"the spool cannot be written: {error}")
        if self._failure is not None or order is _Order.DISCARD:
            self._remove()
        if isinstance(order, _Order):
            self._loop.call_soon_threadsafe(self._settle, spooled)
        else:
            self._spool._release_write()

    def _written(
        self, order: Sequence[PcmAudio] | Sequence[OpusAudio] | _Order
    ) -> SpooledFile | None:
        """Append audio, or complete the file and return it."""
        if self._writer is None:
            self._writer = self._spool._open_writer(self)
        if isinstance(order, _Order):
            self._writer.finish()
            return self._published()
        self._writer.write(order)
        return None

    def _remove(self) -> None:
        writer, self._writer = self._writer, None
        try:
            if writer is not None:
                writer.discard()
            # A writer that could not even be made may have left its file.
            self._spool.remove(self.name + _PART)
        except OSError as error:  # it goes at the next start
            self._spool._note(error)
        except Exception:
            _log.exception("spool file %s cannot be removed", self.name)

    def _published(self) -> SpooledFile:
        """Give the complete file its name, so that it outlives the power."""
        path = self._spool.path_of(self.name)
        part = path.with_name(self.name + _PART)
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            size_bytes = file.tell()
        replaced_bytes = _size_of(path)  # by a file that a crash interrupted and is written anew
        part.rename(path)
        self._spool._account(size_bytes - replaced_bytes)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return SpooledFile(path=path, size_bytes=size_bytes, sha256=digest.hexdigest())

    def _settle(self, file: SpooledFile | None) -> None:
        if self._finished.done():
            return
        if file is not None:
            self._finished.set_result(file)
        elif self._failure is not None:
            self._finished.set_exception(self._failure)
            self._finished.exception()  # nobody may be waiting, which is no news
        else:
            self._finished.cancel()  # discarded


def _size_of(path: Path) -> int:
    """Return the size of a file in bytes; 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
