"""The machine's clocks, as the use cases read them."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The two clocks of the machine."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on a clock that never steps."""

    def utc_ns(self) -> int:
        """Nanoseconds since the Unix epoch on the wall clock, which may step."""
