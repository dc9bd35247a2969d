"""Looks into slices: what is in them, and where."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

QUIET_S = 0.2
"""Quiet this long before a sound makes it an onset."""


def read_wav(path: Path, *, rate: int = 16_000) -> Samples:
    """Return the samples of a mono 16-bit WAV file of this rate."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (rate, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def joined(parts: Iterable[Samples]) -> Samples:
    """Return the samples of several slices in a row."""
    return np.concatenate(list(parts))


def onsets_s(samples: Samples, *, rate: int = 16_000, threshold: int = 1_500) -> list[float]:
    """Return where sounds begin after quiet, in seconds from the first sample."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > threshold)
    if loud.size == 0:
        return []
    gaps = np.diff(loud, prepend=-QUIET_S * rate)
    return [float(at) / rate for at in loud[gaps >= QUIET_S * rate]]


def beeps(
    seconds: float,
    *,
    rate: int = 48_000,
    every_s: float = 1.0,
    length_s: float = 0.05,
    frequency: float = 1_000,
    amplitude: float = 12_000,
    first_s: float = 0.0,
) -> Samples:
    """Make beeps that begin at `first_s` and then every `every_s` seconds; quiet between."""
    at = np.arange(int(seconds * rate)) / rate
    since = np.mod(at - first_s, every_s)
    sound = (since < length_s) & (at >= first_s)
    return (amplitude * sound * np.sin(2 * np.pi * frequency * since)).astype(np.int16)


def strongest(samples: Samples, frequencies: Iterable[float], *, rate: int = 16_000) -> float:
    """Return which of the frequencies is the strongest in `samples`."""
    at = np.arange(samples.size) / rate
    return max(
        frequencies, key=lambda hz: abs(np.sum(samples * np.exp(-2j * np.pi * hz * at))).item()
    )
