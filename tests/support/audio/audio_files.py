"""Audio files to be sent by servers in tests, made by FFmpeg's encoders."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

CODECS = {"wav": "pcm_s16le", "mp3": "libmp3lame", "ogg": "libopus", "flac": "flac"}


def tone(duration_s: float, *, hertz: float = 440.0, rate_hz: int = 44_100) -> NDArray[np.int16]:
    """Return a sine of half of full scale."""
    time_s = np.arange(int(duration_s * rate_hz)) / rate_hz
    return (16_000 * np.sin(2 * np.pi * hertz * time_s)).astype(np.int16)


def audio_file(
    container: str, samples: NDArray[np.int16], *, rate_hz: int = 44_100, channels: int = 1
) -> bytes:
    """Encode samples; in all channels the same."""
    layout = "stereo" if channels == 2 else "mono"
    file = io.BytesIO()
    with av.open(file, "w", format=container) as writer:
        stream = writer.add_stream(CODECS[container], rate=rate_hz, layout=layout)
        assert isinstance(stream, av.AudioStream)
        codec = stream.codec_context
        frame = av.AudioFrame.from_ndarray(
            np.repeat(samples, channels).reshape(1, -1), format="s16", layout=layout
        )
        frame.sample_rate = rate_hz
        frame.time_base = Fraction(1, rate_hz)
        frame.pts = 0
        resampler = av.AudioResampler(codec.format, layout, rate_hz, codec.frame_size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            writer.mux(stream.encode(piece))
        writer.mux(stream.encode(None))
    return file.getvalue()
