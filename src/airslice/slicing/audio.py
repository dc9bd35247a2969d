"""Audio as the slicing core moves it: decoded, or as the publisher's own Opus packets.

Both kinds know their length in samples and can be split at any sample, so one slicer serves both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

from airslice.slicing.packets import LEVEL_UNKNOWN

PCM_SAMPLE_BYTES = 2

OPUS_GRAIN_SAMPLES = 120
"""2.5 ms at 48 kHz: the shortest Opus frame; positions on a timeline are multiples of it."""

PREROLL_SAMPLES = 15_360
"""320 ms at 48 kHz: how long an Opus decoder needs to converge on speech. RFC 7845 section 4.6
asks for 80 ms at least; docs/decisions/preroll.md has the measurements."""

MAX_PREROLL_FRAMES = PREROLL_SAMPLES // OPUS_GRAIN_SAMPLES
"""Of the shortest packets."""


class Audio(Protocol):
    """A piece of one stream's audio."""

    @property
    def samples(self) -> int:
        """Length, in samples per channel."""

    def split(self, samples: int) -> tuple[Self, Self]:
        """Cut in two: the first `samples`, and the rest; 0 < samples < self.samples."""


class PcmAudio(NamedTuple):
    """Decoded mono audio."""

    pcm: bytes
    """int16, native byte order, one channel."""

    @property
    def samples(self) -> int:
        """Length, in samples."""
        return len(self.pcm) // PCM_SAMPLE_BYTES

    def split(self, samples: int) -> tuple[PcmAudio, PcmAudio]:
        """Cut in two after `samples`."""
        cut = samples * PCM_SAMPLE_BYTES
        return PcmAudio(self.pcm[:cut]), PcmAudio(self.pcm[cut:])


class OpusFrame(NamedTuple):
    """One Opus packet (RFC 6716) with its length."""

    payload: bytes
    samples: int
    """Duration in 48 kHz samples, a multiple of 120."""
    level: int = LEVEL_UNKNOWN
    """RFC 6464 audio level in -dBov, or `LEVEL_UNKNOWN`."""


@dataclass(frozen=True, slots=True)
class OpusAudio:
    """Consecutive Opus packets, of which the outermost may belong only in part.

    When such pieces are joined again, a piece that ends within a packet is followed by one that
    begins within the same packet (the same `OpusFrame` object).
    """

    frames: tuple[OpusFrame, ...]
    """At least one."""
    skip: int = 0
    """Samples at the start of the first frame that do not belong; less than its length."""
    trim: int = 0
    """Samples at the end of the last frame that do not belong; less than its length."""
    before: tuple[OpusFrame, ...] = ()
    """What a decoder needs to converge before `frames`: the packets right before."""
    samples: int = field(init=False, compare=False, repr=False)
    """Length, in 48 kHz samples. Counted once: it is asked for many times on the hot path."""

    def __post_init__(self) -> None:
        samples = sum([frame.samples for frame in self.frames]) - self.skip - self.trim
        object.__setattr__(self, "samples", samples)

    def split(self, samples: int) -> tuple[OpusAudio, OpusAudio]:
        """Cut in two after `samples`; a frame that is cut stands in both parts."""
        whole = 0
        rest = self.skip + samples
        while rest >= (length := self.frames[whole].samples):
            rest -= length
            whole += 1
        before = preroll(self.before + self.frames[:whole])
        tail = OpusAudio(self.frames[whole:], rest, self.trim, before)
        if not rest:
            return OpusAudio(self.frames[:whole], self.skip, 0, self.before), tail
        return OpusAudio(self.frames[: whole + 1], self.skip, length - rest, self.before), tail


def preroll(frames: Sequence[OpusFrame]) -> tuple[OpusFrame, ...]:
    """Return the last of `frames` that together last `PREROLL_SAMPLES`, or all of fewer."""
    needed = PREROLL_SAMPLES
    first = len(frames)
    while first and needed > 0:
        first -= 1
        needed -= frames[first].samples
    return tuple(frames[first:])
