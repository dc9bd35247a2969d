"""Make the slices that a crash interrupted, from the journal that the server left.

Their tracks are those of running tasks; only where their audio comes from is different.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from airslice.application.ports.journal import (
    NoJournal,
    PastJournal,
    SliceNote,
    StreamAddress,
    UnsettledSlice,
)
from airslice.application.ports.media import OpusDecoders
from airslice.application.ports.records import TaskStore
from airslice.application.tasks.track import Track, TrackTools
from airslice.application.tasks.track_plan import TrackPlan
from airslice.slicing.assembly import Block, PassthroughAssembler, PcmAssembler, clipped
from airslice.slicing.audio import PcmAudio
from airslice.slicing.mixer import Mixer
from airslice.slicing.packets import RTP_CLOCK_HZ
from airslice.slicing.task_grid import TaskGrid
from airslice.slicing.timeline import Piece

_log = logging.getLogger(__name__)

WARM_UP_TICKS = 2 * RTP_CLOCK_HZ
"""Audio before a slice that its decoder hears first: after it, what comes out is what the decoder
that died would have given."""

BATCH_PIECES = 500
"""Pieces that are decoded at a time, 10 s of usual packets, to bound memory."""

MIX_WINDOW_S = 10
"""Seconds that are mixed at a time, to bound memory."""


class Recovery:
    """Finishes what was open when a server died."""

    def __init__(self, *, store: TaskStore, decoders: OpusDecoders, tools: TrackTools) -> None:
        """Look up runs in `store`, and make tracks with `tools`, as running tasks do."""
        self._store = store
        self._decoders = decoders
        # What is made again stands in the past journal until that is forgotten.
        self._tools = replace(tools, journal=NoJournal())

    async def recover_all(
        self, journals: Iterable[PastJournal], recorded: Callable[[str], Awaitable[None]]
    ) -> None:
        """Make every slice that was not settled, and forget each journal once they are recorded.

        Args:
            journals: What servers that died have left.
            recorded: Returns when all slices of a run that were made are recorded.
        """
        for journal in journals:
            if journal.unsettled:
                _log.warning(
                    "%d slices were interrupted; they are finished", len(journal.unsettled)
                )
            for run_id in await self.recover(journal):
                await recorded(run_id)
            journal.forget()

    async def recover(self, past: PastJournal) -> set[str]:
        """Make every slice that was not settled; those still open end where the journal ends.

        Returns:
            The runs that got slices; `past` may be forgotten once these are recorded.
        """
        by_run: defaultdict[str, list[UnsettledSlice]] = defaultdict(list)
        for interrupted in past.unsettled:
            by_run[interrupted.note.run_id].append(interrupted)
        for run_id, slices in by_run.items():
            if await self._store.find_run(run_id) is None:
                _log.warning("the journal speaks of run %s, which is forgotten", run_id)
                continue
            recorded = await self._store.spool_names(run_id)
            indexes = await self._store.next_index(run_id)
            for interrupted in slices:
                note = interrupted.note
                if note.name in recorded:
                    continue
                stream = note.address.stream
                index = interrupted.index
                if index is None:
                    index = indexes.get(stream, 0)
                if self._make(past, interrupted, index):
                    indexes[stream] = max(index + 1, indexes.get(stream, 0))
                await asyncio.sleep(0)
        return set(by_run)

    def _make(self, past: PastJournal, interrupted: UnsettledSlice, index: int) -> bool:
        """Make one slice; return whether there was anything to put into it."""
        note = interrupted.note
        length = interrupted.samples or note.max_samples
        times = _times(note, self._tools.wall_clock.offset_ns)
        track: Track[Any] = Track(TrackPlan.of_note(note, index=index), self._tools, times)
        if note.is_mix:
            blocks = self._mixed(past, interrupted, note.position + length)
        elif note.aligned:
            blocks = self._of_stream(past, interrupted, note.address, note.offset, length)
        else:
            # Its length counts what was published; in time it may reach to its period's end.
            blocks = self._of_stream(past, interrupted, note.address, 0, note.max_samples)
            blocks = _first_samples(blocks, length)
        for block in blocks:
            track.feed(block)
        if note.aligned and interrupted.samples is not None:
            track.advance(note.position + length)
        track.finish()
        return track.next_index > index

    def _of_stream(
        self,
        past: PastJournal,
        interrupted: UnsettledSlice,
        address: StreamAddress,
        offset: int,
        length: int,
    ) -> Iterator[Block[Any]]:
        """Assemble a stream's audio from the slice's start on, placed by `offset`."""
        note = interrupted.note
        rate_hz = note.kind.sample_rate_hz
        ticks = RTP_CLOCK_HZ // rate_hz
        first = (note.position - offset) * ticks
        last = first + length * ticks
        assembler: PcmAssembler | PassthroughAssembler
        if note.kind.passthrough:
            assembler = PassthroughAssembler()
        else:
            assembler = PcmAssembler(self._decoders.open(rate_hz), rate_hz)
        for batch in _batches(past.pieces(address), first - WARM_UP_TICKS, last):
            for block in assembler.assemble(batch):
                placed = Block(block.position + offset, block.audio)
                part = clipped(placed, note.position, note.position + length)
                if part is not None:
                    yield part

    def _mixed(
        self, past: PastJournal, interrupted: UnsettledSlice, end: int
    ) -> Iterator[Block[PcmAudio]]:
        """Sum the audio of all streams of the run, window by window."""
        note = interrupted.note
        sources = [
            _Rest(self._of_stream(past, interrupted, address, offset, end - note.position))
            for (run_id, address), offset in past.placements.items()
            if run_id == note.run_id
        ]
        mixer = Mixer(note.position, note.kind.sample_rate_hz)
        closed = interrupted.samples is not None
        while mixer.position < end and (closed or any(not rest.is_empty for rest in sources)):
            start = mixer.position
            until = min(end, start + MIX_WINDOW_S * note.kind.sample_rate_hz)
            for rest in sources:
                for block in rest.before(until):
                    mixer.add(block.position, block.audio)
            if not closed:
                until = min(until, max(rest.end for rest in sources))
            audio = mixer.mix_until(until)
            if audio is None:
                return
            yield Block(start, audio)


def _times(note: SliceNote, utc_offset_ns: int) -> TaskGrid:
    """Return a grid on which the slice begins when its note says."""
    rate_hz = note.kind.sample_rate_hz
    start_ns = note.start_utc_ns - utc_offset_ns
    return TaskGrid(start_ns - note.position * 1_000_000_000 // rate_hz, rate_hz)


class _Rest:
    """What is still to come of a stream's blocks."""

    def __init__(self, blocks: Iterator[Block[PcmAudio]]) -> None:
        self._blocks = blocks
        self._next = next(blocks, None)
        self.end = 0 if self._next is None else self._next.position
        """Where what has come ends, or what is to come begins."""

    @property
    def is_empty(self) -> bool:
        return self._next is None

    def before(self, position: int) -> Iterator[Block[PcmAudio]]:
        """Hand out what lies before `position`; a block across it is cut there."""
        while self._next is not None and self._next.position < position:
            block = self._next
            self.end = block.position + block.audio.samples
            if self.end <= position:
                self._next = next(self._blocks, None)
                yield block
                continue
            head, tail = block.audio.split(position - block.position)
            self._next = Block(position, tail)
            self.end = position
            yield Block(block.position, head)


def _batches(pieces: Iterator[Piece], first: int, last: int) -> Iterator[list[Piece]]:
    """Gather the pieces that reach into [first, last), in ticks."""
    batch: list[Piece] = []
    decided = first
    for piece in pieces:
        if piece.position < decided:
            continue  # kept twice, as what decoders need before a consumer's first
        decided = piece.position + piece.samples
        if piece.position < last:
            batch.append(piece)
            if len(batch) == BATCH_PIECES:
                yield batch
                batch = []
    if batch:
        yield batch


def _first_samples(blocks: Iterator[Block[Any]], samples: int) -> Iterator[Block[Any]]:
    """Hand out blocks until they hold `samples`."""
    for block in blocks:
        if block.audio.samples < samples:
            samples -= block.audio.samples
            yield block
            continue
        whole = block.audio.samples == samples
        yield block if whole else Block(block.position, block.audio.split(samples)[0])
        return
