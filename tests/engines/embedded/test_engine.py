"""The engine over real sockets, against aiortc and against a publisher made by hand."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
from aiortc import RTCPeerConnection

from airslice.application.ports.media import MediaEngine, MediaSession, StreamSink
from airslice.domain.room_event import EndReason
from airslice.engines.embedded import EmbeddedEngine
from airslice.engines.embedded.engine import TICK_INTERVAL_S, hosts_of
from airslice.engines.embedded.stats import Drop
from tests.support.clients.raw_publisher import RawPublisher, rtp
from tests.support.clock import PushedClock
from tests.support.stages.engine_peers import S, connect, drop_of, publish
from tests.support.stages.observers import RecordingSink
from tests.support.waiting import until


def test_it_is_what_the_ports_ask_for(engine: EmbeddedEngine) -> None:
    media_engine: MediaEngine = engine
    open_session: Callable[[str, StreamSink], MediaSession] = engine.open

    assert media_engine.open == open_session


async def test_what_aiortc_sends_arrives_as_it_was_sent(
    engine: EmbeddedEngine, sink: RecordingSink, connection: RTCPeerConnection
) -> None:
    _, sent = await publish(connection, engine, sink)
    await until(lambda: len(sink.all_packets) >= 30)

    ((ssrc, received),) = sink.packets.items()
    for packet, original in zip(received, sent, strict=False):
        assert ssrc == original.ssrc
        assert packet.sequence == original.sequence_number
        assert packet.timestamp == original.timestamp
        assert packet.payload == original.payload
        assert packet.level == original.extensions.audio_level[1]
    assert len(received) <= len(sent)


async def test_packets_carry_the_time_of_their_arrival(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher, clock: PushedClock
) -> None:
    await connect(peer, engine, sink)
    sent_ns = []
    for number in range(20):
        before_ns = clock.monotonic_ns()
        peer.send_rtp(rtp(number))
        sent_ns.append((before_ns, clock.monotonic_ns()))
        await asyncio.sleep(0.002)
    await until(lambda: len(sink.all_packets) == 20)

    errors_ns = [
        max(before_ns - packet.arrival_ns, packet.arrival_ns - after_ns)
        for packet, (before_ns, after_ns) in zip(sink.all_packets, sent_ns, strict=True)
    ]

    assert sorted(errors_ns)[10] < 1_000_000


async def test_what_came_while_the_process_stood_still_keeps_its_time(
    sink: RecordingSink, peer: RawPublisher
) -> None:
    class AllClocks(PushedClock):
        def utc_ns(self) -> int:
            return super().utc_ns() + self.pushed_ns

    clock = AllClocks()
    engine = EmbeddedEngine(("127.0.0.1", 0), [], clock, max_sessions=1)
    await engine.start()
    await connect(peer, engine, sink)

    before_ns = clock.monotonic_ns()
    peer.send_rtp(rtp(1))
    after_ns = clock.monotonic_ns()
    clock.pushed_ns += 30 * S  # as nothing was awaited, nothing was read before
    await until(lambda: len(sink.all_packets) == 1)
    peer.send_rtp(rtp(2))
    await until(lambda: len(sink.all_packets) == 2)
    await asyncio.sleep(2.2 * TICK_INTERVAL_S)
    ends = sink.ends
    await engine.close()

    assert before_ns - S < sink.all_packets[0].arrival_ns < after_ns + S
    assert ends == 0


async def test_aiortcs_sender_reports_arrive(
    engine: EmbeddedEngine, sink: RecordingSink, connection: RTCPeerConnection, clock: PushedClock
) -> None:
    await publish(connection, engine, sink)
    await until(lambda: sink.reports)

    ssrc, report = sink.reports[0]

    assert ssrc in sink.packets
    assert abs(report.utc_ns - clock.utc_ns()) < 5 * S
    assert abs(report.arrival_ns - clock.monotonic_ns()) < 5 * S


async def test_a_closed_connection_ends_the_stream_once(
    engine: EmbeddedEngine, sink: RecordingSink, connection: RTCPeerConnection
) -> None:
    await publish(connection, engine, sink)
    await until(lambda: sink.all_packets)

    await connection.close()
    await until(lambda: sink.ends)
    await engine.close()

    assert sink.end_reasons == [EndReason.LEFT]


async def test_a_publisher_may_come_again(engine: EmbeddedEngine) -> None:
    async def come_and_go() -> None:
        sink = RecordingSink()
        connection = RTCPeerConnection()
        await publish(connection, engine, sink)
        await until(lambda: sink.all_packets)
        await connection.close()
        await until(lambda: sink.ends)

    await come_and_go()
    await come_and_go()

    assert engine.stats().sessions == 0


@pytest.mark.parametrize("host", ["::1", "::"])
async def test_ipv6_works(host: str, sink: RecordingSink, clock: PushedClock) -> None:
    engine = EmbeddedEngine((host, 0), ["::1"], clock, 1)
    try:
        await engine.start()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with RawPublisher(socket.AF_INET6) as peer:
        peer.read_answer(engine.open(peer.offer(), sink).answer)
        response = await peer.bind()
        await peer.shake_hands()
        peer.send_rtp(rtp(1))
        await until(lambda: sink.all_packets)

        assert response.attributes["XOR-MAPPED-ADDRESS"] == ("::1", peer.socket.getsockname()[1])
    await engine.close()


async def test_an_address_in_use_is_not_given_away(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher, clock: PushedClock
) -> None:
    await connect(peer, engine, sink)
    with RawPublisher() as thief:
        thief.read_answer(engine.open(thief.offer(), RecordingSink()).answer)
        peer.send(thief.check())
        await drop_of(engine, Drop.ADDRESS_IN_USE)
        peer.send_rtp(rtp(1))
        await until(lambda: sink.all_packets)

        clock.pushed_ns += 6 * S
        peer.send(thief.check())
        assert (await peer.receive())[:2] == b"\1\1", "its owner was silent"


async def test_closing_the_engine_ends_all_streams(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    await connect(peer, engine, sink)
    await engine.close()
    await engine.close()

    assert sink.end_reasons == [EndReason.SHUTDOWN]
    with pytest.raises(RuntimeError):
        engine.open(peer.offer(), sink)


def test_clients_are_told_an_address_they_can_reach(clock: PushedClock) -> None:
    assert hosts_of("192.0.2.1") == ["192.0.2.1"]
    for host in hosts_of("0.0.0.0") + hosts_of("::"):
        assert host not in ("0.0.0.0", "::")
    with pytest.raises(ValueError, match="does not appear"):
        EmbeddedEngine(("0.0.0.0", 0), ["media.example"], clock, 1)
