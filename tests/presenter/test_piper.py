"""Piper itself, in its process, with a voice that hums."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from airslice.application.ports.live import SpeechEngine, SpeechFailed
from airslice.encoding.audio_decoder import decode_audio
from airslice.presenter.choice import ProcessVoices, open_piper
from airslice.presenter.speaker_pool import SpeakerPool
from tests.support.audio.voice_measures import fundamental_hz, peak, said, seconds
from tests.support.waiting import PATIENCE_S

MODEL = str(Path(__file__).parents[1] / "vectors/piper/tone.onnx")

needs_piper = pytest.mark.skipif(find_spec("piper") is None, reason="piper-tts is not installed")


@pytest.fixture
async def engine() -> AsyncIterator[SpeechEngine]:
    choice = ProcessVoices(voices={"other": MODEL}, default_voice=MODEL)
    async with open_piper(choice, decode_audio) as opened:
        yield opened


@needs_piper
@pytest.mark.parametrize("voice", ["unknown", "other"])
async def test_a_model_speaks(engine: SpeechEngine, voice: str) -> None:
    pcm = await engine.speak(said("ab", voice))

    assert seconds(pcm) == pytest.approx(0.7, abs=0.02)
    assert fundamental_hz(pcm) == pytest.approx(200, rel=0.01)
    assert peak(pcm) == pytest.approx(16_384, rel=0.05)


@needs_piper
@pytest.mark.parametrize("speed", [50, 200])
async def test_speed_divides_the_length(engine: SpeechEngine, speed: int) -> None:
    pcm = await engine.speak(said("abcd", speed=speed))

    assert seconds(pcm) == pytest.approx(1.1 * 100 / speed, abs=0.02)
    assert fundamental_hz(pcm) == pytest.approx(200, rel=0.01)


@needs_piper
@pytest.mark.parametrize("pitch", [50, 80, 200])
async def test_pitch_moves_the_fundamental_and_not_the_length(
    engine: SpeechEngine, pitch: int
) -> None:
    pcm = await engine.speak(said("abcd", pitch=pitch))

    assert fundamental_hz(pcm) == pytest.approx(2 * pitch, rel=0.02)
    assert seconds(pcm) == pytest.approx(1.1, abs=0.02)


@needs_piper
async def test_volume_is_proportional(engine: SpeechEngine) -> None:
    assert peak(await engine.speak(said("abcd", volume=90))) == pytest.approx(10_530, rel=0.05)


@needs_piper
async def test_many_may_ask_at_once(engine: SpeechEngine) -> None:
    spoken = await asyncio.gather(*(engine.speak(said("a" * count)) for count in range(1, 11)))

    assert [seconds(pcm) for pcm in spoken] == [
        pytest.approx(0.3 + 0.2 * count, abs=0.02) for count in range(1, 11)
    ]


@needs_piper
async def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    lost = str(tmp_path / "lost.onnx")
    for choice in (
        ProcessVoices(default_voice=lost),
        ProcessVoices(voices={"v": lost}, default_voice=MODEL),
    ):
        with pytest.raises(SpeechFailed, match=r"lost\.onnx is not there"):
            async with open_piper(choice, decode_audio):
                pass


async def test_without_piper_it_is_told_how_to_get_it(tmp_path: Path) -> None:
    speaker = tmp_path / "speaker.py"
    speaker.write_text(
        "import sys\n"
        "sys.modules['piper'] = None\n"  # as if it were not installed
        "from airslice.presenter.piper_speaker import Piper\n"
        "from airslice.presenter.speaker import serve\n"
        "serve(lambda: Piper('voice.onnx').speak)\n"
    )
    pool = SpeakerPool([str(speaker)])
    pool.start()

    with pytest.raises(SpeechFailed, match=r"pip install airslice\[piper\]"):
        await pool.ask(b"{}", timeout_s=PATIENCE_S)

    await pool.close()
