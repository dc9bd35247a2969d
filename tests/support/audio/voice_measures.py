"""Oracles for speech: how fast, how high and how loud it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airslice.domain.script import Voice
from airslice.domain.sentences import Utterance

RATE_HZ = 48_000

CHINESE = "欢迎来到我们的直播间,今天给大家介绍一款新的产品。"
HAN_CHARACTERS = 23
ENGLISH = "Welcome to our live room, today we present a new product."
WORDS = 11


def said(text: str, voice_id: str = "", *, say_as: str = "", **voice: int) -> Utterance:
    """Return an utterance; `voice` is its speed, pitch and volume."""
    return Utterance(text, Voice(asset_id=voice_id, **voice), say_as=say_as)


def seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / RATE_HZ


def samples_of(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, np.int16).astype(np.float64)


def dbfs(pcm: bytes) -> float:
    """Return the level, in decibels under full scale."""
    return float(20 * np.log10(rms(pcm) / 32_768))


def rms(pcm: bytes) -> float:
    return float(np.sqrt(np.mean(samples_of(pcm) ** 2)))


def peak(pcm: bytes) -> int:
    return int(np.abs(samples_of(pcm)).max())


def fundamental_hz(pcm: bytes) -> float:
    """Return the median of the voiced frames' fundamental, found by autocorrelation."""
    signal = samples_of(pcm)
    signal = signal[: len(signal) // 4 * 4].reshape(-1, 4).mean(axis=1)
    rate_hz, size = RATE_HZ // 4, 1_024
    shortest, longest = rate_hz // 450, rate_hz // 50
    found = []
    for start in range(0, len(signal) - size, size // 2):
        frame = signal[start : start + size] - signal[start : start + size].mean()
        if np.sqrt(np.mean(frame**2)) < 500:
            continue
        likeness = np.correlate(frame, frame, "full")[size - 1 :]
        lag = shortest + int(np.argmax(likeness[shortest:longest]))
        if likeness[lag] > likeness[0] / 2:
            found.append(rate_hz / lag)
    return float(np.median(found))


def silent_share(pcm: bytes) -> float:
    """Return which part of the 20 ms frames is under -50 dBFS."""
    signal = samples_of(pcm)
    frames = signal[: len(signal) // 960 * 960].reshape(-1, 960)
    return float(np.mean(np.sqrt(np.mean(frames**2, axis=1)) < 103))


def centroid_hz(pcm: bytes) -> float:
    """Return the spectrum's centre of gravity."""
    signal = samples_of(pcm)
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    hertz = np.fft.rfftfreq(len(signal), 1 / RATE_HZ)
    return float(np.sum(hertz * spectrum) / np.sum(spectrum))
