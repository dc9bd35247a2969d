"""Write the slices of one stream of a task, as its slicer cuts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from airslice.application.ports.storage import SpoolFile
from airslice.domain.apps import SliceFormat
from airslice.domain.room import StreamKey
from airslice.domain.slice_task import TaskOrder
from airslice.slicing.audio import Audio
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
class FileKind:
    """What a track's files are."""

    slice_format: SliceFormat
    sample_rate_hz: int
    passthrough: bool
    """Whether they hold the publisher's own packets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CutSlice:
    """A slice that is complete but for its file, which may still be written."""

    stream: StreamKey
    index: int
    identifier: str
    start_ms: int
    """UTC label of its first sample, milliseconds since the Unix epoch."""
    samples: int
    kind: FileKind
    file: SpoolFile


class _OpenSlice(Generic[A]):
    def __init__(self, position: int, identifier: str, utc_offset_ns: int, file: SpoolFile) -> None:
        self.position = position
        self.identifier = identifier
        self.utc_offset_ns = utc_offset_ns
        self.file = file
        self.waiting: list[Any] = []  # of A; the file knows which kind it holds
        self.waiting_samples = 0


class SliceTrack(Generic[A]):
    """One stream of one task: its slicer, the open slice, and the count of slices."""

    def __init__(
        self,
        stream: StreamKey,
        slicer: Slicer[A],
        kind: FileKind,
        *,
        open_file: Callable[[int], SpoolFile],
        next_index: int,
        identifier: str,
        captured_ns: Callable[[int], int],
        utc_offset_ns: Callable[[], int],
        on_cut: Callable[[CutSlice], None],
        on_dropped: Callable[[str], None] = lambda name: None,
    ) -> None:
        """Begin a track without an open slice.

        Args:
            stream: Whose slices they are.
            slicer: Cuts them.
            kind: Of the files.
            open_file: Begins the file of a slice whose first sample has this position.
            next_index: Number of the first slice.
            identifier: File name prefix of slices that are opened from now on.
            captured_ns: Tells when a position of the slicer was captured, monotonic.
            utc_offset_ns: UTC minus the monotonic clock, now.
            on_cut: Takes the slices that are complete, in order.
            on_dropped: Told the file's name of a slice that is not wanted.
        """
        self.stream = stream
        self.slicer = slicer
        self.identifier = identifier
        self._kind = kind
        self._open_file = open_file
        self._captured_ns = captured_ns
        self._utc_offset_ns = utc_offset_ns
        self._on_cut = on_cut
        self._on_dropped = on_dropped
        self._index = next_index
        self._slicing = True
        self._open: _OpenSlice[A] | None = None
        write_s = OPUS_WRITE_S if kind.passthrough else PCM_WRITE_S
        self._write_samples = write_s * kind.sample_rate_hz
        self.dropped_slices = 0
        """Silent ones that were not wanted."""

    @property
    def next_index(self) -> int:
        """Number that the next complete slice gets."""
        return self._index

    @property
    def is_open(self) -> bool:
        """Whether a slice is being filled."""
        return self._open is not None

    def apply(self, order: TaskOrder, *, at: int, restart: bool) -> None:
        """Go on as `order` says from the slicer's position `at`; `restart`: in a new period."""
        self.identifier = order.identifier
        if restart or order.handle != self._slicing:
            self._slicing = order.handle
            cut = Cut(
                position=at,
                period=order.duration_s * self._kind.sample_rate_hz,
                slicing=order.handle,
                restart=restart,
            )
            self.handle(self.slicer.cut(cut))

    def handle(self, events: Iterable[SliceEvent[A]]) -> None:
        """Do what the slicer's events say."""
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
        file = self._open_file(position)
        self._open = _OpenSlice(position, self.identifier, self._utc_offset_ns(), file)

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
        start_ns = self._captured_ns(opened.position) + opened.utc_offset_ns
        self._on_cut(
            CutSlice(
                stream=self.stream,
                index=self._index,
                identifier=opened.identifier,
                start_ms=start_ns // 1_000_000,
                samples=samples,
                kind=self._kind,
                file=opened.file,
            )
        )
        self._index += 1

    def _drop(self) -> None:
        opened, self._open = self._opened(), None
        opened.file.discard()
        self._on_dropped(opened.file.name)
        self.dropped_slices += 1

    def _opened(self) -> _OpenSlice[A]:
        if self._open is None:
            raise RuntimeError("the slicer has not opened a slice")
        return self._open
