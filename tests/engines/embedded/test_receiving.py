"""What becomes of a publisher's packets: passed on, counted, or dropped."""

from __future__ import annotations

import random
import struct
from typing import Any

from aiortc.rtp import RtcpPacket, RtcpRrPacket

from airslice.engines.embedded import EmbeddedEngine
from airslice.engines.embedded.stats import Drop
from tests.support.clients.raw_publisher import PAYLOAD_TYPE, RawPublisher, rtp
from tests.support.clock import PushedClock
from tests.support.stages.engine_peers import S, connect, drop_of, sender_report
from tests.support.stages.observers import RecordingSink
from tests.support.waiting import until


async def test_media_before_the_keys_is_dropped(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    peer.read_answer(engine.open(peer.offer(), sink).answer)
    await peer.bind()
    peer.send(rtp(1))
    peer.send(b"\x80\xc8\0\1" + bytes(30))

    await drop_of(engine, Drop.BEFORE_KEYS, 2)


async def test_garbage_among_the_packets_changes_nothing(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    generator = random.Random(1)
    await connect(peer, engine, sink)
    for number in range(200):
        peer.send(generator.randbytes(generator.randrange(1, 1400)))
        peer.send_rtp(rtp(number))

    await until(lambda: len(sink.all_packets) == 200)

    assert Drop.FAILED not in engine.stats().dropped
    assert [packet.sequence for packet in sink.all_packets] == list(range(200))


async def test_only_the_negotiated_payload_is_passed_on(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    await connect(peer, engine, sink)
    peer.send_rtp(rtp(1, payload_type=PAYLOAD_TYPE + 1))
    peer.send_rtp(rtp(2, payload=b""))
    peer.send_rtp(rtp(3))
    await until(lambda: sink.all_packets)

    assert [packet.sequence for packet in sink.all_packets] == [3]
    assert engine.stats().dropped == {Drop.PAYLOAD_TYPE: 1}


async def test_each_ssrc_is_a_source_and_their_number_is_bounded(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    await connect(peer, engine, sink)
    for ssrc in range(1, 13):
        peer.send_rtp(rtp(1, ssrc=ssrc))
    peer.send_rtp(rtp(2, ssrc=1))

    await drop_of(engine, Drop.SOURCE_LIMIT, 4)
    await until(lambda: len(sink.all_packets) == 9)

    assert list(sink.packets) == list(range(1, 9))


async def test_reports_of_unknown_sources_and_without_a_clock_are_not_passed_on(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    await connect(peer, engine, sink)
    peer.send_rtp(rtp(1, ssrc=5))
    peer.send_rtcp(sender_report(6, 1 << 63))
    peer.send_rtcp(sender_report(5, 0))
    peer.send_rtcp(sender_report(5, 1 << 63 | 1))
    await until(lambda: sink.reports)

    assert [(ssrc, report.timestamp) for ssrc, report in sink.reports] == [(5, 960)]


async def test_a_goodbye_does_not_end_the_session(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    await connect(peer, engine, sink)
    peer.send_rtp(rtp(1, ssrc=5))
    peer.send_rtcp(struct.pack("!BBHI", 0x81, 203, 1, 5))
    peer.send_rtp(rtp(2, ssrc=5))

    await until(lambda: len(sink.all_packets) == 2)

    assert sink.ends == 0


async def test_receiver_reports_tell_what_was_received(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher, clock: PushedClock
) -> None:
    await connect(peer, engine, sink)
    for number in range(65_500, 65_600):
        if number % 10 != 5:
            peer.send_rtp(rtp(number, ssrc=5))
    await until(lambda: len(sink.all_packets) == 90)
    peer.send_rtcp(sender_report(5, 0x8123_4567_89AB_CDEF))
    await until(lambda: sink.reports)

    clock.pushed_ns += 5 * S
    report = RtcpPacket.parse(await peer.receive_rtcp())[0]

    assert isinstance(report, RtcpRrPacket)
    (block,) = report.reports
    assert block.ssrc == 5
    assert block.packets_lost == 10
    assert block.fraction_lost == 10 * 256 // 100
    assert block.highest_sequence == 65_599
    assert block.lsr == 0x4567_89AB
    assert 5 * 65536 <= block.dlsr < 6 * 65536


class FailingSink(RecordingSink):
    def source(self, ssrc: int) -> Any:
        raise RuntimeError("the sink fails")


async def test_a_sink_that_fails_ends_its_own_session_only(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    failing = FailingSink()
    with RawPublisher() as other:
        await connect(peer, engine, failing)
        await connect(other, engine, sink)
        peer.send_rtp(rtp(1))
        other.send_rtp(rtp(1))
        await until(lambda: sink.all_packets)

    assert failing.ends == 1
    assert engine.stats().dropped == {Drop.FAILED: 1}
