from __future__ import annotations

import time

from airslice.wiring.clock import SystemClock


def test_the_clocks_are_the_machines() -> None:
    clock = SystemClock()

    before = (time.monotonic_ns(), time.time_ns())
    read = (clock.monotonic_ns(), clock.utc_ns())
    after = (time.monotonic_ns(), time.time_ns())

    for earliest, reading, latest in zip(before, read, after, strict=True):
        assert earliest <= reading <= latest
