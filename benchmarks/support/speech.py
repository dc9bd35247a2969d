"""Speech as a browser sends it: Opus packets of 20 ms, 32 kbit/s, mono."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

RATE_HZ = 48_000
FRAME_SAMPLES = 960
BIT_RATE = 32_000
SILENT_LEVEL = 127


class SpeechPacket(NamedTuple):
    """One Opus packet."""

    payload: bytes
    level: int
    """RFC 6464 audio level, -dBov."""


def speech_packets() -> list[SpeechPacket]:
    """Encode the demonstration's text; about half a minute."""
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate = RATE_HZ
    encoder.layout = "mono"
    encoder.format = "s16"
    encoder.bit_rate = BIT_RATE
    encoder.options = {"application": "voip", "frame_duration": "20"}
    packets = []
    for samples in _frames():
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        level = _level(samples)
        packets += [SpeechPacket(bytes(packet), level) for packet in encoder.encode(frame)]
    return packets


def _frames() -> Iterator[np.ndarray]:
    resampler = av.AudioResampler("s16", "mono", RATE_HZ, frame_size=FRAME_SAMPLES)
    with av.open(str(Path(__file__).with_name("speech.ogg"))) as container:
        for decoded in container.decode(audio=0):
            for frame in resampler.resample(decoded):
                yield frame.to_ndarray()[0]


def _level(samples: np.ndarray) -> int:
    power = float(np.mean(np.square(samples.astype(np.float64)))) / 32_768**2
    return SILENT_LEVEL if power == 0 else min(SILENT_LEVEL, round(-10 * math.log10(power)))
