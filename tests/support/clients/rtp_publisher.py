"""A publisher that costs next to nothing: Opus packets made beforehand, over a real connection.

aiortc does ICE, DTLS and SRTP; packets and sender reports are written here, so that many
publishers fit into one process and all of them follow the same clock to the sample.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

import av
import httpx
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from numpy.typing import NDArray

from tests.support.waiting import PATIENCE_S

RATE = 48_000
FRAME_SAMPLES = 960
FRAME_NS = 20_000_000
REPORT_FRAMES = 50
"""A sender report each second."""

NTP_EPOCH_S = 2_208_988_800


def opus_loop(pcm: NDArray[np.int16]) -> list[bytes]:
    """Encode mono 48 kHz audio, whole 20 ms frames of it, to packets that can be repeated.

    The encoder goes through the audio twice and the second turn is returned, so that the first
    packet follows on the last.
    """
    assert pcm.size % FRAME_SAMPLES == 0
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate = RATE
    encoder.layout = "mono"
    encoder.format = "s16"
    encoder.bit_rate = 48_000
    encoder.options = {"frame_duration": "20", "application": "audio"}
    packets: list[bytes] = []
    for number, samples in enumerate(np.tile(pcm, 2).reshape(-1, FRAME_SAMPLES)):
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = number * FRAME_SAMPLES
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    count = pcm.size // FRAME_SAMPLES
    return packets[count : 2 * count]


@dataclass(frozen=True, kw_only=True, slots=True)
class Whereto:
    """Where a publisher publishes."""

    endpoint: str
    """WHIP URL."""
    token: str


class RtpPublisher:
    """Publishes a loop of packets; which one is sent when follows from UTC alone."""

    def __init__(self, loop: Sequence[bytes], whereto: Whereto) -> None:
        """Prepare to publish.

        Args:
            loop: Opus packets of 20 ms; packet n % len(loop) is of the time n * 20 ms UTC.
            whereto: Where.
        """
        self._loop = loop
        self._whereto = whereto
        self._peer = RTCPeerConnection()
        self._sender = self._peer.addTransceiver("audio", direction="sendonly").sender
        self._ssrc = secrets.randbits(32)
        self._payload_type = 0
        self._resource = ""
        self._sending: asyncio.Task[None] | None = None
        self.sent_packets = 0

    async def start(self, http: httpx.AsyncClient) -> None:
        """Connect and begin to send."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        response = await http.post(
            self._whereto.endpoint,
            content=self._peer.localDescription.sdp,
            headers={**self._authorization, "Content-Type": "application/sdp"},
        )
        assert response.status_code == 201, response.text
        self._resource = response.headers["Location"]
        self._payload_type = int(re.findall(r"a=rtpmap:(\d+) opus/48000/2", response.text)[0])
        await self._peer.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        async with asyncio.timeout(PATIENCE_S):
            while self._peer.connectionState != "connected":
                await asyncio.sleep(0.01)
        self._sending = asyncio.create_task(self._send())

    async def stop(self, http: httpx.AsyncClient) -> None:
        """Leave the room."""
        await self.vanish()
        url = httpx.URL(self._whereto.endpoint).join(self._resource)
        response = await http.delete(url, headers=self._authorization)
        assert response.status_code in (200, 404), response.text
        await self._peer.close()

    async def vanish(self) -> None:
        """Send nothing more, and say nothing."""
        if self._sending is not None:
            self._sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await self._sending

    async def close(self) -> None:
        """Go away when the server may be gone already."""
        await self.vanish()
        await self._peer.close()

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._whereto.token}"}

    async def _send(self) -> None:
        number = time.time_ns() // FRAME_NS
        first = number
        while True:
            # A frame is sent when its last sample has been captured.
            due_s = ((number + 1) * FRAME_NS - time.time_ns()) / 1e9
            if due_s > 0:
                await asyncio.sleep(due_s)
            await self._write(self._packet(number, first))
            if (number - first) % REPORT_FRAMES == 0:
                await self._write(self._report(number))
            number += 1

    async def _write(self, packet: bytes) -> None:
        await self._sender.transport._send_rtp(packet)
        self.sent_packets += 1

    def _packet(self, number: int, first: int) -> bytes:
        header = struct.pack(
            "!BBHII",
            0x80,
            self._payload_type,
            (number - first) & 0xFFFF,
            _timestamp(number),
            self._ssrc,
        )
        return header + self._loop[number % len(self._loop)]

    def _report(self, number: int) -> bytes:
        """Sender report (RFC 3550 section 6.4.1): frame `number` begins at number * 20 ms UTC."""
        seconds, rest_ns = divmod(number * FRAME_NS, 1_000_000_000)
        ntp = ((seconds + NTP_EPOCH_S) << 32) + (rest_ns << 32) // 1_000_000_000
        return struct.pack(
            "!BBHIQIII", 0x80, 200, 6, self._ssrc, ntp, _timestamp(number), self.sent_packets, 0
        )


def _timestamp(number: int) -> int:
    return number * FRAME_SAMPLES & 0xFFFF_FFFF
