"""The one clock of simulated time, and the machine's own with a hand on it."""

from __future__ import annotations

import asyncio
import time

START_NS = 5_000_000_000
UTC_START_MS = 1_700_000_005_000


class HandClock:
    """Time passes when a test says so (port `Clock`)."""

    def __init__(self, *, now_ns: int = START_NS, utc_ms: int = UTC_START_MS) -> None:
        """Stand still.

        Args:
            now_ns: What the monotonic clock shows.
            utc_ms: What the wall clock shows.
        """
        self._now_ns = now_ns
        self.utc_minus_monotonic_ns = utc_ms * 1_000_000 - now_ns
        self._alarms: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def now_ns(self) -> int:
        """What the monotonic clock shows; whoever slept until then wakes up when it is set."""
        return self._now_ns

    @now_ns.setter
    def now_ns(self, now_ns: int) -> None:
        self._now_ns = now_ns
        for alarm_ns, rings in self._alarms:
            if alarm_ns <= now_ns and not rings.done():
                rings.set_result(None)

    def monotonic_ns(self) -> int:
        return self._now_ns

    def utc_ns(self) -> int:
        return self._now_ns + self.utc_minus_monotonic_ns

    @property
    def utc_ms(self) -> int:
        """What the wall clock shows, in milliseconds."""
        return self.utc_ns() // 1_000_000

    def turn(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now_ns += round(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        """Return when so many seconds of this clock are over."""
        alarm = (self._now_ns + round(seconds * 1e9), asyncio.get_running_loop().create_future())
        self._alarms.append(alarm)
        try:
            if alarm[0] <= self._now_ns:
                await asyncio.sleep(0)
            else:
                await alarm[1]
        finally:
            self._alarms.remove(alarm)

    @property
    def sleepers(self) -> int:
        """How many sleep."""
        return len(self._alarms)

    @property
    def alarm_is_over(self) -> bool:
        """Whether somebody still sleeps who is about to wake up."""
        return any(alarm_ns <= self._now_ns for alarm_ns, _ in self._alarms)

    def turn_to_next_alarm(self, at_most_ns: int | None = None) -> None:
        """Let the time pass for which everybody sleeps, or up to `at_most_ns` if that is earlier;
        none, if nobody sleeps and no limit is given."""
        default_ns = self._now_ns if at_most_ns is None else at_most_ns
        next_ns = min((alarm_ns for alarm_ns, _ in self._alarms), default=default_ns)
        if at_most_ns is not None:
            next_ns = min(next_ns, at_most_ns)
        self.now_ns = max(self._now_ns, next_ns)


class PushedClock:
    """The machine's clocks, and a hand that pushes the monotonic one forward."""

    def __init__(self) -> None:
        self.pushed_ns = 0

    def monotonic_ns(self) -> int:
        return time.monotonic_ns() + self.pushed_ns

    def utc_ns(self) -> int:
        return time.time_ns()
