"""espeak-ng itself, in its process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from airslice.application.ports.live import SpeechEngine, SpeechFailed
from airslice.encoding.audio_decoder import decode_audio
from airslice.encoding.opus_encoder import AvOpusEncoders
from airslice.presenter.choice import ProcessVoices, open_espeak
from airslice.presenter.speaker_pool import SpeakerPool
from airslice.presenter.text import MAX_TEXT_CHARS
from tests.support.audio.voice_measures import (
    CHINESE,
    ENGLISH,
    HAN_CHARACTERS,
    WORDS,
    centroid_hz,
    dbfs,
    fundamental_hz,
    peak,
    rms,
    said,
    samples_of,
    seconds,
    silent_share,
)
from tests.support.waiting import PATIENCE_S


@pytest.fixture
async def engine() -> AsyncIterator[SpeechEngine]:
    async with open_espeak(ProcessVoices(voices={"xiaoyan": "cmn+f2"}), decode_audio) as opened:
        yield opened


async def test_mandarin_and_english_are_spoken_as_fast_as_people_do(engine: SpeechEngine) -> None:
    chinese = await engine.speak(said(CHINESE, "cmn"))
    english = await engine.speak(said(ENGLISH, "en-us"))

    assert 3 < HAN_CHARACTERS / seconds(chinese) < 6
    assert 2 < WORDS / seconds(english) < 4.5


@pytest.mark.parametrize(("voice", "text"), [("cmn", CHINESE), ("en-us", ENGLISH)])
async def test_it_sounds_like_speech(engine: SpeechEngine, voice: str, text: str) -> None:
    pcm = await engine.speak(said(text, voice))

    print(
        f"{voice}: {seconds(pcm):.2f} s, {dbfs(pcm):.1f} dBFS, peak {peak(pcm)},"
        f" centroid {centroid_hz(pcm):.0f} Hz, f0 {fundamental_hz(pcm):.0f} Hz,"
        f" silent {silent_share(pcm):.0%}"
    )
    assert 70 < fundamental_hz(pcm) < 250
    assert 500 < centroid_hz(pcm) < 4_000
    assert silent_share(pcm) < 0.3


@pytest.mark.parametrize(("voice", "text"), [("cmn", CHINESE), ("en-us", ENGLISH)])
@pytest.mark.parametrize("speed", [50, 80, 125, 200])
async def test_speed_divides_the_length(
    engine: SpeechEngine, voice: str, text: str, speed: int
) -> None:
    usual = await engine.speak(said(text, voice))
    other = await engine.speak(said(text, voice, speed=speed))

    assert seconds(other) == pytest.approx(seconds(usual) * 100 / speed, rel=0.1)


@pytest.mark.parametrize("text", [CHINESE, ENGLISH])
@pytest.mark.parametrize(("pitch", "ratio"), [(50, 0.6), (80, 0.81), (125, 1.2), (200, 1.85)])
async def test_pitch_moves_the_fundamental_and_not_the_length(
    engine: SpeechEngine, text: str, pitch: int, ratio: float
) -> None:
    usual = await engine.speak(said(text))
    other = await engine.speak(said(text, pitch=pitch))

    assert fundamental_hz(other) / fundamental_hz(usual) == pytest.approx(ratio, rel=0.1)
    assert seconds(other) == pytest.approx(seconds(usual), rel=0.03)


@pytest.mark.parametrize("text", [CHINESE, ENGLISH])
@pytest.mark.parametrize("volume", [90, 180, 240])
async def test_volume_is_proportional(engine: SpeechEngine, text: str, volume: int) -> None:
    usual = await engine.speak(said(text))
    other = await engine.speak(said(text, volume=volume))

    assert rms(other) / rms(usual) == pytest.approx(volume / 140, rel=0.02)


@pytest.mark.parametrize("text", [CHINESE, ENGLISH, "1234, 5678!", "Really? No! 真的吗?"])
@pytest.mark.parametrize("volume", [90, 140, 240])
async def test_no_volume_is_inaudible_or_clipped(
    engine: SpeechEngine, text: str, volume: int
) -> None:
    pcm = await engine.speak(said(text, volume=volume))

    assert -30 < dbfs(pcm) < -14
    assert peak(pcm) < 32_767


async def test_an_unknown_asset_is_spoken_in_the_language_of_the_text(
    engine: SpeechEngine,
) -> None:
    for text, language in ((CHINESE, "cmn"), (ENGLISH, "en-us"), ("价格 199 dollars", "cmn")):
        unknown = await engine.speak(said(text, "0f3a8b7c5d6e4f1a"))
        named = await engine.speak(said(text, language))

        assert seconds(unknown) == pytest.approx(seconds(named), rel=0.02)
        assert fundamental_hz(unknown) == pytest.approx(fundamental_hz(named), rel=0.05)


async def test_an_asset_may_be_named_as_a_voice(engine: SpeechEngine) -> None:
    mandarin = await engine.speak(said(CHINESE, "0f3a8b7c5d6e4f1a"))
    spelled = await engine.speak(said(CHINESE, "EN-us"))  # "Chinese letter, Chinese letter, …"
    woman = await engine.speak(said(CHINESE, "cmn+f2"))

    assert seconds(spelled) > 2 * seconds(mandarin)
    assert fundamental_hz(woman) > fundamental_hz(mandarin) * 1.3


async def test_an_asset_may_be_given_a_voice(engine: SpeechEngine) -> None:
    man = await engine.speak(said(CHINESE, "cmn"))
    woman = await engine.speak(said(CHINESE, "xiaoyan"))

    assert fundamental_hz(woman) > fundamental_hz(man) * 1.3


@pytest.mark.parametrize("voice", ["f3", "m1", "../lang/gmw/en", "en-us+../f3", "klingon", "+"])
async def test_a_voice_that_is_configured_must_exist(voice: str) -> None:
    with pytest.raises(SpeechFailed, match="espeak-ng has no voice"):
        async with open_espeak(ProcessVoices(voices={"a": voice}), decode_audio):
            pass


async def test_figures_and_letters_are_spelled_on_demand(engine: SpeechEngine) -> None:
    number = await engine.speak(said("1234", "en-us"))
    digits = await engine.speak(said("1234", "en-us", say_as="digits"))
    word = await engine.speak(said("cat", "en-us"))
    letters = await engine.speak(said("cat", "en-us", say_as="characters"))

    assert seconds(digits) < 0.6 * seconds(number)  # "one thousand two hundred …" is longer
    assert seconds(letters) > 1.4 * seconds(word)


async def test_text_is_no_markup(engine: SpeechEngine) -> None:
    tag = "<break time='5s'/>"

    for say_as in ("", "characters"):
        plain = await engine.speak(said(tag, "en-us", say_as=say_as))
        assert silent_share(plain) < 0.5

    assert await engine.speak(said("</say-as>", "en-us", say_as="characters"))


@pytest.mark.parametrize("text", ["", " ", "...", "\x00", "\n\t\x1b", "。", "\ud83d"])
async def test_what_says_nothing_is_empty(engine: SpeechEngine, text: str) -> None:
    assert await engine.speak(said(text)) == b""


@pytest.mark.parametrize("text", ["a\x00b", "🙂", "[[h@l'oU]]", "%n%s", "字" * 1_000])
async def test_odd_texts_are_spoken(engine: SpeechEngine, text: str) -> None:
    assert seconds(await engine.speak(said(text))) > 0.1


async def test_a_text_may_be_too_long(engine: SpeechEngine) -> None:
    with pytest.raises(SpeechFailed, match="longer than"):
        await engine.speak(said("字" * (MAX_TEXT_CHARS + 1)))

    with pytest.raises(SpeechFailed, match="too long to speak"):
        await engine.speak(said("字" * MAX_TEXT_CHARS, speed=50))


async def test_there_is_no_silence_around_speech(engine: SpeechEngine) -> None:
    for text in (CHINESE, ENGLISH):
        pcm = await engine.speak(said(text))

        assert max(abs(samples_of(pcm[:1_000]))) > 33
        assert max(abs(samples_of(pcm[-1_000:]))) > 33


def speaker_pids() -> list[int]:
    """Return the processes of espeak-ng that this one has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            command = stat.with_name("cmdline").read_text()
            if int(parent) == os.getpid() and "espeak_speaker" in command:
                found.append(int(stat.parent.name))
    return found


async def test_a_speaker_that_is_killed_in_mid_sentence_is_not_missed(
    engine: SpeechEngine,
) -> None:
    (pid,) = speaker_pids()
    os.kill(pid, signal.SIGSTOP)
    speaking = asyncio.create_task(engine.speak(said(CHINESE)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)

    assert seconds(await speaking) > 5
    assert speaker_pids() != [pid]


async def test_closing_leaves_no_process() -> None:
    async with open_espeak(ProcessVoices(processes=2), decode_audio) as engine:
        await asyncio.gather(*(engine.speak(said(CHINESE)) for _ in range(4)))
        assert len(speaker_pids()) == 2

    assert speaker_pids() == []


async def test_many_may_ask_at_once_and_each_gets_his_own(engine: SpeechEngine) -> None:
    texts = ["字" * count for count in range(1, 21)]

    spoken = await asyncio.gather(*(engine.speak(said(text)) for text in texts))

    lengths = [seconds(pcm) for pcm in spoken]
    assert lengths == sorted(lengths)
    assert lengths[-1] > 8 * lengths[0]


@pytest.mark.parametrize("text", [CHINESE, ENGLISH])
async def test_speech_survives_opus(engine: SpeechEngine, text: str) -> None:
    pcm = await engine.speak(said(text))
    encoder = AvOpusEncoders().open()
    frames = [pcm[start : start + 1_920] for start in range(0, len(pcm) - 1_919, 1_920)]

    # FFmpeg's own decoder: no line of libopus is in it.
    decoder = av.CodecContext.create("opus", "r")
    decoder.sample_rate = 48_000
    decoder.layout = "mono"
    heard = b"".join(
        (decoded.to_ndarray() * 32_767).astype("<i2").tobytes()
        for frame in frames
        for decoded in decoder.decode(av.Packet(encoder.encode(frame)))
    )

    assert seconds(heard) == pytest.approx(seconds(pcm), abs=0.03)
    assert -30 < dbfs(heard) < -14
    assert dbfs(heard) == pytest.approx(dbfs(pcm), abs=1)
    assert fundamental_hz(heard) == pytest.approx(fundamental_hz(pcm), rel=0.03)
    assert centroid_hz(heard) == pytest.approx(centroid_hz(pcm), rel=0.25)


async def test_without_espeak_it_is_told_how_to_get_it(tmp_path: Path) -> None:
    speaker = tmp_path / "speaker.py"
    speaker.write_text(
        "from airslice.presenter import espeak_speaker\n"
        "from airslice.presenter.speaker import serve\n"
        "espeak_speaker._location = lambda: ('libnothing-at-all.so', None)\n"
        "serve(lambda: espeak_speaker.Espeak().speak)\n"
    )
    pool = SpeakerPool([str(speaker)])
    pool.start()

    with pytest.raises(SpeechFailed, match=r"pip install airslice\[presenter\]"):
        await pool.ask(b"{}", timeout_s=PATIENCE_S)

    await pool.close()
