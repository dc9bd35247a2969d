"""What the speech engines have in common: the text that is spoken, and trimmed PCM at a volume."""

from __future__ import annotations

import numpy as np

from airslice.application.ports.live import SpeechRefused
from airslice.application.ports.media import SPEECH_RATE_HZ
from airslice.domain.sentences import Utterance
from airslice.slicing.mixer import limited

MAX_TEXT_CHARS = 1_000
"""Longest text of one utterance: five times the longest sentence that a script is cut into."""

_SPELLED = frozenset({"characters", "digits", "spell-out", "telephone", "verbatim"})
"""Values of SSML's ``interpret-as`` for which each character is spoken by its name."""

_OWN_VOLUME = 140
"""The `Voice.volume` at which an engine's PCM is left as it is."""

_AUDIBLE = 33
"""Largest magnitude of an int16 sample that counts as silent: -60 dBFS."""

_MARGIN_SAMPLES = SPEECH_RATE_HZ // 200
"""5 ms, so that no sound begins or ends with a click."""


def text_of(utterance: Utterance) -> str:
    """Return the text of an utterance, without control characters and surrounding white space.

    Raises:
        SpeechRefused: the text is longer than `MAX_TEXT_CHARS`.
    """
    text = "".join(char if char.isprintable() else " " for char in utterance.text).strip()
    if len(text) > MAX_TEXT_CHARS:
        raise SpeechRefused(f"a sentence is longer than {MAX_TEXT_CHARS} characters")
    return text


def is_spelled(utterance: Utterance) -> bool:
    """Whether each character is to be spoken by its name."""
    return utterance.say_as in _SPELLED


def is_chinese(text: str) -> bool:
    """Whether a text has Han characters, but no Japanese ones."""
    return any("\u3400" <= char <= "\u9fff" or char >= "\U00020000" for char in text) and not any(
        "\u3040" <= char <= "\u30ff" for char in text
    )


def trimmed(pcm: bytes) -> bytes:
    """Return PCM at `SPEECH_RATE_HZ` with at most 5 ms of silence at each end; b"" if all is."""
    samples = np.frombuffer(pcm, np.int16)
    # Not of the absolute value: that of -32768 does not fit.
    audible = np.flatnonzero((samples > _AUDIBLE) | (samples < -_AUDIBLE))
    if not len(audible):
        return b""
    start = max(0, int(audible[0]) - _MARGIN_SAMPLES)
    return samples[start : int(audible[-1]) + 1 + _MARGIN_SAMPLES].tobytes()


def at_volume(pcm: bytes, volume: int) -> bytes:
    """Return int16 PCM at a `Voice.volume`: scaled linearly, up to a soft limit."""
    if volume == _OWN_VOLUME:
        return pcm
    return limited(np.frombuffer(pcm, np.int16).astype(np.int32) * volume // _OWN_VOLUME)
