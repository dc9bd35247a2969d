"""A WebRTC listener: aiortc plays a room over WHEP and follows what its presenter says."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame


class Listener:
    """Hears one room until it is closed.

    Attributes:
        heard_s: Seconds of audio that came.
    """

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, token: str) -> None:
        self._session = session
        self._endpoint = endpoint
        self._headers = {"Authorization": f"Bearer {token}"}
        self._connection = RTCPeerConnection()
        self._resource = ""
        self._hearing: asyncio.Task[None] | None = None
        self._energy = 0.0
        self._samples = 0
        self.heard_s = 0.0

    @property
    def level_dbfs(self) -> float:
        """Mean level of what was heard."""
        return 10 * math.log10(max(self._energy / max(self._samples, 1), 1e-10))

    async def start(self) -> None:
        """Listen.

        Raises:
            RuntimeError: the server refused the offer.
        """
        self._connection.addTransceiver("audio", direction="recvonly")
        self._connection.on("track", self._hear)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        async with self._session.post(
            self._endpoint,
            data=self._connection.localDescription.sdp,
            headers={**self._headers, "Content-Type": "application/sdp"},
        ) as response:
            answer = await response.text()
            if response.status != 201:
                raise RuntimeError(f"listening was refused: {response.status} {answer}")
            self._resource = str(response.url.with_path(response.headers["Location"]))
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Return what the presenter tells his listeners, as it comes."""
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(f"{self._resource}/events", timeout=timeout) as events:
            async for line in events.content:
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))

    async def close(self) -> None:
        """Leave the room."""
        if self._resource:
            await self._session.delete(self._resource, headers=self._headers)
        await self._connection.close()
        if self._hearing is not None:
            await self._hearing

    def _hear(self, track: MediaStreamTrack) -> None:
        self._hearing = asyncio.create_task(self._measure(track))

    async def _measure(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:  # it is over
                return
            if isinstance(frame, AudioFrame):
                samples = frame.to_ndarray().astype("float64") / 32_768
                self.heard_s += frame.samples / frame.sample_rate
                self._energy += float((samples**2).sum())
                self._samples += samples.size
