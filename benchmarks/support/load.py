"""The load: N publishers in a process of their own.

Reads its orders as JSON from the standard input (`Orders`), prints a line once all publishers
have joined, speaks until SIGTERM, then prints what it did as JSON (`Report`).
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from itertools import count

import aiohttp
import msgspec
import uvloop

from benchmarks.support.publisher import Identity, Publisher
from benchmarks.support.speech import speech_packets

PACKET_NS = 20_000_000
WAKE_S = 0.001
REPORT_ROUNDS = 250
CHECK_ROUNDS = 125
"""Sender reports each 5 s, consent checks each 2.5 s, as browsers send them."""

JOIN_INTERVAL_S = 0.020
"""Joins are spread, and with them the ends of slices: 300 within 6 s."""


class Place(msgspec.Struct, frozen=True):
    """Where one publisher joins."""

    endpoint: str
    token: str


class Orders(msgspec.Struct, frozen=True):
    """What to do."""

    places: list[Place]
    slice_s: int


class Report(msgspec.Struct, frozen=True):
    """What was done."""

    sent_packets: int
    late_p99_ms: float
    """How late packets were sent."""
    late_max_ms: float
    slice_ends_ns: list[list[int]]
    """Of each publisher, when the last packet of each slice was sent; wall clock."""


class Load:
    """Publishers and the clock that paces them, each at its own phase of the 20 ms."""

    def __init__(self, orders: Orders) -> None:
        identity, speech = Identity(), speech_packets()
        self._places = orders.places
        self._publishers = [
            Publisher(
                identity,
                speech,
                begin=number * 97,
                packets_per_slice=orders.slice_s * 1_000_000_000 // PACKET_NS,
            )
            for number in range(len(orders.places))
        ]
        self._late_ns: list[int] = []

    async def join(self) -> None:
        """Join one after another; those that have joined speak."""
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as joining:
            for publisher, place in zip(self._publishers, self._places, strict=True):
                joining.create_task(publisher.join(http, place.endpoint, place.token))
                await asyncio.sleep(JOIN_INTERVAL_S)

    async def speak(self) -> None:
        """Send each packet when it is due, until cancelled."""
        publishers = self._publishers
        step_ns = PACKET_NS // len(publishers)
        begun_ns = time.monotonic_ns()
        for number in count():
            due_ns = begun_ns + number * PACKET_NS
            for phase, publisher in enumerate(publishers):
                while (late_ns := time.monotonic_ns() - due_ns) < 0:
                    await asyncio.sleep(WAKE_S)
                if publisher.is_live:
                    publisher.send_packet()
                    self._late_ns.append(late_ns)
                    if (number + phase) % REPORT_ROUNDS == 0:
                        publisher.send_report()
                    if (number + phase) % CHECK_ROUNDS == 0:
                        publisher.send_check()
                due_ns += step_ns

    def forget_lateness(self) -> None:
        """Count how late packets are from now on: joining is work of another kind."""
        self._late_ns.clear()

    def leave(self) -> Report:
        """End all sessions."""
        for publisher in self._publishers:
            publisher.close()
        late_ns = sorted(self._late_ns) or [0]
        return Report(
            sent_packets=sum(publisher.sent_packets for publisher in self._publishers),
            late_p99_ms=late_ns[len(late_ns) * 99 // 100] / 1e6,
            late_max_ms=late_ns[-1] / 1e6,
            slice_ends_ns=[publisher.slice_ends_ns for publisher in self._publishers],
        )


async def main() -> None:
    """Carry out the orders on the standard input."""
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    load = Load(orders)
    speaking = asyncio.create_task(load.speak())
    await load.join()
    load.forget_lateness()
    print("joined", flush=True)
    await stop.wait()
    speaking.cancel()
    print(msgspec.json.encode(load.leave()).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
