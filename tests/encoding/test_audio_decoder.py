from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.application.ports.live import SpeechFailed
from airslice.encoding.audio_decoder import decode_audio
from tests.support.audio.audio_files import CODECS, audio_file, tone
from tests.support.audio.signals import dominant_hertz, rms

HEADS = {name: audio_file(name, tone(0.1, rate_hz=48_000), rate_hz=48_000)[:400] for name in CODECS}


@pytest.mark.parametrize("container", CODECS)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_any_rate_and_layout_becomes_48_khz_mono(
    container: str, channels: int, rate_hz: int
) -> None:
    if container == "ogg" and rate_hz == 44_100:
        rate_hz = 24_000  # Opus knows no 44.1 kHz
    file = audio_file(container, tone(1.0, rate_hz=rate_hz), rate_hz=rate_hz, channels=channels)

    pcm = decode_audio(io.BytesIO(file), container)

    assert len(pcm) / 96_000 == pytest.approx(1, abs=0.08 if container in ("mp3", "ogg") else 1e-4)
    settled = pcm[19_200:-19_200]
    assert dominant_hertz(settled, 48_000) == pytest.approx(440, abs=2)
    assert rms(settled) == pytest.approx(16_000 / 2**0.5, rel=0.06)  # LAME takes 5 % off


@pytest.mark.parametrize("rate_hz", [11_025, 22_050, 33_075, 44_100])
def test_no_sample_is_lost_in_resampling(rate_hz: int) -> None:
    file = audio_file("wav", tone(3.0, rate_hz=rate_hz), rate_hz=rate_hz)

    assert abs(len(decode_audio(io.BytesIO(file), "wav")) // 2 - 144_000) <= 2


@pytest.mark.parametrize("container", CODECS)
def test_a_file_of_another_format_is_refused(container: str) -> None:
    others = [name for name in CODECS if name != container]
    for other in others:
        with pytest.raises(SpeechFailed, match=f"{container.upper()} recording"):
            decode_audio(
                io.BytesIO(audio_file(other, tone(0.5, rate_hz=48_000), rate_hz=48_000)), container
            )


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\xff\xff\xff\xffWAVE", bytes(10_000)])
@pytest.mark.parametrize("container", CODECS)
def test_what_is_no_audio_is_refused(container: str, content: bytes) -> None:
    with pytest.raises(SpeechFailed, match="recording"):
        decode_audio(io.BytesIO(content), container)


def test_length_is_bounded() -> None:
    file = audio_file("wav", tone(2.0))

    assert decode_audio(io.BytesIO(file), "wav", max_s=2.01)
    with pytest.raises(SpeechFailed, match="longer than"):
        decode_audio(io.BytesIO(file), "wav", max_s=1.99)


def test_junk_in_an_mp3_is_skipped() -> None:
    chance = np.random.default_rng(1)
    whole = audio_file("mp3", tone(4.0))
    junk = chance.bytes(3_000)
    damaged = junk + whole[:20_000] + junk + whole[20_000:] + junk

    pcm = decode_audio(io.BytesIO(damaged), "mp3")

    assert len(pcm) / 96_000 == pytest.approx(4, abs=0.4)


def test_joined_recordings_are_one() -> None:
    parts = [
        audio_file("mp3", tone(2.0, rate_hz=rate_hz), rate_hz=rate_hz, channels=channels)
        for rate_hz, channels in ((44_100, 2), (48_000, 1), (24_000, 2))
    ]

    pcm = decode_audio(io.BytesIO(b"".join(parts)), "mp3")

    assert len(pcm) / 96_000 == pytest.approx(6, abs=0.3)
    for start_s in (0.5, 2.5, 4.5):
        part = pcm[int(start_s * 96_000) :][:96_000]
        assert dominant_hertz(part, 48_000) == pytest.approx(440, abs=3)


def test_noise_is_no_mp3() -> None:
    noise = np.random.default_rng(2).bytes(300_000)

    with pytest.raises(SpeechFailed, match="MP3 recording"):
        decode_audio(io.BytesIO(noise), "mp3")


@given(st.binary(min_size=128, max_size=2_000), st.sampled_from(sorted(CODECS)), st.booleans())
def test_no_bytes_do_more_than_fail(content: bytes, container: str, with_head: bool) -> None:
    head = HEADS[container] if with_head else b""
    with contextlib.suppress(SpeechFailed):
        decode_audio(io.BytesIO(head + content), container)
