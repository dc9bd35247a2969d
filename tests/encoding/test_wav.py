from __future__ import annotations

import wave
from pathlib import Path

import pytest

from airslice.encoding.wav import WavEncoder
from airslice.slicing.audio import PcmAudio
from tests.support.audio.signals import speech


def write(path: Path, sample_rate_hz: int, *writes: list[bytes]) -> None:
    encoder = WavEncoder(path, sample_rate_hz)
    for pieces in writes:
        encoder.write([PcmAudio(pcm) for pcm in pieces])
    encoder.close()


@pytest.mark.parametrize("sample_rate_hz", [8_000, 16_000, 24_000, 48_000])
def test_a_reader_gets_the_samples(tmp_path: Path, sample_rate_hz: int) -> None:
    pcm = speech(sample_rate_hz, 1.001)
    path = tmp_path / "speech.wav"

    write(path, sample_rate_hz, [pcm[:2], pcm[2:1_000]], [], [pcm[1_000:]])

    with wave.open(str(path)) as reader:
        parameters = (reader.getnchannels(), reader.getsampwidth(), reader.getframerate())
        assert parameters == (1, 2, sample_rate_hz)
        assert reader.getnframes() == len(pcm) // 2
        assert reader.readframes(len(pcm)) == pcm


def test_the_header_is_the_canonical_one(tmp_path: Path) -> None:
    write(tmp_path / "two.wav", 16_000, [b"\x01\x00\x02\x00"])

    # http://soundfile.sapp.org/doc/WaveFormat/, with 2 samples at 16 kHz
    assert (tmp_path / "two.wav").read_bytes().hex(" ", 4) == (
        "52494646 28000000 57415645 666d7420 10000000 01000100 803e0000 007d0000 02001000 "
        "64617461 04000000 01000200"
    )


def test_a_file_without_samples_is_a_wav_file(tmp_path: Path) -> None:
    write(tmp_path / "empty.wav", 16_000)

    with wave.open(str(tmp_path / "empty.wav")) as reader:
        assert reader.getnframes() == 0
    assert (tmp_path / "empty.wav").stat().st_size == 44
