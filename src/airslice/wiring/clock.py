"""The machine's clocks."""

from __future__ import annotations

import time


class SystemClock:
    """The machine's clocks (port `Clock`)."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds on a clock that never steps."""
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        """Return nanoseconds since the Unix epoch."""
        return time.time_ns()
