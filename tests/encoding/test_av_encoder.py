from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from airslice.domain.apps import SAMPLE_RATES_HZ, SliceFormat
from airslice.encoding.av_encoder import AvEncoder
from airslice.slicing.audio import PcmAudio
from tests.support.audio.ffmpeg import FFmpeg
from tests.support.audio.signals import dominant_hertz, rms, snr_db, speech, tone

FORMATS = [SliceFormat.FLAC, SliceFormat.MP3, SliceFormat.AAC, SliceFormat.OGG]


@dataclass(frozen=True)
class Expected:
    """What other software is to find in a file."""

    codec: str
    snr_db: float = 15.0
    excess: int = 0
    """How many samples more than were written may be played, at most."""


EXPECTED = {
    SliceFormat.FLAC: Expected("flac", snr_db=90.0),
    # Where the padding is longer than the last frame, FFmpeg does not state all of it.
    SliceFormat.MP3: Expected("mp3", excess=48),
    # FFmpeg's decoder ignores the end of an MP4 edit list: it plays the last frame to its end.
    SliceFormat.AAC: Expected("aac", excess=1_023),
    SliceFormat.OGG: Expected("opus"),
}


def encode(path: Path, slice_format: SliceFormat, rate_hz: int, pcm: bytes) -> None:
    """Write `pcm` in pieces of uneven lengths."""
    encoder = AvEncoder(path, slice_format, rate_hz)
    sizes = (2, 6_400, 0, 640, 100_000)
    at = 0
    while at < len(pcm):
        pieces = []
        for size in sizes:
            pieces.append(PcmAudio(pcm[at : at + size]))
            at += size
        encoder.write(pieces)
    encoder.close()


@pytest.fixture(params=FORMATS)
def slice_format(request: pytest.FixtureRequest) -> SliceFormat:
    """Return each format, in turn."""
    return SliceFormat(request.param)


@pytest.fixture(params=SAMPLE_RATES_HZ)
def rate_hz(request: pytest.FixtureRequest) -> int:
    """Return each rate, in turn."""
    return int(request.param)


@pytest.mark.parametrize("extra_samples", [0, 1, 777])
def test_other_software_finds_the_tone_at_its_level_and_length(
    tmp_path: Path, ffmpeg: FFmpeg, slice_format: SliceFormat, rate_hz: int, extra_samples: int
) -> None:
    expected = EXPECTED[slice_format]
    samples = 3 * rate_hz + extra_samples
    path = tmp_path / f"tone.{slice_format.extension}"
    encode(path, slice_format, rate_hz, tone(rate_hz, samples, hertz=1_000.0))

    probe = ffmpeg.probe(path)
    pcm = ffmpeg.decode(path)

    played_hz = 48_000 if slice_format is SliceFormat.OGG else rate_hz
    played = samples * played_hz // rate_hz
    assert (probe.codec, probe.sample_rate_hz, probe.channels) == (expected.codec, played_hz, 1)
    assert 0 <= len(pcm) // 2 - played <= expected.excess
    middle = pcm[played_hz * 2 : 2 * played_hz * 2]
    assert dominant_hertz(middle, played_hz) == pytest.approx(1_000, abs=2)
    # LAME takes 5 % off the level, against clipping.
    assert rms(middle) == pytest.approx(0.5 * 32_767 / 2**0.5, rel=0.06)


@pytest.mark.parametrize(
    ("slice_format", "rate_hz"),
    # Opus plays at 48 kHz, whatever was encoded: only then are there samples to compare with.
    [
        (slice_format, rate_hz)
        for slice_format in FORMATS
        for rate_hz in SAMPLE_RATES_HZ
        if slice_format is not SliceFormat.OGG or rate_hz == 48_000
    ],
)
def test_the_sound_is_where_it_was(
    tmp_path: Path, ffmpeg: FFmpeg, slice_format: SliceFormat, rate_hz: int
) -> None:
    pcm = speech(rate_hz, 2.0)
    path = tmp_path / f"speech.{slice_format.extension}"
    encode(path, slice_format, rate_hz, pcm)

    decoded = ffmpeg.decode(path)[: len(pcm)]

    assert snr_db(decoded, pcm) > EXPECTED[slice_format].snr_db


def test_the_stated_duration_is_that_of_the_audio(
    tmp_path: Path, slice_format: SliceFormat, rate_hz: int
) -> None:
    samples = 20 * rate_hz
    path = tmp_path / f"tone.{slice_format.extension}"
    encode(path, slice_format, rate_hz, tone(rate_hz, samples))

    with av.open(str(path)) as container:
        assert container.duration is not None
        stated_s = container.duration / av.time_base

    pre_skip_s = 0.0065 if slice_format is SliceFormat.OGG else 0  # FFmpeg counts it in
    assert stated_s - pre_skip_s == pytest.approx(samples / rate_hz, abs=2e-6)


def test_the_systems_ffprobe_agrees_on_the_duration_of_aac_and_flac(
    tmp_path: Path, ffmpeg: FFmpeg, rate_hz: int
) -> None:
    samples = 3 * rate_hz + 777
    for slice_format in (SliceFormat.AAC, SliceFormat.FLAC):
        path = tmp_path / f"tone.{slice_format.extension}"
        encode(path, slice_format, rate_hz, tone(rate_hz, samples))

        assert ffmpeg.probe(path).duration_s == pytest.approx(samples / rate_hz, abs=2e-6)


def test_m4a_can_be_played_while_it_loads(tmp_path: Path) -> None:
    path = tmp_path / "tone.m4a"
    encode(path, SliceFormat.AAC, 16_000, tone(16_000, 16_000))

    data = path.read_bytes()
    boxes = []
    while data:
        size, name = struct.unpack_from(">I4s", data)
        boxes.append((name, data[8:12]))
        data = data[size:]

    names = [name for name, _ in boxes]
    assert boxes[0] == (b"ftyp", b"M4A ")
    assert names.index(b"moov") < names.index(b"mdat")


def test_the_same_audio_gives_the_same_bytes(tmp_path: Path, slice_format: SliceFormat) -> None:
    for name in ("one", "two"):
        encode(tmp_path / name, slice_format, 16_000, speech(16_000, 1.0))

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_file_without_samples_can_be_closed(tmp_path: Path, slice_format: SliceFormat) -> None:
    encode(tmp_path / "empty", slice_format, 16_000, b"")

    assert (tmp_path / "empty").stat().st_size > 0


def test_a_full_disk_is_an_os_error(slice_format: SliceFormat) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(OSError, match="No space left"):
        encode(Path("/dev/full"), slice_format, 16_000, speech(16_000, 20.0))


def test_what_cannot_be_created_is_an_os_error(tmp_path: Path, slice_format: SliceFormat) -> None:
    with pytest.raises(OSError, match="No such file"):
        AvEncoder(tmp_path / "missing" / "file", slice_format, 16_000)
