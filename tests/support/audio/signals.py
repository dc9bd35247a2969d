"""Signals to encode, how to measure what comes back, and Opus packets of them."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray


def tone(sample_rate_hz: int, samples: int, *, hertz: float = 440.0, peak: float = 0.5) -> bytes:
    """Return a sine as 16-bit mono PCM; `peak` is relative to full scale."""
    time_s = np.arange(samples) / sample_rate_hz
    return pcm16(peak * 32_767 * np.sin(2 * np.pi * hertz * time_s))


def speech(sample_rate_hz: int, seconds: float) -> bytes:
    """Return 16-bit mono PCM like a voice: gliding harmonics under three formants, syllables."""
    time_s = np.arange(int(sample_rate_hz * seconds)) / sample_rate_hz
    pitch_hz = 120 + 30 * np.sin(2 * np.pi * 0.7 * time_s) + 5 * np.sin(2 * np.pi * 5 * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz
    signal = np.zeros(len(time_s))
    for harmonic in range(1, 25):
        formants = ((500, 200), (1_500, 300), (2_500, 400))
        gain = sum(np.exp(-(((harmonic * 130 - at) / width) ** 2)) for at, width in formants)
        signal += (gain + 0.02) * np.sin(harmonic * phase)
    signal *= 0.55 + 0.45 * np.sin(2 * np.pi * 3.3 * time_s)
    return pcm16(signal / np.abs(signal).max() * 20_000)


def pcm16(signal: NDArray[np.float64]) -> bytes:
    """Round to 16-bit PCM."""
    return signal.astype("<i2").tobytes()


def samples_of(pcm: bytes) -> NDArray[np.float64]:
    """Return 16-bit PCM as numbers to calculate with."""
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def dominant_hertz(pcm: bytes, sample_rate_hz: int) -> float:
    """Return the frequency of the strongest component."""
    signal = samples_of(pcm)
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    return float(np.argmax(spectrum)) * sample_rate_hz / len(signal)


def rms(pcm: bytes) -> float:
    """Return the root mean square, in units of the least bit; 0 for nothing."""
    signal = samples_of(pcm)
    return float(np.sqrt(np.mean(signal**2))) if len(signal) else 0.0


def snr_db(pcm: bytes, reference: bytes) -> float:
    """Return how far the difference of two equally long signals lies under `reference`."""
    wanted = samples_of(reference)
    noise = samples_of(pcm) - wanted
    return float(10 * np.log10(np.sum(wanted**2) / (np.sum(noise**2) + 1e-9)))


def opus_packets(
    pcm: bytes,
    *,
    sample_rate_hz: int = 48_000,
    layout: str = "mono",
    bit_rate: int = 24_000,
    **options: str,
) -> list[bytes]:
    """Encode PCM by libopus; `options` are FFmpeg's for it."""
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate = sample_rate_hz
    encoder.layout = layout
    encoder.format = "s16"
    encoder.bit_rate = bit_rate
    encoder.options = options
    channels = 2 if layout == "stereo" else 1
    frame = av.AudioFrame("s16", layout, len(pcm) // 2 // channels)
    frame.planes[0].update(pcm)
    frame.sample_rate = sample_rate_hz
    return [bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]]
