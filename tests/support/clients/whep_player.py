"""A player: aiortc over WHEP. It keeps what it gets as packets, and decodes them by itself.

aiortc's own jitter buffer throws good packets away; its transport, which counts here, does not.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import NamedTuple

import av
import httpx
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket, RtpPacket

from airslice.domain.room_token import Privilege, RoomClaims, mint
from tests.support.audio.slice_audio import Samples
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S

RATE = 48_000
FRAME_SAMPLES = 960
NTP_EPOCH_S = 2_208_988_800


class Heard(NamedTuple):
    """Decoded audio, packets where their timestamps say."""

    samples: Samples
    """Mono, 48 kHz; silence where there was no packet."""
    utc_s: float
    """When the first sample was captured, by the latest sender report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Got:
    """A packet and when it came, on the monotonic clock."""

    packet: RtpPacket
    at_s: float


def listener_token(
    server: RunningServer,
    room: str,
    user: str = "listener",
    *,
    kind: str = "wav",
    privilege: Privilege = Privilege.SUBSCRIBE_STREAM,
    expires_in_s: int = 600,
) -> str:
    """A token with which `user` may listen."""
    app = server.apps[kind]
    now_s = int(time.time())
    return mint(
        RoomClaims(
            room_id=room,
            user_id=user,
            privileges={privilege: now_s + expires_in_s},
            issued_at_s=now_s,
            expires_at_s=now_s + expires_in_s,
        ),
        app_id=app.app_id,
        app_key=app.app_key,
        nonce=secrets.randbits(32),
    )


def whep_url(server: RunningServer, room: str, *, kind: str = "wav", user: str = "") -> str:
    """URL at which a room's listeners arrive."""
    query = f"?user={user}" if user else ""
    return f"{server.base_url}/whep/{server.apps[kind].app_id}/{room}{query}"


class WhepPlayer:
    """Listens to a room."""

    def __init__(self, endpoint: str, token: str) -> None:
        self._endpoint = endpoint
        self._headers = {"Authorization": f"Bearer {token}"}
        self.peer = RTCPeerConnection()
        self.got: list[Got] = []
        self.reports: list[RtcpSrPacket] = []
        self.resource = ""
        self.events = ""
        receiver = self.peer.addTransceiver("audio", direction="recvonly").receiver
        handle_rtp, handle_rtcp = receiver._handle_rtp_packet, receiver._handle_rtcp_packet

        async def keep(packet: RtpPacket, arrival_time_ms: int) -> None:
            self.got.append(Got(packet=packet, at_s=time.monotonic()))
            await handle_rtp(packet, arrival_time_ms)

        async def keep_report(packet: AnyRtcpPacket) -> None:
            if isinstance(packet, RtcpSrPacket):
                self.reports.append(packet)
            await handle_rtcp(packet)

        receiver._handle_rtp_packet = keep  # type: ignore[method-assign]
        receiver._handle_rtcp_packet = keep_report  # type: ignore[method-assign]

    async def start(self, http: httpx.AsyncClient) -> None:
        """Connect."""
        await self.peer.setLocalDescription(await self.peer.createOffer())
        response = await http.post(
            self._endpoint,
            content=self.peer.localDescription.sdp,
            headers={**self._headers, "Content-Type": "application/sdp"},
        )
        assert response.status_code == 201, response.text
        url = httpx.URL(self._endpoint)
        self.resource = str(url.join(response.headers["Location"]))
        self.events = str(url.join(response.links[EVENTS]["url"]))
        await self.peer.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        async with asyncio.timeout(PATIENCE_S):
            while self.peer.connectionState != "connected":
                await asyncio.sleep(0.01)

    async def stop(self, http: httpx.AsyncClient) -> None:
        """Say goodbye."""
        response = await http.delete(self.resource, headers=self._headers)
        assert response.status_code == 200, response.text
        await self.peer.close()

    def place(self, number: int) -> int:
        """The first sample of a packet, among all that are heard."""
        return _ticks(self.got[number].packet.timestamp - self.got[0].packet.timestamp)

    def heard_at_s(self, sample: int) -> float:
        """When the packet came that holds a sample, on the monotonic clock."""
        places = (self.place(number) for number in range(len(self.got)))
        return next(
            got.at_s
            for got, place in zip(self.got, places, strict=True)
            if place + FRAME_SAMPLES > sample
        )

    def heard(self) -> Heard:
        """Decode what has come."""
        first = self.got[0].packet
        decoder = av.AudioCodecContext.create("libopus", "r")
        decoder.sample_rate = RATE
        decoder.layout = "mono"
        decoder.format = "s16"
        end = _ticks(self.got[-1].packet.timestamp - first.timestamp) + 2 * FRAME_SAMPLES
        samples = np.zeros(end, np.int16)
        for got in self.got:
            place = _ticks(got.packet.timestamp - first.timestamp)
            for frame in decoder.decode(av.Packet(got.packet.payload)):
                pcm = frame.to_ndarray().reshape(-1)[:FRAME_SAMPLES]
                samples[place : place + pcm.size] = pcm
        info = self.reports[-1].sender_info
        reported_s = info.ntp_timestamp / 2**32 - NTP_EPOCH_S
        ahead = _ticks(info.rtp_timestamp - first.timestamp)
        return Heard(samples, reported_s - ahead / RATE)


EVENTS = "urn:ietf:params:whep:ext:core:server-sent-events"


def _ticks(difference: int) -> int:
    """Return the difference of two 32-bit timestamps."""
    return ((difference + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000
