"""Measure the CPU time of receiving one packet: system call, SRTP, parsing and hand-over.

Publishers over loopback, in this process. Their packets are protected beforehand; only the
engine's own work is timed, in CPU time. From the repository's root:

    PYTHONPATH=src:. python benchmarks/receive_path.py
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable

from airslice.domain.room_event import EndReason
from airslice.engines.embedded import EmbeddedEngine
from airslice.engines.embedded.srtp import IN_PLACE
from airslice.slicing.packets import RtpPacket, SenderReport
from tests.support.clients.raw_publisher import RawPublisher, rtp
from tests.support.clock import PushedClock

PAYLOAD = bytes(74)  # speech at 32 kbit/s
POLLS = 400


class Discard:
    """A sink that keeps nothing."""

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        return bool

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        """Take it."""

    def ended(self, reason: EndReason = EndReason.LOST) -> None:
        """Nothing more comes."""


async def measure(publishers: int) -> None:
    """Print microseconds per packet where each poll finds one packet of each publisher."""
    engine = EmbeddedEngine(("127.0.0.1", 0), [], PushedClock(), publishers)
    await engine.start()
    peers = []
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(publishers):
        peer = RawPublisher()
        await peer.connect(engine.open(peer.offer(), Discard()).answer)
        peers.append(peer)
    # A client and its server side, of which the server's is less than half.
    pair_kib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / publishers
    packets = [
        [peer.protect(rtp(sequence, payload=PAYLOAD, level=42)) for peer in peers]
        for sequence in range(POLLS)
    ]
    spent_ns = []
    received_before = engine.stats().datagrams
    for burst in packets:
        for peer, packet in zip(peers, burst, strict=True):
            peer.send(packet)
        start_ns = time.thread_time_ns()
        engine._drain()
        spent_ns.append(time.thread_time_ns() - start_ns)
    received = engine.stats().datagrams - received_before
    mean_us = sum(spent_ns) / received / 1000
    median_us = sorted(spent_ns)[POLLS // 2] / publishers / 1000
    print(
        f"{publishers:4} streams: mean {mean_us:.2f}, median {median_us:.2f} us per packet; "
        f"{received} of {publishers * POLLS} received; {pair_kib:.0f} KiB per pair of peers"
    )
    await engine.close()
    for peer in peers:
        peer.socket.close()


if __name__ == "__main__":
    print(f"SRTP in place: {IN_PLACE}")
    for number in (300, 100, 10):
        asyncio.run(measure(number))
