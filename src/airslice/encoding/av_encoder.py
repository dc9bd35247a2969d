"""FLAC, MP3, AAC and Ogg Opus files from PCM, by PyAV.

Encoding releases the GIL, so a thread pool of encoders uses all cores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av

from airslice.domain.apps import SliceFormat
from airslice.slicing.audio import PCM_SAMPLE_BYTES, PcmAudio


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How FFmpeg makes one format."""

    container: str
    codec: Literal["aac", "flac", "libmp3lame", "libopus"]
    bit_rates: Mapping[int, int] = field(default_factory=dict)
    """Bits per second by sample rate; empty where the codec is lossless."""
    codec_options: Mapping[str, str] = field(default_factory=dict)
    container_options: Mapping[str, str] = field(default_factory=dict)


_SPEECH_BIT_RATES = {8_000: 24_000, 16_000: 32_000, 24_000: 48_000, 48_000: 64_000}
_OPUS_BIT_RATES = dict.fromkeys(_SPEECH_BIT_RATES, 32_000)

_RECIPES = {
    SliceFormat.FLAC: _Recipe("flac", "flac"),
    # Quality 7 of 0 (best) to 9: half the work of the default.
    SliceFormat.MP3: _Recipe("mp3", "libmp3lame", _SPEECH_BIT_RATES, {"compression_level": "7"}),
    SliceFormat.AAC: _Recipe(
        "ipod",  # MPEG-4 with the brand M4A
        "aac",
        _SPEECH_BIT_RATES,
        # The default coder takes three to four times as long.
        {"aac_coder": "fast"},
        # The edit list, which gives the exact length, counts in these ticks: all rates divide
        # 48 kHz, but not the default of 1 kHz.
        {"movflags": "+faststart", "movie_timescale": "48000"},
    ),
    # Complexity 5 of 10: a third of the work. Unconstrained, narrowband comes at twice the rate.
    SliceFormat.OGG: _Recipe(
        "ogg", "libopus", _OPUS_BIT_RATES, {"compression_level": "5", "vbr": "constrained"}
    ),
}


class AvEncoder:
    """Encodes mono PCM into a file, as it comes; what players decode lasts as long as the PCM.

    Every method raises OSError where FFmpeg or the disk fails.
    """

    def __init__(self, path: Path, slice_format: SliceFormat, sample_rate_hz: int) -> None:
        """Create the file, of any format but WAV, at one of `domain.apps.SAMPLE_RATES_HZ`."""
        recipe = _RECIPES[slice_format]
        self._rate_hz = sample_rate_hz
        self._position = 0
        # Neither date nor version: the same audio gives the same bytes.
        options = {"fflags": "+bitexact", **recipe.container_options}
        with _os_errors():
            self._container = av.open(str(path), "w", format=recipe.container, options=options)
            self._stream = self._container.add_stream(
                recipe.codec,
                rate=sample_rate_hz,
                layout="mono",
                options=dict(recipe.codec_options),
            )
            codec = self._stream.codec_context
            codec.thread_count = 1
            if recipe.bit_rates:
                codec.bit_rate = recipe.bit_rates[sample_rate_hz]
            self._container.start_encoding()

    def write(self, pieces: Sequence[PcmAudio]) -> None:
        """Encode pieces of audio and append them to the file."""
        step_bytes = self._rate_hz * PCM_SAMPLE_BYTES  # 1 s, to bound what the encoder buffers
        with _os_errors():
            for piece in pieces:
                for start in range(0, len(piece.pcm), step_bytes):
                    self._encode(piece.pcm[start : start + step_bytes])

    def close(self) -> None:
        """Write what is still held back, complete the file and close it."""
        with _os_errors(), self._container:
            self._container.mux(self._stream.encode(None))

    def _encode(self, pcm: bytes) -> None:
        frame = av.AudioFrame("s16", "mono", len(pcm) // PCM_SAMPLE_BYTES)
        frame.planes[0].update(pcm)
        frame.sample_rate = self._rate_hz
        frame.time_base = Fraction(1, self._rate_hz)
        frame.pts = self._position
        self._position += frame.samples
        self._container.mux(self._stream.encode(frame))


@contextmanager
def _os_errors() -> Iterator[None]:
    """Raise FFmpeg's errors as OSError: most, but not all, are already."""
    try:
        yield
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error
