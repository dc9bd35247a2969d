"""A task's common grid, on which aligned and mixed slices are cut.

How a stream that drifts is kept on it is in `slicing.grid`.
"""

from __future__ import annotations

CUT_GRAIN_HZ = 100
"""Updates cut on multiples of 10 ms: whole in milliseconds, in Opus frames and at every rate, so
that a stream that joins later counts its periods from exactly the same place."""


class TaskGrid:
    """Samples counted from the task's first running moment."""

    def __init__(self, origin_ns: int, rate_hz: int, *, grain: int = 1) -> None:
        """Count samples of `rate_hz` from the moment `origin_ns` (monotonic).

        Slices can begin and end at multiples of `grain` samples.
        """
        self._origin_ns = origin_ns
        self.rate_hz = rate_hz
        self.grain = grain

    def at(self, at_ns: int) -> int:
        """Return the position of a moment (monotonic), in samples, rounded down."""
        return (at_ns - self._origin_ns) * self.rate_hz // 1_000_000_000

    def line_at(self, at_ns: int) -> int:
        """Return the last place before a moment (monotonic) where a slice can begin or end."""
        return self.at(at_ns) // self.grain * self.grain

    def captured_ns(self, position: int) -> int:
        """Return the moment of a position, on the monotonic clock."""
        return self._origin_ns + position * 1_000_000_000 // self.rate_hz

    def cut_at(self, position: int) -> int:
        """Return the first place from `position` on where an update may cut."""
        grain = self.rate_hz // CUT_GRAIN_HZ
        return -(-position // grain) * grain
