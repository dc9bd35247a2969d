"""Cut one stream into slices.

Sans-IO: hand it audio at positions, get slice events back. It owns no clock, file, thread or
event loop. Positions are integers counted in samples, so slices can neither drift nor overlap
nor leave a gap. It serves decoded audio and Opus packets alike.

Periods of `period` samples are counted from an origin. *Aligned* slicers share the origin of
their task's grid, fill unpublished time, and cut every slice to the full length. *Unaligned*
ones count from their first sample and leave unpublished time out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from airslice.slicing.audio import Audio
from airslice.slicing.silence import SilenceMeter

A = TypeVar("A", bound=Audio)

MAX_FILL_SAMPLES = 48_000
"""Silence is filled in by pieces of at most this length, to bound memory."""


class SliceStarted(NamedTuple):
    """A slice was opened; audio for it follows."""

    position: int
    """Position of its first sample, overlap included."""


class SliceAudio(NamedTuple, Generic[A]):
    """The next audio of the open slice."""

    audio: A


class SliceEnded(NamedTuple):
    """The open slice is complete."""

    samples: int
    """Its length, overlap included."""


class SliceDropped(NamedTuple):
    """The open slice turned out silent and is not wanted."""


SliceEvent = SliceStarted | SliceAudio[A] | SliceEnded | SliceDropped


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """Close the open slice at a position, and go on with other settings."""

    position: int
    period: int
    slicing: bool
    """Whether audio from here on is sliced."""
    restart: bool
    """Whether periods are counted anew from here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceRules(Generic[A]):
    """What stays the same as long as a slicer lives."""

    overlap: int = 0
    """Samples of the time before a period that its slice begins with; less than the period."""
    fill: Callable[[int], A] | None = None
    """Makes silence of a length: the slicer is aligned. None: it is not."""
    meter: SilenceMeter[A] | None = None
    """Judges slices; silent ones are dropped. None: all are kept."""


class Slicer(Generic[A]):
    """Turn audio at positions into slices."""

    def __init__(
        self,
        rules: SliceRules[A],
        *,
        period: int,
        position: int,
        origin: int | None = None,
        slicing: bool = True,
    ) -> None:
        """Slice from `position` on.

        Args:
            rules: How slices are cut.
            period: Length of a period, in samples, > 0.
            position: Audio before it is left out.
            origin: Where periods are counted from. None: from the first sample to come.
            slicing: Whether audio is sliced at once, or only after a cut that says so.
        """
        self._rules = rules
        self.period = period
        """Length of a period, in samples."""
        self._origin = origin
        self._slicing = slicing
        self._floor = position
        """No slice reaches back before it."""
        self._closed = position
        """Where slices were closed last: only an overlap reaches back before it."""
        self.position = position
        """Everything before it is decided."""
        self._cuts: deque[Cut] = deque()
        self._open = False
        self._filled = 0  # where the open slice's content ends
        self._samples = 0  # content of the open slice so far
        self._tail: deque[tuple[int, A]] = deque()  # audio of the last `overlap` samples
        self.late_samples = 0
        """Samples that came after their place had been decided."""

    @property
    def boundary(self) -> int:
        """Where the present period ends, or a cut that comes before."""
        return self._boundary(self.position)

    def feed(self, position: int, audio: A) -> list[SliceEvent[A]]:
        """Add audio; a gap before it is unpublished time. Return what that brought about."""
        events = self.advance(position)
        late = self.position - position
        if late > 0:
            self.late_samples += min(late, audio.samples)
            if late >= audio.samples:
                return events
            audio = audio.split(late)[1]
        while True:
            start = self.position
            needed = self._boundary(start) - start
            samples = audio.samples
            if samples < needed:
                self._append(start, audio, samples, events)
                return events
            if samples == needed:
                self._append(start, audio, samples, events)
                self._cross(events)
                return events
            head, audio = audio.split(needed)
            self._append(start, head, needed, events)
            self._cross(events)

    def advance(self, position: int) -> list[SliceEvent[A]]:
        """Nothing before `position` will come any more."""
        events: list[SliceEvent[A]] = []
        while position > self.position:
            boundary = self._boundary(self.position) if self._open or self._cuts else position
            self.position = min(position, boundary)
            if self.position == boundary:
                self._cross(events)
        return events

    def cut(self, cut: Cut) -> list[SliceEvent[A]]:
        """Cut at a position, at once or when it is reached; a decided position cuts at once."""
        self._cuts.append(cut)
        events: list[SliceEvent[A]] = []
        self._cross(events)
        return events

    def finish(self) -> list[SliceEvent[A]]:
        """Close the open slice, which may be shorter, where everything is decided."""
        events: list[SliceEvent[A]] = []
        self._close(events)
        return events

    def _boundary(self, position: int) -> int:
        """The next place after `position` where a period or a cut ends the slice."""
        origin = position if self._origin is None else self._origin
        boundary = position + self.period - (position - origin) % self.period
        return min(boundary, self._cuts[0].position) if self._cuts else boundary

    def _append(self, position: int, audio: A, samples: int, events: list[SliceEvent[A]]) -> None:
        self.position = position + samples
        if not self._slicing:
            return
        if self._origin is None:
            self._origin = position
        if not self._open:
            self._start(position, events)
        self._fill_to(position, events)
        self._emit(audio, samples, events)
        if self._rules.overlap:
            self._tail.append((position, audio))
            while (
                self._tail[0][0] + self._tail[0][1].samples <= self.position - self._rules.overlap
            ):
                self._tail.popleft()

    def _start(self, position: int, events: list[SliceEvent[A]]) -> None:
        """Open the slice of the period around `position`, its overlap first."""
        origin = position if self._origin is None else self._origin
        period_start = max(self._closed, position - (position - origin) % self.period)
        start = max(self._floor, period_start - self._rules.overlap)
        overlap = [
            _from(start, at, audio) for at, audio in self._tail if at + audio.samples > start
        ]
        if self._rules.fill is None:
            start = overlap[0][0] if overlap else position
        events.append(SliceStarted(start))
        self._open = True
        self._samples = 0
        self._filled = start
        for at, audio in overlap:
            self._fill_to(at, events)
            self._emit(audio, audio.samples, events)
        self._fill_to(period_start, events)
        if self._rules.meter is not None:
            self._rules.meter.reset()

    def _emit(self, audio: A, samples: int, events: list[SliceEvent[A]]) -> None:
        events.append(SliceAudio(audio))
        self._samples += samples
        self._filled += samples
        if self._rules.meter is not None:
            self._rules.meter.measure(audio)

    def _fill_to(self, position: int, events: list[SliceEvent[A]]) -> None:
        """Bring the open slice up to `position`: with silence, or by leaving time out."""
        if self._rules.fill is None:
            self._filled = position
            return
        while self._filled < position:
            samples = min(position - self._filled, MAX_FILL_SAMPLES)
            self._emit(self._rules.fill(samples), samples, events)

    def _cross(self, events: list[SliceEvent[A]]) -> None:
        """Do what is due where everything is decided: cuts, and the end of a period."""
        while self._cuts and self._cuts[0].position <= self.position:
            cut = self._cuts.popleft()
            self._close(events)
            self.period = cut.period
            if cut.slicing and not self._slicing:
                self._floor = self.position
                self._tail.clear()
            if self._rules.fill is None and (cut.restart or not self._slicing):
                self._origin = None
            elif cut.restart:
                self._origin = cut.position
            self._slicing = cut.slicing
        if self._origin is not None and (self.position - self._origin) % self.period == 0:
            self._close(events)

    def _close(self, events: list[SliceEvent[A]]) -> None:
        self._closed = self.position
        if not self._open:
            return
        self._fill_to(self.position, events)
        self._open = False
        meter = self._rules.meter
        if meter is not None:
            meter.finish()
            if not meter.heard:
                events.append(SliceDropped())
                return
        events.append(SliceEnded(self._samples))


def _from(start: int, at: int, audio: A) -> tuple[int, A]:
    """Return what of `audio`, which begins at `at`, is not before `start`, and where it begins."""
    return (at, audio) if at >= start else (start, audio.split(start - at)[1])
