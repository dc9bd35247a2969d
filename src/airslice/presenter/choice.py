"""Opens the speech engine that the operator has chosen, and asks it in its own terms.

espeak-ng and Piper run in processes (`process_engine`); others are asked over HTTP (`http_engine`).
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from airslice.application.ports.live import SpeechEngine
from airslice.domain.script import Voice
from airslice.domain.sentences import Utterance
from airslice.presenter.http_engine import HttpEngine, SpeechServer
from airslice.presenter.process_engine import Decode, ProcessEngine, Request
from airslice.presenter.speaker_pool import SpeakerPool
from airslice.presenter.text import is_chinese, is_spelled

ESPEAK = ("-m", "airslice.presenter.espeak_speaker")
PIPER = ("-m", "airslice.presenter.piper_speaker")

ESPEAK_AMPLITUDE = 75
"""espeak-ng's amplitude, of 100: no voice reaches full scale (-21 to -24 dBFS on average)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessVoices:
    """The voices of an engine that runs in processes."""

    voices: Mapping[str, str] = field(default_factory=dict)
    """Names of espeak-ng's voices, or paths of Piper's model files, by asset id."""
    default_voice: str = ""
    """Voice or model for all other asset ids, after espeak-ng has tried the id as the name of a
    voice. Piper needs one; espeak-ng can choose by the script of the text."""
    processes: int = 1
    """How many processes speak at a time."""


def open_espeak(choice: ProcessVoices, decode: Decode) -> AbstractAsyncContextManager[SpeechEngine]:
    """Start espeak-ng and try its voices.

    Raises:
        SpeechFailed: it is not installed, or lacks a voice that is configured.
    """
    pool = SpeakerPool(ESPEAK, processes=choice.processes)
    request_of = partial(espeak_request, choice)
    engine = ProcessEngine(pool, request_of, decode, base_timeout_s=5.0, char_timeout_s=0.02)
    return _opened(engine, pool, choice)


def open_piper(choice: ProcessVoices, decode: Decode) -> AbstractAsyncContextManager[SpeechEngine]:
    """Start Piper and try its models.

    Raises:
        SpeechFailed: it is not installed, or a model cannot be loaded.
    """
    pool = SpeakerPool((*PIPER, choice.default_voice), processes=choice.processes)
    request_of = partial(piper_request, choice)
    engine = ProcessEngine(pool, request_of, decode, base_timeout_s=30.0, char_timeout_s=0.2)
    return _opened(engine, pool, choice)


@asynccontextmanager
async def open_http(server: SpeechServer, decode: Decode) -> AsyncIterator[SpeechEngine]:
    """Use a speech server, which is not asked for anything before it is needed."""
    engine = HttpEngine(server, decode)
    try:
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def _opened(
    engine: SpeechEngine, pool: SpeakerPool, choice: ProcessVoices
) -> AsyncIterator[SpeechEngine]:
    pool.start()
    try:
        for asset_id in ("", *choice.voices):
            await engine.speak(Utterance("1", Voice(asset_id=asset_id)))
        yield engine
    finally:
        await pool.close()


def espeak_request(choice: ProcessVoices, utterance: Utterance, text: str) -> Request:
    """Return what espeak-ng's process is asked for: `text` with the voice of `utterance`."""
    voice = utterance.voice
    if voice.asset_id in choice.voices:
        voices = [choice.voices[voice.asset_id]]
    else:
        default = choice.default_voice or ("cmn" if is_chinese(text) else "en-us")
        voices = [voice.asset_id, default]
    # The pitch parameter is logarithmic: 50 is the voice's own pitch, 0 half of it, 99 twice.
    octaves = math.log2(voice.pitch / 100)
    return {
        "text": text,
        "is_spelled": is_spelled(utterance),
        "voices": voices,
        "rate": round(175 * voice.speed / 100),  # words per minute
        "pitch": min(round(50 + 50 * octaves), 99),
        "range": round(voice.pitch / 2),
        "volume": ESPEAK_AMPLITUDE,
    }


def piper_request(choice: ProcessVoices, utterance: Utterance, text: str) -> Request:
    """Return what Piper's process is asked for: `text` with the voice of `utterance`."""
    voice = utterance.voice
    return {
        "text": " ".join(text) if is_spelled(utterance) else text,
        "model": choice.voices.get(voice.asset_id, ""),
        "speed": voice.speed / 100,
        "pitch": voice.pitch / 100,
    }
