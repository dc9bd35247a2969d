"""Opens the speech engine that the operator has chosen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from airslice.application.ports.live import SpeechEngine
from airslice.domain.script import Voice
from airslice.domain.sentences import Utterance
from airslice.presenter.http_engine import HttpEngine, SpeechServer
from airslice.presenter.process_engine import (
    Decode,
    EspeakRequests,
    PiperRequests,
    ProcessEngine,
)
from airslice.presenter.speaker_pool import SpeakerPool

ESPEAK = ("-m", "airslice.presenter.espeak_speaker")
PIPER = ("-m", "airslice.presenter.piper_speaker")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessVoices:
    """Voices of an engine that runs in processes."""

    voices: Mapping[str, str] = field(default_factory=dict)
    """By asset id: names of espeak-ng's voices, or paths of Piper's model files."""
    default_voice: str = ""
    """The same, for other asset ids; espeak-ng can do without."""
    processes: int = 1


@asynccontextmanager
async def open_espeak(choice: ProcessVoices, decode: Decode) -> AsyncIterator[SpeechEngine]:
    """Start espeak-ng and try its voices.

    Raises:
        SpeechFailed: it is not installed, or lacks a voice that is configured.
    """
    requests = EspeakRequests(choice.voices, choice.default_voice)
    pool = SpeakerPool(ESPEAK, processes=choice.processes)
    engine = ProcessEngine(pool, requests, decode, base_timeout_s=5.0, char_timeout_s=0.02)
    pool.start()
    try:
        await _try_voices(engine, choice)
        yield engine
    finally:
        await pool.close()


@asynccontextmanager
async def open_piper(choice: ProcessVoices, decode: Decode) -> AsyncIterator[SpeechEngine]:
    """Start Piper and try its models.

    Raises:
        SpeechFailed: it is not installed, or a model cannot be loaded.
    """
    requests = PiperRequests(choice.voices)
    pool = SpeakerPool((*PIPER, choice.default_voice), processes=choice.processes)
    engine = ProcessEngine(pool, requests, decode, base_timeout_s=30.0, char_timeout_s=0.2)
    pool.start()
    try:
        await _try_voices(engine, choice)
        yield engine
    finally:
        await pool.close()


@asynccontextmanager
async def open_http(server: SpeechServer, decode: Decode) -> AsyncIterator[SpeechEngine]:
    """Use a speech server; whether it works shows when it is asked."""
    engine = HttpEngine(server, decode)
    try:
        yield engine
    finally:
        await engine.close()


async def _try_voices(engine: SpeechEngine, choice: ProcessVoices) -> None:
    for asset_id in ("", *choice.voices):
        await engine.speak(Utterance("1", Voice(asset_id=asset_id)))
