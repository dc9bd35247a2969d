"""Packets that are protected, forged, or sent twice."""

from __future__ import annotations

import pytest

from airslice.engines.embedded import EmbeddedEngine, srtp
from airslice.engines.embedded.stats import Drop
from tests.support.clients.raw_publisher import PROFILES, RawPublisher, rtp
from tests.support.stages.engine_peers import connect, drop_of, sender_report
from tests.support.stages.observers import RecordingSink
from tests.support.waiting import until


@pytest.mark.parametrize("profile", PROFILES)
async def test_either_protection_profile_works(
    engine: EmbeddedEngine, sink: RecordingSink, peer: RawPublisher, profile: bytes
) -> None:
    peer.profiles = profile
    await connect(peer, engine, sink)
    peer.send_rtp(rtp(1, level=42))
    await until(lambda: sink.all_packets)

    assert sink.all_packets[0]._replace(arrival_ns=0) == (1, 960, 0, 42, b"opus")


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
