"""UTC for instants of the monotonic clock; the clocks themselves are a port."""

from __future__ import annotations

from airslice.application.ports.clock import Clock

_STEP_NS = 20_000_000
"""A wall clock that differs by less was slewed; following each nanosecond of it would give
slices of one moment labels that differ."""


class WallClock:
    """Maps the monotonic clock to UTC, alike for everybody until the wall clock is stepped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ns = clock.utc_ns() - clock.monotonic_ns()

    def monotonic_ns(self) -> int:
        """Return nanoseconds on the clock that never steps."""
        return self._clock.monotonic_ns()

    @property
    def offset_ns(self) -> int:
        """UTC minus monotonic, in nanoseconds, as it is now."""
        before_ns = self._clock.monotonic_ns()
        utc_ns = self._clock.utc_ns()
        # The process may be held up between two readings, which is no step of the wall clock.
        least_ns, most_ns = utc_ns - self._clock.monotonic_ns(), utc_ns - before_ns
        if not least_ns - _STEP_NS <= self._offset_ns <= most_ns + _STEP_NS:
            self._offset_ns = most_ns
        return self._offset_ns

    def utc_ms(self) -> int:
        """Return the time in milliseconds since the Unix epoch."""
        return self._clock.utc_ns() // 1_000_000
