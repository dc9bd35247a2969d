"""What listeners are sent, over real sockets, to aiortc and to a listener made by hand."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import (
    HeaderExtensionsMap,
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
    RtpPacket,
)
from aiortc.sdp import SessionDescription

from airslice.application.ports.media import ListeningEngine
from airslice.domain.errors import OfferRefused, ServerFull
from airslice.domain.room_event import EndReason
from airslice.engines.embedded import EmbeddedEngine
from airslice.engines.embedded.engine import TICK_INTERVAL_S
from airslice.engines.embedded.sending import ListenerSession
from airslice.engines.embedded.session import CONSENT_NS, REPORT_INTERVAL_NS
from airslice.engines.embedded.stats import Drop
from airslice.slicing.outgoing_packet import OutgoingPacket
from airslice.slicing.packets import LEVEL_UNKNOWN
from tests.support.clients.raw_publisher import LEVEL_ID, PAYLOAD_TYPE, RawPublisher
from tests.support.clock import PushedClock
from tests.support.stages.observers import RecordingSink
from tests.support.waiting import until

NTP_EPOCH_S = 2_208_988_800
MAX_LISTENERS = 3


@pytest.fixture
async def engine(clock: PushedClock) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(("127.0.0.1", 0), [], clock, 2, MAX_LISTENERS)
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
def peer() -> Iterator[RawPublisher]:
    with RawPublisher() as peer:
        yield peer


@pytest.fixture
def ends() -> list[EndReason]:
    return []


async def connect(
    peer: RawPublisher, engine: EmbeddedEngine, ends: list[EndReason]
) -> ListenerSession:
    listener = engine.listen(peer.offer("recvonly"), ends.append)
    await peer.connect(listener.answer)
    await until(lambda: listener.session.has_keys)
    return listener


def outgoing(number: int, clock: PushedClock, **changes: Any) -> OutgoingPacket:
    packet = OutgoingPacket(
        sequence=number & 0xFFFF,
        timestamp=number * 960 & 0xFFFF_FFFF,
        marker=False,
        level=LEVEL_UNKNOWN,
        captured_ns=clock.monotonic_ns(),
        payload=b"opus %d" % number,
    )
    return packet._replace(**changes)


def test_it_is_what_the_ports_ask_for(engine: EmbeddedEngine) -> None:
    listening_engine: ListeningEngine = engine

    assert listening_engine.listen == engine.listen


async def test_the_answer_sends_one_stream_and_nothing_else(engine: EmbeddedEngine) -> None:
    connection = RTCPeerConnection()
    for kind in ("video", "audio", "audio"):
        connection.addTransceiver(kind, direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())

    answer = engine.listen(connection.localDescription.sdp, lambda _: None).answer
    await connection.close()

    video, audio, other = SessionDescription.parse(answer).media
    assert (video.port, other.port) == (0, 0)
    assert (video.direction, audio.direction, other.direction) == (
        "inactive",
        "sendonly",
        "inactive",
    )
    assert len(audio.ssrc) == 1
    assert audio.ssrc[0].cname
    assert audio.msid == audio.ssrc[0].msid
    assert audio.dtls is not None
    assert audio.dtls.role == "server"


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_who_receives_nothing_cannot_listen(
    engine: EmbeddedEngine, peer: RawPublisher, direction: str
) -> None:
    with pytest.raises(OfferRefused, match=f"{direction}: it receives nothing"):
        engine.listen(peer.offer(direction), lambda _: None)


async def test_packets_arrive_as_they_were_given(
    engine: EmbeddedEngine, peer: RawPublisher, clock: PushedClock, ends: list[EndReason]
) -> None:
    listener = await connect(peer, engine, ends)
    extensions = HeaderExtensionsMap()
    level_uri = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    level_extension = RTCRtpHeaderExtensionParameters(id=LEVEL_ID, uri=level_uri)
    extensions.configure(RTCRtpParameters(headerExtensions=[level_extension]))
    (ssrc,) = {entry.ssrc for entry in SessionDescription.parse(listener.answer).media[0].ssrc}

    for packet in (
        outgoing(65_535, clock, marker=True),
        outgoing(3, clock, level=37),  # two were lost before
        outgoing(2, clock),
    ):
        listener.send(packet)
        received = RtpPacket.parse(await peer.receive_rtp(), extensions)
        assert received.ssrc == ssrc
        assert received.payload_type == PAYLOAD_TYPE
        assert received.sequence_number == packet.sequence
        assert received.timestamp == packet.timestamp
        assert received.marker == packet.marker
        assert received.payload == packet.payload
        level = received.extensions.audio_level
        assert level == (None if packet.level == LEVEL_UNKNOWN else (False, packet.level))


async def test_aiortc_receives(
    engine: EmbeddedEngine, clock: PushedClock, ends: list[EndReason]
) -> None:
    connection = RTCPeerConnection()
    receiver = connection.addTransceiver("audio", direction="recvonly").receiver
    received: list[bytes] = []

    async def keep(packet: RtpPacket, arrival_time_ms: int) -> None:
        del arrival_time_ms
        received.append(packet.payload)

    receiver._handle_rtp_packet = keep  # type: ignore[method-assign]
    await connection.setLocalDescription(await connection.createOffer())
    listener = engine.listen(connection.localDescription.sdp, ends.append)
    await connection.setRemoteDescription(RTCSessionDescription(listener.answer, "answer"))
    await until(lambda: connection.connectionState == "connected")
    await until(lambda: listener.session.has_keys)

    sent = [outgoing(number, clock) for number in range(50)]
    for packet in sent:
        listener.send(packet)
    await until(lambda: len(received) == 50)
    await connection.close()

    assert received == [packet.payload for packet in sent]
    await until(lambda: ends == [EndReason.LEFT])
    assert engine.stats().listeners == 0


async def test_nothing_is_sent_before_the_keys_or_after_the_end(
    engine: EmbeddedEngine, peer: RawPublisher, clock: PushedClock, ends: list[EndReason]
) -> None:
    listener = engine.listen(peer.offer("recvonly"), ends.append)
    listener.send(outgoing(1, clock))
    peer.read_answer(listener.answer)
    await peer.bind()
    listener.send(outgoing(2, clock))
    await peer.shake_hands()
    await until(lambda: listener.session.has_keys)
    listener.send(outgoing(3, clock))
    listener.close()
    listener.send(outgoing(4, clock))

    assert RtpPacket.parse(await peer.receive_rtp()).sequence_number == 3
    rest = []
    with contextlib.suppress(TimeoutError):
        while True:
            rest.append(await peer.receive(0.2))
    assert not [datagram for datagram in rest if datagram[1] & 0x7F == PAYLOAD_TYPE]
    assert ends == [EndReason.LOST]


async def test_sender_reports_say_when_samples_were_captured(
    engine: EmbeddedEngine, peer: RawPublisher, clock: PushedClock, ends: list[EndReason]
) -> None:
    """The first comes with the first packet, others every 5 s: all on one line."""
    listener = await connect(peer, engine, ends)
    late_ns = 70_000_000
    captured_ns = clock.monotonic_ns() - late_ns
    utc_minus_monotonic_ns = clock.utc_ns() - clock.monotonic_ns()
    listener.send(outgoing(10, clock, captured_ns=captured_ns))
    reports = [await report(peer)]
    for number in (11, 12):
        listener.send(outgoing(number, clock, captured_ns=captured_ns + (number - 10) * 20_000_000))
    for _ in range(2):
        clock.pushed_ns += REPORT_INTERVAL_NS
        utc_minus_monotonic_ns -= REPORT_INTERVAL_NS  # the wall clock was not pushed
        reports.append(await report(peer))
        info = reports[-1].sender_info
        reported_ns = (info.ntp_timestamp * 10**9 >> 32) - NTP_EPOCH_S * 10**9
        since_ns = (info.rtp_timestamp - 10 * 960) * 10**9 // 48_000
        at_ns = captured_ns + since_ns
        assert abs(reported_ns - (at_ns + utc_minus_monotonic_ns)) < 1_000_000

    assert [r.sender_info.packet_count for r in reports] == [1, 3, 3]
    assert reports[1].sender_info.octet_count == 3 * len(b"opus 10")
    assert len({r.ssrc for r in reports}) == 1


async def report(peer: RawPublisher) -> RtcpSrPacket:
    """Return the next sender report, which must be followed by its CNAME."""
    sender, description = RtcpPacket.parse(await peer.receive_rtcp())
    assert isinstance(sender, RtcpSrPacket)
    assert isinstance(description, RtcpSdesPacket)
    assert description.chunks[0].ssrc == sender.ssrc
    return sender


async def test_a_listener_who_is_silent_for_too_long_is_gone(
    engine: EmbeddedEngine, peer: RawPublisher, clock: PushedClock, ends: list[EndReason]
) -> None:
    await connect(peer, engine, ends)

    clock.pushed_ns += CONSENT_NS
    await until(lambda: ends)

    assert ends == [EndReason.LOST]
    assert engine.stats().listeners == 0


async def test_receiver_reports_show_that_a_listener_is_there(
    engine: EmbeddedEngine, peer: RawPublisher, clock: PushedClock, ends: list[EndReason]
) -> None:
    listener = await connect(peer, engine, ends)
    (ssrc,) = {entry.ssrc for entry in SessionDescription.parse(listener.answer).media[0].ssrc}
    block = RtcpReceiverInfo(
        ssrc=ssrc, fraction_lost=3, packets_lost=-2, highest_sequence=9, jitter=0, lsr=0, dlsr=0
    )

    for _ in range(3):
        clock.pushed_ns += CONSENT_NS // 2
        heard_ns = listener.session.heard_ns
        peer.send_rtcp(bytes(RtcpRrPacket(ssrc=7, reports=[block])))
        await until(lambda heard_ns=heard_ns: listener.session.heard_ns > heard_ns)  # type: ignore[misc]

    await asyncio.sleep(1.2 * TICK_INTERVAL_S)
    assert ends == []


async def test_checks_show_it_too(
    engine: EmbeddedEngine, peer: RawPublisher, clock: PushedClock, ends: list[EndReason]
) -> None:
    await connect(peer, engine, ends)

    for _ in range(3):
        clock.pushed_ns += CONSENT_NS // 2
        await peer.bind()

    await asyncio.sleep(1.2 * TICK_INTERVAL_S)
    assert ends == []


async def test_a_lost_flight_of_the_handshake_is_sent_again(
    engine: EmbeddedEngine, peer: RawPublisher, clock: PushedClock, ends: list[EndReason]
) -> None:
    listener = engine.listen(peer.offer("recvonly"), ends.append)
    peer.read_answer(listener.answer)
    await peer.bind()
    peer.flights_to_lose = 1
    await peer.shake_hands()
    await until(lambda: listener.session.has_keys)

    listener.send(outgoing(1, clock))

    assert RtpPacket.parse(await peer.receive_rtp()).payload == b"opus 1"


async def test_a_listener_goes_on_from_another_address_after_an_ice_restart(
    engine: EmbeddedEngine, peer: RawPublisher, clock: PushedClock, ends: list[EndReason]
) -> None:
    listener = await connect(peer, engine, ends)
    peer.ufrag = "renewed"
    fragment = f"a=ice-ufrag:{peer.ufrag}\r\na=ice-pwd:{peer.password}\r\n"
    peer.read_answer(listener.restart(fragment))
    peer.move()
    await peer.bind()

    listener.send(outgoing(1, clock))

    assert RtpPacket.parse(await peer.receive_rtp()).payload == b"opus 1"


async def test_what_a_listener_says_is_dropped(
    engine: EmbeddedEngine, peer: RawPublisher, ends: list[EndReason]
) -> None:
    await connect(peer, engine, ends)
    peer.send_rtp(struct.pack("!BBHII", 0x80, PAYLOAD_TYPE, 1, 960, 1) + b"opus")
    peer.send(b"\x80\xc9\0\1" + bytes(30))

    await until(lambda: engine.stats().dropped.get(Drop.UNAUTHENTIC_MEDIA))

    assert engine.stats().dropped == {Drop.UNASKED: 1, Drop.UNAUTHENTIC_MEDIA: 1}
    assert ends == []


async def test_the_ssrcs_that_report_are_bounded(
    engine: EmbeddedEngine, peer: RawPublisher, ends: list[EndReason]
) -> None:
    await connect(peer, engine, ends)

    for ssrc in range(6):
        peer.send_rtcp(bytes(RtcpRrPacket(ssrc=ssrc)))

    await until(lambda: engine.stats().dropped == {Drop.SOURCE_LIMIT: 2})


def test_listeners_are_bounded_and_leave_publishers_their_places(
    engine: EmbeddedEngine, peer: RawPublisher, sink: RecordingSink
) -> None:
    for _ in range(MAX_LISTENERS):
        engine.listen(peer.offer("recvonly"), lambda _: None)
    with pytest.raises(ServerFull):
        engine.listen(peer.offer("recvonly"), lambda _: None)

    engine.open(peer.offer(), sink)
    engine.open(peer.offer(), sink).close()
    engine.open(peer.offer(), sink)
    with pytest.raises(ServerFull):
        engine.open(peer.offer(), sink)

    assert engine.stats().sessions == 2
    assert engine.stats().listeners == MAX_LISTENERS
    assert engine.stats().handshaking == 2 + MAX_LISTENERS
