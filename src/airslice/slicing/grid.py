"""Keeps one stream on a task's common grid although its audio clock drifts.

Sans-IO. A publisher's audio clock runs up to 200 ppm off the wall clock. Once the stream has
drifted more than `TOLERANCE_S` off its place, single samples are left out or put in, at most one
in 20 ms, in the quietest frames at hand, until it is back. A stream that does not drift is not
touched. Where a stream belongs on the grid is decided by the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from airslice.slicing.assembly import Block
from airslice.slicing.audio import OPUS_GRAIN_SAMPLES, Audio, OpusAudio, OpusFrame, PcmAudio
from airslice.slicing.opus_packet import LEVEL_SILENT, silent_frames
from airslice.slicing.packets import LEVEL_UNKNOWN

A = TypeVar("A", bound=Audio)

TOLERANCE_S = 0.003
"""Deviation at which correction begins. As clocks show a drift of 200 ppm up to 8 s late, the
deviation stays under 5 ms."""

STEP_S = 0.002
"""A change of the deviation between two blocks that is no drift: the clock was corrected, for
example by the stream's first sender report, or is imprecise."""

LET_BE_S = 0.015
"""Such steps are not corrected until they add up to this: a stream stays within 20 ms."""

LEAP_S = 0.040
"""A stream that is so much before its place missed a pause, and is moved at once, over silence."""

CATCH_UP_S = 1.0
"""A stream that is so much behind its place is moved at once: single samples would not do."""

Stretch = Callable[[A, int], tuple[A, int]]
"""Lengthens audio by at most so many samples, or shortens it if the number is negative; returns
the audio and by how many samples it was lengthened."""


class GridPlacer(Generic[A]):
    """Gives a stream's blocks their positions on the grid."""

    def __init__(self, stretch: Stretch[A], sample_rate_hz: int, *, grain: int = 1) -> None:
        """Correct drift with `stretch`; round positions to multiples of `grain` samples."""
        self._stretch = stretch
        self._tolerance = round(TOLERANCE_S * sample_rate_hz)
        self._step = round(STEP_S * sample_rate_hz)
        self._let_be = round(LET_BE_S * sample_rate_hz)
        self._leap = round(LEAP_S * sample_rate_hz)
        self._catch_up = round(CATCH_UP_S * sample_rate_hz)
        self._grain = grain
        self._offset: int | None = None
        self._error = 0  # of the block before
        self._stepped = 0  # the part of it that is not corrected
        self._correcting = False
        self.corrected_samples = 0
        """Number of samples put in and left out so far."""

    @property
    def offset(self) -> int:
        """Place on the grid minus place on the timeline, for the next block; 0 before any."""
        return self._offset or 0

    def place(self, block: Block[A], target: int) -> Block[A]:
        """Return `block` at its position on the grid, stretched where drift asks for it.

        Args:
            block: The stream's next block, at its position on the stream's timeline.
            target: Where the clocks say that the block belongs on the grid, in samples.
        """
        if self._offset is None:
            self._offset = self._rounded(target - block.position)
        error = target - block.position - self._offset
        if error >= self._leap or error <= -self._catch_up:
            self._offset += self._rounded(error)
            self._stepped = 0
            error = 0
        elif abs(error - self._error) > self._step:
            stepped = self._stepped + error - self._error
            self._stepped = stepped if abs(stepped) <= self._let_be else 0
        self._error = error
        position = block.position + self._offset
        drift = error - self._stepped
        if abs(drift) > self._tolerance:
            self._correcting = True
        elif abs(drift) < max(self._grain, self._tolerance // 4):
            self._correcting = False
        if not self._correcting:
            return Block(position, block.audio)
        audio, by = self._stretch(block.audio, drift)
        self._offset += by
        self._error -= by
        self.corrected_samples += abs(by)
        return Block(position, audio)

    def _rounded(self, samples: int) -> int:
        return (samples + self._grain // 2) // self._grain * self._grain


def pcm_stretch(sample_rate_hz: int) -> Stretch[PcmAudio]:
    """Return a stretch for decoded audio, by single samples in the quietest 20 ms frames."""
    frame = sample_rate_hz // 50

    def stretch(audio: PcmAudio, by: int) -> tuple[PcmAudio, int]:
        samples = np.frombuffer(audio.pcm, np.int16)
        count = min(abs(by), samples.size // frame)
        if not count:
            return audio, 0
        magnitudes = np.abs(samples[: samples.size // frame * frame].astype(np.int32))
        frames = magnitudes.reshape(-1, frame)
        quietest = np.sort(np.argsort(frames.sum(axis=1), kind="stable")[:count])
        at = quietest * frame + frames[quietest].argmin(axis=1)
        edited = np.insert(samples, at, samples[at]) if by > 0 else np.delete(samples, at)
        return PcmAudio(edited.tobytes()), count if by > 0 else -count

    return stretch


def opus_stretch(audio: OpusAudio, by: int) -> tuple[OpusAudio, int]:
    """Lengthen or shorten Opus packets by 2.5 ms: the quietest is replaced by silence.

    Packets cannot be changed by single samples without decoding them. A packet that is not
    silent is only replaced by a shorter one where the deviation is twice the grain.
    """
    if abs(by) < OPUS_GRAIN_SAMPLES:
        return audio, 0
    inner = range(1, len(audio.frames) - 1)
    if not inner:
        return audio, 0
    at = max(inner, key=lambda index: _quietness(audio.frames[index]))
    quietest = audio.frames[at]
    change = OPUS_GRAIN_SAMPLES if by > 0 else -OPUS_GRAIN_SAMPLES
    made_up = tuple(silent_frames(quietest.samples + change))
    if by > 0 and _quietness(quietest) < LEVEL_SILENT:
        made_up = (quietest, *silent_frames(OPUS_GRAIN_SAMPLES))
    elif _quietness(quietest) < LEVEL_SILENT and abs(by) < 2 * OPUS_GRAIN_SAMPLES:
        return audio, 0
    frames = (*audio.frames[:at], *made_up, *audio.frames[at + 1 :])
    return OpusAudio(frames, audio.skip, audio.trim, audio.before), change


def _quietness(frame: OpusFrame) -> int:
    """Level in -dBov; unknown counts as loudest."""
    return -1 if frame.level == LEVEL_UNKNOWN else frame.level
