"""The rules of slicing at their plainest: offline, with everything in view at once.

Written from the rules, not from the code: it shares nothing with the core but its input types.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from airslice.slicing.packets import RtpPacket
from airslice.slicing.slicer import Cut
from tests.support.audio.made_audio import CONCEALED, GRAIN, GRAIN_NS, decoded

Samples = np.ndarray[tuple[int], np.dtype[Any]]
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A packet as its sender knows it: nothing wraps round."""

    number: int
    """Counts the source's packets; sequence numbers and identities are made from it."""
    ticks: int
    """Timestamp, from 0 on."""
    samples: int
    arrival_ns: int
    run: int
    """Between two runs the sender paused, with frozen timestamps."""
    packet: RtpPacket


def taken(arrivals: Sequence[Sent], window_ns: int) -> list[Sent]:
    """Of packets in order of arrival, return in order those that are not late nor twice there."""
    kept: dict[int, Sent] = {}
    for index, sent in enumerate(arrivals):
        late = any(
            other.number > sent.number and other.arrival_ns + window_ns <= sent.arrival_ns
            for other in arrivals[:index]
        )
        if not late and sent.number not in kept:
            kept[sent.number] = sent
    return [kept[number] for number in sorted(kept)]


@dataclass
class Published:
    """One stream as decoded samples, and which of them were published."""

    divisor: int
    samples: Samples = field(default_factory=lambda: np.zeros(0, np.int16))
    mask: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))

    @property
    def end(self) -> int:
        """Ticks."""
        return self.samples.size * self.divisor

    def leave_out(self, ticks: int) -> None:
        """Nothing is published for a while."""
        count = ticks // self.divisor
        self.samples = np.concatenate((self.samples, np.zeros(count, np.int16)))
        self.mask = np.concatenate((self.mask, np.zeros(count, np.bool_)))

    def publish(self, samples: Samples) -> None:
        """Go on with audio."""
        self.samples = np.concatenate((self.samples, samples))
        self.mask = np.concatenate((self.mask, np.ones(samples.size, np.bool_)))


def published(sources: Iterable[Sequence[Sent]], divisor: int) -> Published:
    """Lay out the taken packets of one source after another.

    Of every source and run the first packet must be there and among the least delayed, so that
    the wall clock's place for it is exact.
    """
    stream = Published(divisor)
    least_delay_ns: int | None = None
    for source in sources:
        before: Sent | None = None
        for sent in source:
            missing = ticks = 0
            if before is not None:
                missing = sent.number - before.number - 1
                ticks = sent.ticks - before.ticks - before.samples
            if least_delay_ns is not None and (before is None or sent.run != before.run):
                place = (sent.arrival_ns - least_delay_ns) // GRAIN_NS * GRAIN
                stream.leave_out(max(0, place - stream.end - ticks))
            _fill(stream, ticks, missing, sent)
            delay_ns = sent.arrival_ns - stream.end // GRAIN * GRAIN_NS
            least_delay_ns = delay_ns if least_delay_ns is None else min(least_delay_ns, delay_ns)
            stream.publish(decoded(sent.number, sent.samples // divisor))
            before = sent
    return stream


def _fill(stream: Published, ticks: int, missing: int, following: Sent) -> None:
    """Fill time that timestamps skip: made up where packets are missing, else silence."""
    recovered = concealed = 0
    if missing:
        recovered = min(ticks, following.samples)
        concealed = min(ticks - recovered, 4_800)
    silent = ticks - recovered - concealed
    divisor = stream.divisor
    stream.publish(np.full(concealed // divisor, CONCEALED, np.int16))
    stream.publish(np.zeros(silent // divisor, np.int16))
    stream.publish((-decoded(following.number, recovered // divisor)).astype(np.int16))


@dataclass(frozen=True)
class NaiveSlice:
    """A slice as it should be."""

    position: int
    content: tuple[int, ...]
    overlap: int
    """How many samples of `content` are the overlap."""
    is_full: bool
    """Whether nothing but the period bounds it."""


@dataclass(frozen=True)
class Regime:
    """Settings between two cuts."""

    start: int
    cut: Cut


def naive_slices(
    samples: Samples,
    mask: Mask,
    regimes: Sequence[Regime],
    *,
    origin: int | None,
    overlap: int,
    aligned: bool,
) -> list[NaiveSlice]:
    """Slice a whole stream, of which the regimes tell how. The first one's cut says how it begins.

    Args:
        samples: The stream from position 0 to where everything is decided.
        mask: Which of them were published.
        regimes: In order; the first starts where slicing does.
        origin: Where periods are counted from at first; None: from the first published sample.
        overlap: Samples.
        aligned: Whether unpublished time is silence.
    """
    slices: list[NaiveSlice] = []
    floor = regimes[0].start
    was_slicing = True
    ends = [regime.start for regime in regimes[1:]] + [samples.size]
    for index, (regime, end) in enumerate(zip(regimes, ends, strict=True)):
        cut = regime.cut
        start = regime.start
        if index:
            if aligned:
                origin = cut.position if cut.restart else origin
            elif cut.restart or not was_slicing:
                origin = None
            if cut.slicing and not was_slicing:
                floor = start
        was_slicing = cut.slicing
        if not cut.slicing or not mask[start:end].any():
            continue
        if origin is None:
            origin = start + int(mask[start:end].argmax())
        boundary = start - (start - origin) % cut.period
        while boundary < end:
            own_start, own_end = max(start, boundary), min(end, boundary + cut.period)
            boundary += cut.period
            if not mask[own_start:own_end].any():
                continue
            first = max(floor, own_start - overlap)
            there = np.ones(own_end - first, np.bool_) if aligned else mask[first:own_end]
            content = samples[first:own_end][there]
            slices.append(
                NaiveSlice(
                    position=first + int(there.argmax()),
                    content=tuple(content.tolist()),
                    overlap=int(there[: own_start - first].sum()),
                    is_full=own_end - own_start == cut.period and own_start - first == overlap,
                )
            )
    return slices


def is_silent(content: Sequence[int], frame: int, threshold_dbfs: float) -> bool:
    """Whether no frame is over the threshold; a last, shorter frame counts by its own length."""
    limit = 32_768**2 * 10 ** (threshold_dbfs / 10)
    frames = [content[at : at + frame] for at in range(0, len(content), frame)]
    return all(sum(value * value for value in part) <= limit * len(part) for part in frames)
