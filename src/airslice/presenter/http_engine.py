"""Speech by an HTTP server of the operator's choice: requests, retries and bounds.

Which engine is used is decided in `choice`.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

import aiohttp

from airslice.application.ports.live import SpeechFailed
from airslice.domain.sentences import Utterance
from airslice.presenter.process_engine import Decode
from airslice.presenter.text import at_volume, is_spelled, text_of, trimmed

MAX_CALLS = 8
"""Calls under way at a time; further ones wait, and their time-out starts afterwards."""

MAX_AUDIO_BYTES = 64 * 1_024 * 1_024
"""Largest answer that is accepted."""

PAUSES_S = (0.5, 2.0)
"""Pauses before the second and the third try."""

_BASE_TIMEOUT_S = 10.0
_CHAR_TIMEOUT_S = 0.1

_CONTAINERS = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "application/ogg": "ogg",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
}
"""Container names, as FFmpeg has them, by content type."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeechServer:
    """An HTTP server that makes speech, and how it is asked."""

    url: str
    key: str = field(default="", repr=False)
    """Bearer token of each request; if it is empty, none is sent."""
    api: Literal["plain", "openai"] = "plain"
    """Body of a request. ``plain``: text, voice, speed, pitch and volume. ``openai``: the body of
    OpenAI's ``/v1/audio/speech``, which has no pitch and no volume; the volume is applied here."""
    model: str = ""
    """Name of the model in requests of the ``openai`` API."""
    voices: Mapping[str, str] = field(default_factory=dict)
    """The server's names of voices, by asset id."""
    default_voice: str = ""
    """The voice for asset ids that `voices` lacks; if it is empty, the asset id is sent itself."""


class _TryAgain(Exception):
    """A fault that may pass; the message is for the owner."""


class HttpEngine:
    """A SpeechEngine that asks a server.

    The operator names the server, so its address may be private. Redirects are not followed.
    Make it on the event loop that it serves.

    Args:
        server: The server to ask.
        decode: Decodes the audio that it sends.
        sleep: Waits for a number of seconds.
        base_timeout_s: How long an empty text may take, in seconds; each character may take
            0.1 s more.
    """

    def __init__(
        self,
        server: SpeechServer,
        decode: Decode,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        base_timeout_s: float = _BASE_TIMEOUT_S,
    ) -> None:
        self._server = server
        self._decode = decode
        self._sleep = sleep
        self._base_timeout_s = base_timeout_s
        self._turns = asyncio.Semaphore(MAX_CALLS)
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": "airslice"},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections; nothing comes after this."""
        await self._session.close()

    async def speak(self, utterance: Utterance) -> bytes:
        """Return the utterance as PCM (port `SpeechEngine`)."""
        text = text_of(utterance)
        if not text:
            return b""
        if is_spelled(utterance):
            text = " ".join(text)
        audio, container = await self._asked(text, utterance)
        return await asyncio.to_thread(self._finished, audio, container, utterance.voice.volume)

    async def _asked(self, text: str, utterance: Utterance) -> tuple[bytes, str]:
        timeout_s = self._base_timeout_s + _CHAR_TIMEOUT_S * len(text)
        body = self._body(text, utterance)
        for pause_s in (*PAUSES_S, None):
            try:
                async with self._turns, asyncio.timeout(timeout_s):
                    return await self._post(body)
            except (_TryAgain, aiohttp.ClientError, OSError) as error:  # a TimeoutError is one
                fault = str(error) if isinstance(error, _TryAgain) else type(error).__name__
            if pause_s is not None:
                await self._sleep(pause_s)
        raise SpeechFailed(f"the speech server failed: {fault}")

    async def _post(self, body: Mapping[str, Any]) -> tuple[bytes, str]:
        key = self._server.key
        async with self._session.post(
            self._server.url,
            json=body,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            allow_redirects=False,
        ) as response:
            status = response.status
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
                raise _TryAgain(f"HTTP {status}")
            if status != HTTPStatus.OK:
                raise SpeechFailed(f"the speech server refused: HTTP {status}")
            container = _CONTAINERS.get(response.content_type)
            if container is None:
                raise SpeechFailed(f"the speech server sent {response.content_type}, not audio")
            audio = bytearray()
            async for piece in response.content.iter_any():
                audio += piece
                if len(audio) > MAX_AUDIO_BYTES:
                    raise SpeechFailed("the speech server sent too much")
            return bytes(audio), container

    def _body(self, text: str, utterance: Utterance) -> dict[str, Any]:
        server, voice = self._server, utterance.voice
        name = server.voices.get(voice.asset_id, server.default_voice or voice.asset_id)
        if server.api == "openai":
            return {
                "model": server.model,
                "input": text,
                "voice": name,
                "speed": voice.speed / 100,
                "response_format": "wav",
            }
        return {
            "text": text,
            "voice": name,
            "speed": voice.speed,
            "pitch": voice.pitch,
            "volume": voice.volume,
        }

    def _finished(self, audio: bytes, container: str, volume: int) -> bytes:
        pcm = trimmed(self._decode(io.BytesIO(audio), container))
        return at_volume(pcm, volume) if self._server.api == "openai" else pcm
