"""The engine over real sockets, against aiortc and against a publisher made by hand."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket, RtpPacket

from airslice.application.ports.media import MediaEngine, MediaSession, StreamSink
from airslice.domain.room_event import EndReason
from airslice.engines.embedded import EmbeddedEngine, srtp
from airslice.engines.embedded.engine import TICK_INTERVAL_S, hosts_of
from airslice.engines.embedded.session import Session
from airslice.engines.embedded.stats import Drop
from tests.support.clients.raw_publisher import PAYLOAD_TYPE, PROFILES, RawPublisher, rtp
from tests.support.clock import PushedClock
from tests.support.stages.observers import RecordingSink
from tests.support.waiting import until

S = 10**9


@pytest.fixture
def peer() -> Iterator[RawPublisher]:
    with RawPublisher() as peer:
        yield peer


@pytest.fixture
async def connection() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection()
    yield connection
    await connection.close()


async def connect(peer: RawPublisher, engine: EmbeddedEngine, sink: RecordingSink) -> Session:
    session = engine.open(peer.offer(), sink)
    await peer.connect(session.answer)
    return session


async def heard_after(session: Session, heard_ns: int) -> None:
    await until(lambda: session.heard_ns > heard_ns)
    await asyncio.sleep(1.2 * TICK_INTERVAL_S)  # what is not to happen cannot be awaited


async def drop_of(engine: EmbeddedEngine, reason: Drop, count: int = 1) -> None:
    await until(lambda: engine.stats().dropped.get(reason, 0) == count)


async def publish(
    connection: RTCPeerConnection, engine: EmbeddedEngine, sink: RecordingSink
) -> list[RtpPacket]:
    """Publish by aiortc; return the list that what it sends goes to."""
    sender = connection.addTrack(AudioStreamTrack())
    await connection.setLocalDescription(await connection.createOffer())
    session = engine.open(connection.localDescription.sdp, sink)
    sent: list[RtpPacket] = []
    transport = sender.transport
    original = transport._send_rtp

    async def remember(data: bytes) -> None:
        if data[1] & 0x7F < 64 or data[1] & 0x7F > 95:
            sent.append(RtpPacket.parse(data, transport._rtp_header_extensions_map))
        await original(data)

    transport._send_rtp = remember  # type: ignore[method-assign]
    await connection.setRemoteDescription(RTCSessionDescription(session.answer, "answer"))
    return sent


def test_it_is_what_the_ports_ask_for(engine: EmbeddedEngine) -> None:
    media_engine: MediaEngine = engine
    open_session: Callable[[str, StreamSink], MediaSession] = engine.open

    assert media_engine.open == open_session


async def test_what_aiortc_sends_arrives_as_it_was_sent(
    engine: EmbeddedEngine, sink: RecordingSink, connection: RTCPeerConnection
) -> None:
    sent = await publish(connection, engine, sink)
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


async def test_closing_a_session_tells_the_peer(
    engine: EmbeddedEngine, sink: RecordingSink, connection: RTCPeerConnection
) -> None:
    await publish(connection, engine, sink)
    await until(lambda: sink.all_packets)
    assert engine._switchboard is not None
    (session,) = engine._switchboard._ufrags

    session.close()
    session.close()

    assert sink.ends == 1
    await until(lambda: connection.connectionState == "closed")


@pytest.mark.parametrize("profile", PROFILES)
async def test_either_protection_profile_works(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher, profile: bytes
) -> None:
    peer.profiles = profile
    await connect(peer, engine, sink)
    peer.send_rtp(rtp(1, level=42))
    await until(lambda: sink.all_packets)

    assert sink.all_packets[0]._replace(arrival_ns=0) == (1, 960, 0, 42, b"opus")


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


async def test_a_certificate_other_than_the_offers_gets_no_keys(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    with RawPublisher() as other:
        peer.fingerprint = other.fingerprint
    session = engine.open(peer.offer(), sink)
    await peer.connect(session.answer)
    peer.send_rtp(rtp(1))

    await until(lambda: sink.ends)
    await drop_of(engine, Drop.UNBOUND_ADDRESS)

    assert sink.packets == {}
    assert not session.has_keys


async def test_a_lost_flight_of_the_handshake_is_sent_again(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    peer.read_answer(engine.open(peer.offer(), sink).answer)
    await peer.bind()
    peer.flights_to_lose = 1
    await peer.shake_hands()
    peer.send_rtp(rtp(1))

    await until(lambda: sink.all_packets)


async def test_a_replayed_packet_is_dropped(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    await connect(peer, engine, sink)
    packet = peer.protect(rtp(1))
    peer.send(packet)
    peer.send(packet)

    await drop_of(engine, Drop.REPLAYED)

    assert len(sink.all_packets) == 1


async def test_the_librarys_public_calls_serve_where_its_handle_does_not(
    engine: EmbeddedEngine,
    sink: RecordingSink,
    peer: RawPublisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(srtp, "IN_PLACE", False)
    await connect(peer, engine, sink)
    packet = peer.protect(rtp(1))
    for datagram in (packet, packet, packet[:-1] + b"?", b"\x80" + bytes(1800)):
        peer.send(datagram)
    peer.send_rtcp(sender_report(packet_ssrc := 0x11223344, 1 << 63))
    await until(lambda: sink.reports)

    assert [packet.payload for packet in sink.packets[packet_ssrc]] == [b"opus"]
    assert engine.stats().dropped == {
        Drop.REPLAYED: 2,  # the forged one has the number of the one before
        Drop.UNAUTHENTIC_MEDIA: 1,
    }


async def test_a_forged_packet_is_dropped(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    await connect(peer, engine, sink)
    packet = bytearray(peer.protect(rtp(1)))
    packet[-1] ^= 1
    peer.send(bytes(packet))
    peer.send(bytes(packet[:20]))
    peer.send(b"\x80\xc8\0\1" + bytes(30))

    await drop_of(engine, Drop.UNAUTHENTIC_MEDIA, 3)

    assert sink.packets == {}


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


def sender_report(ssrc: int, ntp: int) -> bytes:
    info = RtcpSenderInfo(ntp_timestamp=ntp, rtp_timestamp=960, packet_count=1, octet_count=1)
    return bytes(RtcpSrPacket(ssrc=ssrc, sender_info=info, reports=[]))


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


async def test_a_peer_that_moves_is_followed(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher, clock: PushedClock
) -> None:
    await connect(peer, engine, sink)
    peer.send_rtp(rtp(1))
    peer.move()
    peer.send_rtp(rtp(2))
    await drop_of(engine, Drop.UNBOUND_ADDRESS)
    await peer.bind()
    peer.send_rtp(rtp(3))
    await until(lambda: len(sink.all_packets) == 2)

    clock.pushed_ns += 5 * S

    assert [packet.sequence for packet in sink.all_packets] == [1, 3]
    assert await peer.receive_rtcp()


async def test_an_ice_restart_keeps_the_media(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher
) -> None:
    session = await connect(peer, engine, sink)
    peer.send_rtp(rtp(1))
    old_check = peer.check()
    peer.ufrag = "restarted"

    fragment = session.restart(f"a=mid:0\r\na=ice-ufrag:restarted\r\na=ice-pwd:{'p' * 24}\r\n")
    peer.send(old_check)
    assert (await peer.receive())[:2] == b"\1\1", "the old credentials last until the new are used"
    peer.read_answer(fragment)
    peer.move()
    await peer.bind()
    peer.send_rtp(rtp(2))
    peer.send(old_check)

    await drop_of(engine, Drop.UNAUTHENTIC_CHECK)
    await until(lambda: len(sink.all_packets) == 2)
    assert len(sink.packets) == 1


async def test_a_peer_that_is_gone_for_15_seconds_is_ended(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher, clock: PushedClock
) -> None:
    session = await connect(peer, engine, sink)
    for sign_of_life in (peer.check(), peer.protect(rtp(1))):
        clock.pushed_ns += 14 * S
        heard_ns = session.heard_ns
        peer.send(sign_of_life)
        await heard_after(session, heard_ns)
    assert sink.ends == 0

    clock.pushed_ns += 14 * S
    packet = bytearray(peer.protect(rtp(2)))
    packet[-1] ^= 1
    peer.send(bytes(packet))  # proves nothing
    await drop_of(engine, Drop.UNAUTHENTIC_MEDIA)
    clock.pushed_ns += 2 * S

    await until(lambda: sink.ends)

    assert sink.end_reasons == [EndReason.LOST]


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
