"""Sum the decoded audio of several streams on a common grid.

Sans-IO. Positions count samples of the grid.
"""

from __future__ import annotations

import numpy as np

from airslice.slicing.audio import PcmAudio

FULL_SCALE = 32_767
KNEE = 26_214
"""0.8 of full scale, -1.9 dBFS: sums up to it are exact."""

MAX_PENDING_S = 30
"""Bound on audio that waits for other streams; what is more is mixed without them."""


def limited(total: np.ndarray[tuple[int], np.dtype[np.int32]]) -> bytes:
    """Bring sums into 16 bits: exact up to the knee, bent smoothly above, never clipped.

    Args:
        total: int32, shape (samples,); sums of int16 samples.

    Returns:
        int16, native byte order.
    """
    magnitude = np.abs(total)
    if magnitude.size == 0 or magnitude.max() <= KNEE:
        return total.astype(np.int16).tobytes()
    room = FULL_SCALE - KNEE
    bent = KNEE + room * np.tanh((magnitude - KNEE) / room)
    shaped = np.where(magnitude <= KNEE, magnitude, np.floor(bent))
    return (np.sign(total) * shaped).astype(np.int16).tobytes()


class Mixer:
    """Collect streams' audio and hand out its sum, each position once."""

    def __init__(self, position: int, sample_rate_hz: int) -> None:
        """Begin at `position` of the grid, in samples of `sample_rate_hz`."""
        self._position = position
        self._max_pending = MAX_PENDING_S * sample_rate_hz
        self._pending = np.zeros(0, np.int32)
        self.late_samples = 0
        """Came after their place had been mixed."""

    @property
    def position(self) -> int:
        """The next sample to hand out."""
        return self._position

    @property
    def end(self) -> int:
        """Where the latest of the audio that was added ends, or `position`."""
        return self._position + self._pending.size

    def add(self, position: int, audio: PcmAudio) -> PcmAudio | None:
        """Add audio at `position`.

        Returns:
            The oldest part of the sum where more is waiting than the bound allows, else None.
        """
        samples = np.frombuffer(audio.pcm, np.int16)
        late = self._position - position
        if late > 0:
            self.late_samples += min(late, samples.size)
            samples = samples[late:]
            position = self._position
        start = position - self._position
        end = start + samples.size
        if end > self._pending.size:
            self._pending = np.concatenate(
                (self._pending, np.zeros(end - self._pending.size, np.int32))
            )
        self._pending[start:end] += samples
        return self.mix_until(self._position + end - self._max_pending)

    def mix_until(self, position: int) -> PcmAudio | None:
        """Return the sum up to `position`; None if that has been handed out.

        Nothing before `position` can be added any more.
        """
        length = position - self._position
        if length <= 0:
            return None
        total = self._pending[:length]
        if total.size < length:
            total = np.concatenate((total, np.zeros(length - total.size, np.int32)))
        self._pending = self._pending[length:].copy()
        self._position = position
        return PcmAudio(limited(total))
