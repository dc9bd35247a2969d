"""Speech by an engine that runs in processes of its own, whichever it is.

What each engine is asked is in `choice`; how its processes live is in `speaker_pool`.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any, BinaryIO, TypeAlias

from airslice.domain.sentences import Utterance
from airslice.presenter.speaker_pool import SpeakerPool
from airslice.presenter.text import at_volume, text_of, trimmed

Decode: TypeAlias = Callable[[BinaryIO, str], bytes]
"""Decodes an audio file in a container (``wav``, ``mp3``, ``ogg``, ``flac``) to mono int16 PCM at
`SPEECH_RATE_HZ`, or raises SpeechFailed. It is called in threads."""

Request: TypeAlias = dict[str, Any]
"""What a speaker process is asked, in its own terms; sent as JSON."""


class ProcessEngine:
    """A SpeechEngine whose speakers are processes.

    `request_of` makes the speakers' request of an utterance and its text. An empty text may take
    `base_timeout_s` seconds, and each character `char_timeout_s` more.
    """

    def __init__(
        self,
        pool: SpeakerPool,
        request_of: Callable[[Utterance, str], Request],
        decode: Decode,
        *,
        base_timeout_s: float,
        char_timeout_s: float,
    ) -> None:
        self._pool = pool
        self._request_of = request_of
        self._decode = decode
        self._base_timeout_s = base_timeout_s
        self._char_timeout_s = char_timeout_s

    async def speak(self, utterance: Utterance) -> bytes:
        """Return the utterance as PCM (port `SpeechEngine`)."""
        text = text_of(utterance)
        if not text:
            return b""
        wav = await self._pool.ask(
            json.dumps(self._request_of(utterance, text)).encode(),
            timeout_s=self._base_timeout_s + self._char_timeout_s * len(text),
        )
        return await asyncio.to_thread(self._finished, wav, utterance.voice.volume)

    def _finished(self, wav: bytes, volume: int) -> bytes:
        return at_volume(trimmed(self._decode(io.BytesIO(wav), "wav")), volume)
