"""What of an utterance is spoken, what of the speech is kept, and how loud it is."""

from __future__ import annotations

import numpy as np

from airslice.application.ports.live import SpeechRefused
from airslice.application.ports.media import SPEECH_RATE_HZ
from airslice.domain.sentences import Utterance
from airslice.slicing.mixer import limited

MAX_TEXT_CHARS = 1_000
"""Of one utterance: five times the longest sentence that a script is cut into."""

_SPELLED = frozenset({"characters", "digits", "spell-out", "telephone", "verbatim"})
"""Values of SSML's ``interpret-as`` for which each character is spoken by its name."""

_OWN_VOLUME = 140
"""Of `Voice.volume`."""

_AUDIBLE = 33
"""-60 dBFS."""

_MARGIN_SAMPLES = SPEECH_RATE_HZ // 200
"""5 ms, so that no sound begins or ends with a click."""


def text_of(utterance: Utterance) -> str:
    """Return the text without control characters and white space around it.

    Raises:
        SpeechRefused: it is too long.
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
    """Cut silence off both ends of PCM at `SPEECH_RATE_HZ`, all but 5 ms; b"" if it is all."""
    samples = np.frombuffer(pcm, np.int16)
    # Not of the absolute value: that of -32768 does not fit.
    audible = np.flatnonzero((samples > _AUDIBLE) | (samples < -_AUDIBLE))
    if not len(audible):
        return b""
    start = max(0, int(audible[0]) - _MARGIN_SAMPLES)
    return samples[start : int(audible[-1]) + 1 + _MARGIN_SAMPLES].tobytes()


def at_volume(pcm: bytes, volume: int) -> bytes:
    """Return PCM that is at a voice's own volume at another, proportionally up to a soft limit.

    Args:
        pcm: int16.
        volume: As `Voice.volume`.
    """
    if volume == _OWN_VOLUME:
        return pcm
    return limited(np.frombuffer(pcm, np.int16).astype(np.int32) * volume // _OWN_VOLUME)
