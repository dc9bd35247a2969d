"""Peers of the embedded engine, and what they wait for."""

from __future__ import annotations

import asyncio

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from aiortc.rtp import RtcpSenderInfo, RtcpSrPacket, RtpPacket

from airslice.engines.embedded import EmbeddedEngine
from airslice.engines.embedded.engine import TICK_INTERVAL_S
from airslice.engines.embedded.session import Session
from airslice.engines.embedded.stats import Drop
from tests.support.clients.raw_publisher import RawPublisher
from tests.support.stages.observers import RecordingSink
from tests.support.waiting import until

S = 10**9


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
) -> tuple[Session, list[RtpPacket]]:
    """Publish by aiortc; return the session, and the list that what is sent goes to."""
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
    return session, sent


def sender_report(ssrc: int, ntp: int) -> bytes:
    info = RtcpSenderInfo(ntp_timestamp=ntp, rtp_timestamp=960, packet_count=1, octet_count=1)
    return bytes(RtcpSrPacket(ssrc=ssrc, sender_info=info, reports=[]))
