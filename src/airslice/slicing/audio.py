"""Audio as the slicing core moves it: decoded, or as the publisher's own Opus packets.

Both kinds know their length in samples and can be split at any sample, so one slicer serves both.
Files and codecs are not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

from airslice.slicing.packets import LEVEL_UNKNOWN

PCM_SAMPLE_BYTES = 2
"""Size of one int16 sample."""

OPUS_GRAIN_SAMPLES = 120
"""The shortest Opus frame, 2.5 ms at 48 kHz; positions on a timeline are multiples of it."""

PREROLL_SAMPLES = 15_360
"""How long an Opus decoder needs to converge on speech, 320 ms at 48 kHz. RFC 7845 section 4.6
asks for at least 80 ms; docs/decisions/preroll.md has the measurements."""

MAX_PREROLL_FRAMES = PREROLL_SAMPLES // OPUS_GRAIN_SAMPLES
"""Number of the shortest packets that make up a pre-roll: no pre-roll has more packets."""


class Audio(Protocol):
    """A stretch of one stream's audio."""

    @property
    def samples(self) -> int:
        """Length of the audio, in samples per channel."""

    def split(self, samples: int) -> tuple[Self, Self]:
        """Return the first `samples`, and the rest; 0 < samples < self.samples."""


class PcmAudio(NamedTuple):
    """Decoded mono audio."""

    pcm: bytes
    """int16, native byte order, one channel."""

    @property
    def samples(self) -> int:
        """Length of the audio, in samples."""
        return len(self.pcm) // PCM_SAMPLE_BYTES

    def split(self, samples: int) -> tuple[PcmAudio, PcmAudio]:
        """Return the first `samples`, and the rest."""
        cut = samples * PCM_SAMPLE_BYTES
        return PcmAudio(self.pcm[:cut]), PcmAudio(self.pcm[cut:])


class OpusFrame(NamedTuple):
    """One Opus packet (RFC 6716) with its length and audio level."""

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
    """Samples at the start of the first frame that are not part of it; fewer than its length."""
    trim: int = 0
    """Samples at the end of the last frame that are not part of it; fewer than its length."""
    before: tuple[OpusFrame, ...] = ()
    """The packets right before `frames`, which a decoder needs to converge."""
    samples: int = field(init=False, compare=False, repr=False)
    """Length of the audio, in 48 kHz samples; computed once, because it is read many times."""

    def __post_init__(self) -> None:
        samples = sum([frame.samples for frame in self.frames]) - self.skip - self.trim
        object.__setattr__(self, "samples", samples)

    def split(self, samples: int) -> tuple[OpusAudio, OpusAudio]:
        """Return the first `samples`, and the rest; a frame that is split is in both."""
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
