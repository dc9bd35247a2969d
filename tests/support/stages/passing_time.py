"""Letting simulated time pass, from one thing that is due to the next."""

from __future__ import annotations

import asyncio

from airslice.application.delivery.courier import Courier
from tests.support.clock import HandClock


async def pass_time(clock: HandClock, courier: Courier, seconds: float) -> None:
    """Let so much time pass, with all the tries that are due in it."""
    until_ns = clock.now_ns + round(seconds * 1e9)
    while True:
        while courier.under_way or not courier.is_resting or clock.alarm_is_over:
            await asyncio.sleep(0.001)
        if clock.now_ns >= until_ns:
            return
        clock.turn_to_next_alarm(until_ns)
