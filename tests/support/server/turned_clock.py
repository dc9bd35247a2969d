"""A clock that is turned by hand, from one thing that is due to the next."""

from __future__ import annotations

import asyncio

from airslice.application.delivery.courier import Courier
from tests.support.stages.stage import HandClock


class TurnedClock(HandClock):
    """Time passes up to a moment, or to whatever is due before."""

    def turn_until(self, until_ns: int) -> None:
        """Let time pass."""
        self.now_ns = min(until_ns, max(self.now_ns, min(self._alarms_ns, default=until_ns)))

    async def pass_time(self, courier: Courier, seconds: float) -> None:
        """Let so much time pass, with all the tries that are due in it."""
        until_ns = self.now_ns + round(seconds * 1e9)
        while True:
            while courier.under_way or not courier.is_resting or self.alarm_is_over:
                await asyncio.sleep(0.001)
            if self.now_ns >= until_ns:
                return
            self.turn_until(until_ns)
