"""The journal on this machine's disk.

A directory for each start of the server, in it numbered segments, each readable without the
others. Records are collected and written by a thread every `WRITE_INTERVAL_S`, and flushed to the
disk every `SYNC_INTERVAL_S`: a killed process loses what it had not written, a power failure what
was not flushed. A segment is removed when every slice that needs it is settled.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from airslice.application.ports.clock import Clock
from airslice.application.ports.journal import SliceNote, StreamAddress, UnsettledSlice
from airslice.slicing.timeline import Piece
from airslice.storage.journal_records import (
    UNREADABLE,
    RecordKind,
    address_fields,
    fact_record,
    note_fields,
    payloads,
    pieces_record,
    read_address,
    read_fact,
    read_note,
    read_pieces,
    read_stream,
    stream_number,
    stream_record,
)

_log = logging.getLogger(__name__)

WRITE_INTERVAL_S = 0.2
SYNC_INTERVAL_S = 1.0
SEGMENT_BYTES = 16 * 1024 * 1024
MAX_BUFFERED_BYTES = 64 * 1024 * 1024
"""Records that wait for a disk that does not take them; what is more is not kept."""

PREROLL_S = 2.0
"""Pieces from before a slice are kept for its decoder to converge."""


class _Segment:
    def __init__(self, path: Path, begun_ns: int) -> None:
        self.path = path
        self.begun_ns = begun_ns
        self.size_bytes = 0
        self.needed_by: set[str] = set()
        self.streams: dict[StreamAddress, int] = {}


class DiskJournal:
    """Keeps what is received (port `Journal`), in a directory of its own in `root`.

    It takes at most `max_bytes` of the disk; beyond, the oldest segments are given up.
    """

    def __init__(self, root: Path, clock: Clock, max_bytes: int) -> None:
        self._directory = root / f"{clock.utc_ns():020d}"
        self._directory.mkdir(parents=True)
        self._clock = clock
        self._max_bytes = max_bytes
        self._segments: list[_Segment] = []
        self._placements: dict[tuple[str, StreamAddress], int] = {}
        self._unsettled: set[str] = set()
        self._open: set[str] = set()
        self._closing: set[str] = set()  # closed since the latest write began
        self._buffer: list[bytes] = []
        self._buffered_bytes = 0
        self._descriptor = -1
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._next_number = 1
        self._writing: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._refused = False  # the latest write
        self._dropping = False  # records, since the latest write that succeeded
        self._giving_up = False  # segments
        self.dropped_bytes = 0
        """Bytes of records that the disk did not take, and of segments given up for the bound."""
        self.begin_segment()

    @property
    def failing(self) -> bool:
        """Whether the disk refuses what is received, or is too slow for it."""
        return self._refused or self._dropping

    def keep(self, address: StreamAddress, pieces: Sequence[Piece]) -> None:
        """Keep a stream's next pieces."""
        segment = self._segments[-1]
        number = segment.streams.get(address)
        if number is None:
            number = len(segment.streams)
            # Pieces of a number that the journal does not explain would be nobody's.
            if self._append(stream_record(number, address)):
                segment.streams[address] = number
        self._append(pieces_record(number, pieces), wanted=address in segment.streams)

    def placed(self, run_id: str, address: StreamAddress, offset: int) -> None:
        """A stream that is mixed lies at `offset` on the task's PCM grid from now on."""
        self._placements[run_id, address] = offset
        self._append(_placement(run_id, address, offset))

    def opened(self, note: SliceNote, *, reach_back_s: float) -> None:
        """A slice was opened; it begins with pieces of up to so many seconds ago."""
        reach_ns = self._clock.monotonic_ns() - round((reach_back_s + PREROLL_S) * 1e9)
        self._unsettled.add(note.name)
        self._open.add(note.name)
        for segment, following in zip(self._segments, self._segments[1:], strict=False):
            if following.begun_ns >= reach_ns:
                segment.needed_by.add(note.name)
        self._segments[-1].needed_by.add(note.name)
        self._append(fact_record("opened", note=note_fields(note)))

    def closed(self, name: str, *, index: int, samples: int) -> None:
        """A slice got its number and its length."""
        self._open.discard(name)
        self._closing.add(name)
        self._append(fact_record("closed", name=name, index=index, samples=samples))

    def settled(self, name: str) -> None:
        """A slice is safe, or was dropped."""
        self._unsettled.discard(name)
        self._open.discard(name)
        self._append(fact_record("settled", name=name))
        for segment in self._segments:
            segment.needed_by.discard(name)

    def run_ended(self, run_id: str) -> None:
        """No stream is mixed in this run any more."""
        for key in [key for key in self._placements if key[0] == run_id]:
            del self._placements[key]

    def start(self) -> None:
        """Write in the background until `close`."""
        self._writing = asyncio.get_running_loop().create_task(
            self._write_forever(), name="journal"
        )

    async def flush(self) -> None:
        """Write what has been collected, and flush it to the disk."""
        await self._write(sync=True)

    async def close(self) -> None:
        """Write what is left. Where every slice is settled, nothing remains on the disk."""
        self._stopping.set()
        if self._writing is not None:
            await self._writing
        await self.flush()
        await asyncio.get_running_loop().run_in_executor(self._thread, os.close, self._descriptor)
        self._thread.shutdown()
        if not self._unsettled:
            shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def size_bytes(self) -> int:
        """What it takes of the disk."""
        return sum(segment.size_bytes for segment in self._segments)

    def begin_segment(self) -> None:
        """Go on in a new segment; what waits to be written goes into it.

        Raises:
            OSError: the disk takes no new file; the present segment goes on.
        """
        path = self._directory / f"{self._next_number:08d}"
        self._next_number += 1
        former = self._descriptor
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if former >= 0:
            os.close(former)
        if self._buffer:
            # What waits was numbered for the segment that ends, and is written into this one.
            names = [stream_record(n, a) for a, n in self._segments[-1].streams.items()]
            self._buffer[:0] = names
            self._buffered_bytes += sum(map(len, names))
        segment = _Segment(path, self._clock.monotonic_ns())
        # A slice whose file was lost stays unsettled until the next start, but needs no more.
        segment.needed_by |= self._unsettled & (self._open | self._closing)
        self._segments.append(segment)
        for (run_id, address), offset in self._placements.items():
            self._append(_placement(run_id, address, offset))

    async def remove_unneeded(self) -> None:
        """Remove segments that no slice needs, and the oldest while they exceed the bound."""
        preroll_ns = self._clock.monotonic_ns() - round(PREROLL_S * 1e9)
        for segment, following in tuple(zip(self._segments, self._segments[1:], strict=False)):
            if not segment.needed_by and following.begun_ns < preroll_ns:
                await self._remove(segment)
        if self.size_bytes <= self._max_bytes:
            self._giving_up = False
        while len(self._segments) > 1 and self.size_bytes > self._max_bytes:
            oldest = self._segments[0]
            if oldest.needed_by:
                self.dropped_bytes += oldest.size_bytes
                if not self._giving_up:
                    _log.error("the journal is over its bound: its oldest parts are given up")
                self._giving_up = True
            await self._remove(oldest)

    def _append(self, record: bytes, *, wanted: bool = True) -> bool:
        """Keep a record for the next write; return False if it had to be dropped."""
        if not wanted or self._buffered_bytes + len(record) > MAX_BUFFERED_BYTES:
            self.dropped_bytes += len(record)
            if not self._dropping:
                _log.error("the journal's disk does not keep up: records are dropped")
            self._dropping = True
            return False
        self._buffer.append(record)
        self._buffered_bytes += len(record)
        return True

    async def _write_forever(self) -> None:
        synced_ns = self._clock.monotonic_ns()
        # A disk that refuses is not asked for the same large write all the time.
        while not await self._stops_within(SYNC_INTERVAL_S if self._refused else WRITE_INTERVAL_S):
            now_ns = self._clock.monotonic_ns()
            sync = now_ns - synced_ns >= SYNC_INTERVAL_S * 1e9
            if sync:
                synced_ns = now_ns
            await self._write(sync=sync)
            try:
                if self._segments[-1].size_bytes >= SEGMENT_BYTES and not self._refused:
                    await self.flush()
                    self.begin_segment()
                await self.remove_unneeded()
            except OSError as error:  # the segment just goes on
                self._note_refusal(error)

    async def _stops_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    async def _write(self, *, sync: bool) -> None:
        """Write what has been collected; keep it for the next try if the disk refuses it."""
        buffer, self._buffer = self._buffer, []
        closing, self._closing = self._closing, set()
        self._buffered_bytes = 0
        content = b"".join(buffer)
        segment = self._segments[-1]
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(
                self._thread, _write_at, self._descriptor, content, segment.size_bytes, sync
            )
        except OSError as error:
            self._note_refusal(error)
            self._buffer[:0] = buffer
            self._buffered_bytes += len(content)
            self._closing |= closing
        else:
            if self.failing:
                _log.warning(
                    "the journal is written again; it has dropped %d bytes", self.dropped_bytes
                )
            self._refused = self._dropping = False
            segment.size_bytes += len(content)

    def _note_refusal(self, error: OSError) -> None:
        if not self._refused:
            _log.error("the journal cannot be written: %s", error.strerror)
        self._refused = True

    async def _remove(self, segment: _Segment) -> None:
        self._segments.remove(segment)
        await asyncio.to_thread(segment.path.unlink, missing_ok=True)


def _write_at(descriptor: int, content: bytes, offset: int, sync: bool) -> None:
    """Write all of `content` at `offset`, so that a try that failed half way is written over."""
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view = view[written:]
        offset += written
    if sync:
        os.fdatasync(descriptor)


def _placement(run_id: str, address: StreamAddress, offset: int) -> bytes:
    return fact_record("placed", run=run_id, address=address_fields(address), offset=offset)


class DiskPast:
    """What one dead server's journal holds (port `PastJournal`)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._places: dict[StreamAddress, list[tuple[Path, int, int]]] = {}
        self.placements: dict[tuple[str, StreamAddress], int] = {}
        """Where streams lay on the PCM grids of runs: the latest."""
        self._slices: dict[str, UnsettledSlice] = {}
        for path in sorted(directory.iterdir()):
            self._scan(path)

    @property
    def unsettled(self) -> Sequence[UnsettledSlice]:
        """In the order in which they were opened."""
        return list(self._slices.values())

    def pieces(self, address: StreamAddress) -> Iterator[Piece]:
        """Read a stream's pieces again, in order."""
        for path, offset, length in self._places.get(address, ()):
            with path.open("rb") as file:
                file.seek(offset)
                yield from read_pieces(file.read(length))

    def forget(self) -> None:
        """Remove it."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _scan(self, path: Path) -> None:
        try:
            self._read(path)
        except UNREADABLE as error:
            kind = type(error).__name__  # the error itself tells the record, however long
            _log.error("the journal %s ends in a record that cannot be read: %s", path, kind)

    def _read(self, path: Path) -> None:
        streams: dict[int, StreamAddress] = {}
        for offset, payload in payloads(path.read_bytes()):
            kind = payload[0]
            if kind == RecordKind.PIECES:
                address = streams.get(stream_number(payload))
                if address is None:
                    continue  # an earlier release wrote some before it had named them
                self._places.setdefault(address, []).append((path, offset, len(payload)))
            elif kind == RecordKind.STREAM:
                streams[stream_number(payload)] = read_stream(payload)
            elif kind == RecordKind.FACT:
                self._take(read_fact(payload))

    def _take(self, fact: dict[str, object]) -> None:
        match fact:
            case {"fact": "opened", "note": dict(fields)}:
                note = read_note(fields)
                self._slices[note.name] = UnsettledSlice(note=note)
            case {
                "fact": "closed",
                "name": str(name),
                "index": int(index),
                "samples": int(samples),
            }:
                if name in self._slices:
                    self._slices[name].index = index
                    self._slices[name].samples = samples
            case {"fact": "settled", "name": str(name)}:
                self._slices.pop(name, None)
            case {"fact": "placed", "run": str(run_id), "address": list(fields), "offset": int(at)}:
                self.placements[run_id, read_address(fields)] = at


def past_journals(root: Path) -> list[DiskPast]:
    """Return what earlier servers left, the oldest first."""
    return [DiskPast(path) for path in sorted(root.iterdir())] if root.is_dir() else []
