"""Sums the decoded audio of several streams on a common grid, and limits the sum.

Sans-IO. Positions count samples of the grid; how streams get onto it is in `grid`.
"""

from __future__ import annotations

import numpy as np

from airslice.slicing.audio import PcmAudio

FULL_SCALE = 32_767
KNEE = 26_214
"""Magnitude up to which sums are exact: 0.8 of full scale, -1.9 dBFS."""

MAX_PENDING_S = 30
"""Most audio that waits for other streams, in seconds; more is mixed without them."""


def limited(total: np.ndarray[tuple[int], np.dtype[np.int32]]) -> bytes:
    """Return sums of int16 samples, shape (samples,), as int16 PCM in native byte order.

    It is exact up to `KNEE`, compressed smoothly above, never clipped.
    """
    magnitude = np.abs(total)
    if magnitude.size == 0 or magnitude.max() <= KNEE:
        return total.astype(np.int16).tobytes()
    above = FULL_SCALE - KNEE
    bent = KNEE + above * np.tanh((magnitude - KNEE) / above)
    shaped = np.where(magnitude <= KNEE, magnitude, np.floor(bent))
    return (np.sign(total) * shaped).astype(np.int16).tobytes()


class Mixer:
    """Collects streams' audio and hands out its sum, each position once."""

    def __init__(self, position: int, sample_rate_hz: int) -> None:
        """Begin at `position` of the grid, in samples of `sample_rate_hz`."""
        self.position = position
        """The next sample to hand out."""
        self._max_pending = MAX_PENDING_S * sample_rate_hz
        self._pending = np.zeros(0, np.int32)
        self.late_samples = 0
        """Number of samples that came after their place had been mixed."""

    @property
    def end(self) -> int:
        """Where the latest audio that was added ends; `position` if nothing waits."""
        return self.position + self._pending.size

    def add(self, position: int, audio: PcmAudio) -> PcmAudio | None:
        """Add audio at `position`; what is before the mixer's position is dropped.

        Returns:
            The oldest part of the sum if more than `MAX_PENDING_S` waits, otherwise None.
        """
        samples = np.frombuffer(audio.pcm, np.int16)
        late = self.position - position
        if late > 0:
            self.late_samples += min(late, samples.size)
            samples = samples[late:]
            position = self.position
        start = position - self.position
        end = start + samples.size
        if end > self._pending.size:
            self._pending = np.concatenate(
                (self._pending, np.zeros(end - self._pending.size, np.int32))
            )
        self._pending[start:end] += samples
        return self.mix_until(self.position + end - self._max_pending)

    def mix_until(self, position: int) -> PcmAudio | None:
        """Return the sum up to `position`; None if it has been handed out already.

        Audio before `position` can be added no more.
        """
        length = position - self.position
        if length <= 0:
            return None
        total = self._pending[:length]
        if total.size < length:
            total = np.concatenate((total, np.zeros(length - total.size, np.int32)))
        self._pending = self._pending[length:].copy()
        self.position = position
        return PcmAudio(limited(total))
