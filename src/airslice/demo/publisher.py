"""A WebRTC publisher: aiortc speaks a recorded text into a room over WHIP."""

from __future__ import annotations

from importlib.resources import as_file, files

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer


class Publisher:
    """Publishes one user's voice until it is closed."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, token: str) -> None:
        self._session = session
        self._endpoint = endpoint
        self._headers = {"Authorization": f"Bearer {token}"}
        self._connection = RTCPeerConnection()
        self._resource = ""

    async def start(self) -> None:
        """Speak.

        Raises:
            RuntimeError: the server refused the offer.
        """
        with as_file(files("airslice.demo") / "speech.ogg") as speech:
            voice = MediaPlayer(str(speech), loop=True).audio
        if voice is None:
            raise RuntimeError("speech.ogg has no audio")
        self._connection.addTrack(voice)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        async with self._session.post(
            self._endpoint,
            data=self._connection.localDescription.sdp,
            headers={**self._headers, "Content-Type": "application/sdp"},
        ) as response:
            answer = await response.text()
            if response.status != 201:
                raise RuntimeError(f"publishing was refused: {response.status} {answer}")
            self._resource = response.headers["Location"]
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        """Leave the room."""
        origin = self._endpoint.partition("/whip/")[0]
        if self._resource:
            await self._session.delete(origin + self._resource, headers=self._headers)
        await self._connection.close()
