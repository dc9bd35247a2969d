"""Speech by engines that run in processes of their own: espeak-ng and Piper."""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, TypeAlias

from airslice.domain.script import Voice
from airslice.domain.sentences import Utterance
from airslice.presenter.speaker_pool import SpeakerPool
from airslice.presenter.text import at_volume, is_chinese, is_spelled, text_of, trimmed

Decode: TypeAlias = Callable[[BinaryIO, str], bytes]
"""Decodes an audio file in a container (``wav``, ``mp3``, ``ogg``, ``flac``) to PCM at
`SPEECH_RATE_HZ`, or raises SpeechFailed. Called in threads."""

Request: TypeAlias = dict[str, Any]

ESPEAK_AMPLITUDE = 75
"""Of 100: where no voice of espeak-ng reaches full scale; -21 to -24 dBFS on average."""


class ProcessEngine:
    """A SpeechEngine whose speakers are processes.

    Args:
        pool: The processes.
        request_of: Puts an utterance and its text into the speakers' words.
        decode: Decodes the WAV files that they make.
        base_timeout_s: How long an empty text may take.
        char_timeout_s: How much longer each character may take.
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
        """Return the speech (port `SpeechEngine`)."""
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


class EspeakRequests:
    """Puts utterances into the words of `espeak_speaker`.

    Args:
        voices: espeak-ng's voices by asset id. Other asset ids are tried as names of its voices.
        default_voice: For asset ids that are neither; empty: by the script of the text.
    """

    def __init__(self, voices: Mapping[str, str], default_voice: str) -> None:
        self._voices = voices
        self._default_voice = default_voice

    def __call__(self, utterance: Utterance, text: str) -> Request:
        """Return the request."""
        voice = utterance.voice
        # The pitch parameters are logarithmic: 50 is the voice's own, 0 half of it, 99 twice.
        octaves = math.log2(voice.pitch / 100)
        return {
            "text": text,
            "is_spelled": is_spelled(utterance),
            "voices": self._candidates(voice, text),
            "rate": round(175 * voice.speed / 100),  # words per minute
            "pitch": min(round(50 + 50 * octaves), 99),
            "range": round(voice.pitch / 2),
            "volume": ESPEAK_AMPLITUDE,
        }

    def _candidates(self, voice: Voice, text: str) -> list[str]:
        if voice.asset_id in self._voices:
            return [self._voices[voice.asset_id]]
        default = self._default_voice or ("cmn" if is_chinese(text) else "en-us")
        return [voice.asset_id, default]


class PiperRequests:
    """Puts utterances into the words of `piper_speaker`.

    Args:
        models: Paths of model files by asset id; other asset ids get the default model.
    """

    def __init__(self, models: Mapping[str, str]) -> None:
        self._models = models

    def __call__(self, utterance: Utterance, text: str) -> Request:
        """Return the request."""
        voice = utterance.voice
        return {
            "text": " ".join(text) if is_spelled(utterance) else text,
            "model": self._models.get(voice.asset_id, ""),
            "speed": voice.speed / 100,
            "pitch": voice.pitch / 100,
        }
