"""One stream of one task: its audio in, numbered slices in files and in the journal out.

Where the audio comes from is no matter here: a subscription, a mix or what a crash left feed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from airslice.application.ports.journal import Journal, SliceNote
from airslice.application.ports.storage import Spool, SpoolFile
from airslice.application.tasks.track_plan import TrackPlan
from airslice.application.wall_clock import WallClock
from airslice.domain.file_kind import FileKind
from airslice.domain.room import StreamKey
from airslice.domain.slice_task import TaskOrder
from airslice.slicing.assembly import Block
from airslice.slicing.audio import Audio
from airslice.slicing.grid import GridPlacer
from airslice.slicing.slicer import (
    Cut,
    SliceAudio,
    SliceDropped,
    SliceEnded,
    SliceEvent,
    Slicer,
    SliceStarted,
)

A = TypeVar("A", bound=Audio)

PCM_WRITE_S = 5
OPUS_WRITE_S = 30
"""Seconds of audio that are handed to the writer at a time: fewer hand-overs cost less, and
what is in memory stays small whatever a slice's length: 160 kB at 16 kHz, packets as much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedSlice:
    """A slice that is complete but for its file, which may still be written."""

    run_id: str
    """The start of a task that it belongs to."""
    stream: StreamKey
    index: int
    identifier: str
    """File name prefix."""
    start_ms: int
    """UTC label of its first sample, milliseconds since the Unix epoch."""
    samples: int
    kind: FileKind
    file: SpoolFile


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackTools:
    """What all tracks of this machine work with."""

    spool: Spool
    journal: Journal
    wall_clock: WallClock
    silence_dbfs: float
    """Slices of which no 20 ms frame is louder count as silent."""
    on_closed: Callable[[ClosedSlice], None]
    """Takes the slices of each track in order."""


class CaptureTimes(Protocol):
    """Tells when the samples of a track were captured."""

    def captured_ns(self, position: int) -> int:
        """Return when the sample at `position` was captured, on the monotonic clock."""


class _OpenSlice:
    """A slice that is being filled."""

    __slots__ = ("file", "identifier", "position", "utc_offset_ns", "waiting", "waiting_samples")

    def __init__(self, position: int, identifier: str, utc_offset_ns: int, file: SpoolFile) -> None:
        self.position = position
        self.identifier = identifier
        self.utc_offset_ns = utc_offset_ns
        self.file = file
        self.waiting: list[Any] = []  # audio; the file knows which type it holds
        self.waiting_samples = 0


class Track(Generic[A]):
    """Cuts one stream's audio into slices, and writes each to a file of its own."""

    def __init__(
        self,
        plan: TrackPlan,
        tools: TrackTools,
        times: CaptureTimes,
        placer: GridPlacer[A] | None = None,
    ) -> None:
        """Begin without an open slice.

        Args:
            plan: What is sliced, and how.
            tools: What it works with.
            times: Tell when positions of the plan were captured.
            placer: Moves the stream from its timeline to the grid; None if nothing does.
        """
        self.plan = plan
        self._tools = tools
        self._times = times
        self._placer = placer
        self._slicer: Slicer[A] = plan.slicer(tools.silence_dbfs)
        self._identifier = plan.identifier
        self._slicing = plan.slicing
        self._index = plan.next_index
        self._open: _OpenSlice | None = None
        write_s = OPUS_WRITE_S if plan.kind.passthrough else PCM_WRITE_S
        self._write_samples = write_s * plan.kind.sample_rate_hz

    @property
    def position(self) -> int:
        """Everything before it is decided, in samples."""
        return self._slicer.position

    @property
    def boundary(self) -> int:
        """Where the present period ends, or a cut that comes before, in samples."""
        return self._slicer.boundary

    @property
    def next_index(self) -> int:
        """Number that the next slice gets."""
        return self._index

    @property
    def is_open(self) -> bool:
        """Whether a slice is being filled."""
        return self._open is not None

    def feed(self, block: Block[A]) -> None:
        """Take the stream's next audio; a gap before it is unpublished time."""
        self._carry_out(self._slicer.feed(block.position, block.audio))

    def advance(self, position: int) -> None:
        """Decide everything before `position`: no audio before it will come any more."""
        self._carry_out(self._slicer.advance(position))

    def apply(self, order: TaskOrder, *, at: int, restart: bool) -> None:
        """Go on as an updated order says.

        Args:
            order: The task's order as it is now.
            at: Position where the open slice is cut, if the order asks for it.
            restart: Whether a new period begins there.
        """
        self._identifier = order.identifier
        if restart or order.handle != self._slicing:
            self._slicing = order.handle
            cut = Cut(
                position=at,
                period=order.duration_s * self.plan.kind.sample_rate_hz,
                slicing=order.handle,
                restart=restart,
            )
            self._carry_out(self._slicer.cut(cut))

    def finish(self) -> None:
        """Close the open slice, which may be shorter, where everything is decided."""
        self._carry_out(self._slicer.finish())

    def _carry_out(self, events: Iterable[SliceEvent[A]]) -> None:
        for event in events:
            if isinstance(event, SliceAudio):
                self._take(event.audio)
            elif isinstance(event, SliceStarted):
                self._begin(event.position)
            elif isinstance(event, SliceEnded):
                self._end(event.samples)
            elif isinstance(event, SliceDropped):
                self._drop()

    def _begin(self, position: int) -> None:
        plan, tools = self.plan, self._tools
        file = tools.spool.open(plan.kind, name=plan.file_name)
        utc_offset_ns = tools.wall_clock.offset_ns
        self._open = _OpenSlice(position, self._identifier, utc_offset_ns, file)
        note = SliceNote(
            name=file.name,
            run_id=plan.run_id,
            address=plan.address,
            kind=plan.kind,
            identifier=self._identifier,
            position=position,
            offset=self._placer.offset if self._placer is not None else 0,
            max_samples=self._slicer.period + plan.overlap,
            start_utc_ns=self._times.captured_ns(position) + utc_offset_ns,
            aligned=plan.aligned,
            judged=plan.judged,
        )
        tools.journal.opened(note, reach_back_s=plan.overlap / plan.kind.sample_rate_hz)

    def _take(self, audio: A) -> None:
        opened = self._opened()
        opened.waiting.append(audio)
        opened.waiting_samples += audio.samples
        if opened.waiting_samples >= self._write_samples:
            opened.file.write(opened.waiting)
            opened.waiting = []
            opened.waiting_samples = 0

    def _end(self, samples: int) -> None:
        opened, self._open = self._opened(), None
        if opened.waiting:
            opened.file.write(opened.waiting)
        opened.file.finish()
        # Labelled now, not at the start: by now a sender report may have told the time better.
        start_ns = self._times.captured_ns(opened.position) + opened.utc_offset_ns
        closed = ClosedSlice(
            run_id=self.plan.run_id,
            stream=self.plan.address.stream,
            index=self._index,
            identifier=opened.identifier,
            start_ms=start_ns // 1_000_000,
            samples=samples,
            kind=self.plan.kind,
            file=opened.file,
        )
        self._index += 1
        self._tools.journal.closed(opened.file.name, index=closed.index, samples=samples)
        self._tools.on_closed(closed)

    def _drop(self) -> None:
        opened, self._open = self._opened(), None
        opened.file.discard()
        self._tools.journal.settled(opened.file.name)

    def _opened(self) -> _OpenSlice:
        if self._open is None:
            raise RuntimeError("the slicer has not opened a slice")
        return self._open
