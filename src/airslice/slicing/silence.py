"""Judges whether a slice is silent: no 20 ms frame of it is louder than a threshold.

What is done with silent slices is decided in `slicer`.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np

from airslice.slicing.audio import Audio, OpusAudio, PcmAudio
from airslice.slicing.packets import LEVEL_UNKNOWN

A_contra = TypeVar("A_contra", bound=Audio, contravariant=True)

FRAMES_PER_SECOND = 50
FULL_SCALE = 32_768


class SilenceMeter(Protocol[A_contra]):
    """Measures one slice at a time."""

    heard: bool
    """Whether a frame since `reset` was louder than the threshold."""

    def reset(self) -> None:
        """Begin a new slice, whose first frame starts with the next sample."""

    def measure(self, audio: A_contra) -> None:
        """Take the slice's next audio."""

    def finish(self) -> None:
        """End the slice: judge its last frame, which may be shorter."""


class PcmMeter:
    """Measures the RMS level of decoded frames."""

    def __init__(self, threshold_dbfs: float, sample_rate_hz: int) -> None:
        """Hear frames over `threshold_dbfs`; 0 dBFS is the RMS of a full-scale square wave."""
        self._frame_samples = sample_rate_hz // FRAMES_PER_SECOND
        self._mean_square = FULL_SCALE**2 * 10 ** (threshold_dbfs / 10)
        self._rest = b""
        self.heard = False

    def reset(self) -> None:
        """Begin a new slice."""
        self._rest = b""
        self.heard = False

    def measure(self, audio: PcmAudio) -> None:
        """Measure the whole frames; keep the rest for the next call."""
        if self.heard:
            return
        pcm = self._rest + audio.pcm
        whole = len(pcm) // (2 * self._frame_samples) * self._frame_samples
        self._rest = pcm[2 * whole :]
        self._measure(np.frombuffer(pcm, np.int16, whole), self._frame_samples)

    def finish(self) -> None:
        """Measure the last, shorter frame."""
        if not self.heard and self._rest:
            self._measure(np.frombuffer(self._rest, np.int16), len(self._rest) // 2)
        self._rest = b""

    def _measure(self, samples: np.ndarray[tuple[int], np.dtype[np.int16]], frame: int) -> None:
        if samples.size:
            frames = samples.reshape(-1, frame).astype(np.float64)
            energies = np.einsum("ij,ij->i", frames, frames)
            self.heard = bool(energies.max() > self._mean_square * frame)


class LevelMeter:
    """Uses the levels that senders give (RFC 6464); a packet without one is heard."""

    def __init__(self, threshold_dbfs: float) -> None:
        """Hear packets whose level is over `threshold_dbfs`."""
        self._silent_from = -threshold_dbfs
        self.heard = False

    def reset(self) -> None:
        """Begin a new slice."""
        self.heard = False

    def measure(self, audio: OpusAudio) -> None:
        """Read the levels of the packets."""
        if not self.heard:
            self.heard = any(
                frame.level == LEVEL_UNKNOWN or frame.level < self._silent_from
                for frame in audio.frames
            )

    def finish(self) -> None:
        """Do nothing: levels are of whole packets, so that nothing is left to judge."""
