"""A session from its offer to its end: handshakes, moves, restarts, silence."""

from __future__ import annotations

from aiortc import RTCPeerConnection

from airslice.domain.room_event import EndReason
from airslice.engines.embedded import EmbeddedEngine
from airslice.engines.embedded.stats import Drop
from tests.support.clients.raw_publisher import RawPublisher, rtp
from tests.support.clock import PushedClock
from tests.support.stages.engine_peers import S, connect, drop_of, heard_after, publish
from tests.support.stages.observers import RecordingSink
from tests.support.waiting import until


async def test_closing_a_session_tells_the_peer(
    engine: EmbeddedEngine, sink: RecordingSink, connection: RTCPeerConnection
) -> None:
    session, _ = await publish(connection, engine, sink)
    await until(lambda: sink.all_packets)

    session.close()
    session.close()

    assert sink.ends == 1
    await until(lambda: connection.connectionState == "closed")


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
