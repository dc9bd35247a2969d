"""Reads SSML: which text is spoken with which voice, and where there is a pause.

Of SSML 1.1 (https://www.w3.org/TR/speech-synthesis11/) these have an effect: ``speak``, ``p``,
``s``, ``break``, ``prosody`` (rate, pitch, volume), ``emphasis``, ``say-as`` and ``sub``. Every
other element is read through, except those that hold no text to be spoken. A text without any such
tag is plain; so is one that is no well-formed XML, once its tags are taken out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple
from xml.parsers import expat

from airslice.domain.script import Voice

SPEED_RANGE = (50, 200)
PITCH_RANGE = (50, 200)
VOLUME_RANGE = (90, 240)
"""Bounds of a voice's speed, pitch and volume after markup has changed them; see `Voice`."""

MAX_PAUSE_MS = 10_000
"""Longest pause in one place, in milliseconds."""

_TAG = re.compile(
    r"</?(?:speak|break|p|s|prosody|say-as|sub|emphasis|phoneme|voice|mark|audio)\b[^<>]*>"
)
_ANY_TAG = re.compile(r"<[^<>]*>")
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_LAYOUT = str.maketrans("\t\r\n", "   ")

_SILENT_ELEMENTS = frozenset({"metadata", "meta", "lexicon", "desc"})

_BREAKS_MS: Mapping[str, int] = {
    "none": 0, "x-weak": 250, "weak": 500, "medium": 750, "strong": 1_000, "x-strong": 1_250,
}  # fmt: skip
_PARAGRAPH_MS = 500
_RATES: Mapping[str, float] = {
    "x-slow": 0.5, "slow": 0.75, "medium": 1, "default": 1, "fast": 1.25, "x-fast": 1.5,
}  # fmt: skip
_PITCHES: Mapping[str, float] = {
    "x-low": 0.5, "low": 0.75, "medium": 1, "default": 1, "high": 1.25, "x-high": 1.5,
}  # fmt: skip
_VOLUMES: Mapping[str, float] = {
    "silent": 0.1, "x-soft": 0.65, "soft": 0.8, "medium": 1, "default": 1, "loud": 1.25,
    "x-loud": 1.5,
}  # fmt: skip
_MANNERS: Mapping[str, tuple[float, float]] = {  # emphasis: factors of speed and volume
    "strong": (0.9, 1.25), "moderate": (0.95, 1.1), "none": (1, 1), "reduced": (1.05, 0.9),
}  # fmt: skip
_FACTOR_RANGE = (0.1, 10.0)


class MarkupRefused(ValueError):
    """Raised for markup with a document type definition, whose entities could expand endlessly."""


class Run(NamedTuple):
    """A stretch of text that is spoken in one manner."""

    start: int
    end: int
    voice: Voice
    say_as: str = ""
    is_whole: bool = False
    """Whether no sentence ends within it."""


class Markup(NamedTuple):
    """A text without its tags, and what the tags said."""

    text: str
    runs: tuple[Run, ...]
    """The runs of the text, in order; together they cover it."""
    pauses: tuple[tuple[int, int], ...] = ()
    """The pauses, in order: position in the text, and length in milliseconds."""
    ends: frozenset[int] = frozenset()
    """Positions at which a sentence ends because of a tag."""


def read_markup(text: str, voice: Voice) -> Markup:
    """Read a text that is plain or SSML.

    Args:
        text: The text as its owner wrote it. Only in plain text a line break ends a sentence.
        voice: The voice that speaks, unless markup says otherwise.

    Raises:
        MarkupRefused: the text has a document type definition.
    """
    text = _NOT_TEXT.sub(" ", text)
    if not _TAG.search(text):
        return _plain(text, voice)
    try:
        return _Reader(voice).read(text)
    except expat.ExpatError:
        return _plain(html.unescape(_ANY_TAG.sub(" ", text)), voice)


def _plain(text: str, voice: Voice) -> Markup:
    return Markup(text, (Run(0, len(text), voice),) if text else ())


class _Manner(NamedTuple):
    """How text is spoken within an element."""

    element: str = ""
    speed: float = 1
    pitch: float = 1
    volume: float = 1
    say_as: str = ""
    is_whole: bool = False
    is_silent: bool = False

    def times(self, *, speed: float = 1, pitch: float = 1, volume: float = 1) -> _Manner:
        return self._replace(
            speed=_within(self.speed * speed, _FACTOR_RANGE),
            pitch=_within(self.pitch * pitch, _FACTOR_RANGE),
            volume=_within(self.volume * volume, _FACTOR_RANGE),
        )

    def applied_to(self, voice: Voice) -> Voice:
        return replace(
            voice,
            speed=round(_within(voice.speed * self.speed, SPEED_RANGE)),
            pitch=round(_within(voice.pitch * self.pitch, PITCH_RANGE)),
            volume=round(_within(voice.volume * self.volume, VOLUME_RANGE)),
        )


class _Reader:
    """Reads one text; elements may be nested as deep as the text is long."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._manners = [_Manner()]
        self._parts: list[str] = []
        self._length = 0
        self._runs: list[Run] = []
        self._pauses: list[tuple[int, int]] = []
        self._ends: set[int] = set()

    def read(self, text: str) -> Markup:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._say
        parser.StartDoctypeDeclHandler = _refuse
        if "<speak" not in text:
            text = f"<speak>{text}</speak>"
        parser.Parse(text.strip().encode(), True)
        return Markup(
            "".join(self._parts), tuple(self._runs), tuple(self._pauses), frozenset(self._ends)
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        manner = self._manners[-1]._replace(element=name)
        match name:
            case "s" | "p" | "speak":
                self._ends.add(self._length)
            case "break":
                self._pause(_break_ms(attributes))
            case "prosody":
                manner = manner.times(
                    speed=_factor(attributes.get("rate", ""), _RATES),
                    pitch=_factor(attributes.get("pitch", ""), _PITCHES),
                    volume=_factor(attributes.get("volume", ""), _VOLUMES, is_volume=True),
                )
            case "emphasis":
                speed, volume = _MANNERS.get(attributes.get("level", ""), _MANNERS["moderate"])
                manner = manner.times(speed=speed, volume=volume)
            case "say-as":
                manner = manner._replace(say_as=attributes.get("interpret-as", ""), is_whole=True)
            case "sub":
                manner = manner._replace(is_whole=True)
                self._manners.append(manner)
                self._say(attributes.get("alias", ""))
                self._manners[-1] = manner._replace(is_silent=True)
                return
            case _ if name in _SILENT_ELEMENTS:
                manner = manner._replace(is_silent=True)
        self._manners.append(manner)

    def _end(self, name: str) -> None:
        self._manners.pop()
        if name in ("s", "p", "speak"):
            self._ends.add(self._length)
        if name == "p":
            self._pause(_PARAGRAPH_MS)

    def _say(self, text: str) -> None:
        manner = self._manners[-1]
        if manner.is_silent or not text:
            return
        start, self._length = self._length, self._length + len(text)
        self._parts.append(text.translate(_LAYOUT))
        run = Run(
            start, self._length, manner.applied_to(self._voice), manner.say_as, manner.is_whole
        )
        if self._runs and not run.is_whole and self._runs[-1][2:] == run[2:]:
            run = run._replace(start=self._runs.pop().start)
        self._runs.append(run)

    def _pause(self, pause_ms: int) -> None:
        if pause_ms:
            self._pauses.append((self._length, pause_ms))


def _refuse(*_: object) -> None:
    raise MarkupRefused("a document type definition is not allowed in SSML")


def _break_ms(attributes: Mapping[str, str]) -> int:
    """Return how long a ``break`` is."""
    time = re.fullmatch(r"\+?(\d{1,9}(?:\.\d*)?|\.\d+)(ms|s)", attributes.get("time", "").strip())
    if time:
        return min(MAX_PAUSE_MS, round(float(time[1]) * (1_000 if time[2] == "s" else 1)))
    return _BREAKS_MS.get(attributes.get("strength", ""), _BREAKS_MS["medium"])


_FACTORS: tuple[tuple[re.Pattern[str], Callable[[str], float]], ...] = (
    (re.compile(r"([+-]\d{1,4}(?:\.\d+)?)%"), lambda change: 1 + float(change) / 100),
    (re.compile(r"(\d{1,4}(?:\.\d+)?)%"), lambda share: float(share) / 100),
    (re.compile(r"([+-]\d{1,3}(?:\.\d+)?)st"), lambda semitones: 2 ** (float(semitones) / 12)),
    (re.compile(r"([+-]\d{1,3}(?:\.\d+)?)dB"), lambda decibels: 10 ** (float(decibels) / 20)),
)


def _factor(text: str, words: Mapping[str, float], *, is_volume: bool = False) -> float:
    """Return what an attribute of ``prosody`` multiplies by; 1 if it cannot be understood."""
    text = text.strip()
    if text in words:
        return words[text]
    for pattern, meaning in _FACTORS:
        if found := pattern.fullmatch(text):
            return _within(meaning(found[1]), _FACTOR_RANGE)
    if re.fullmatch(r"\d{1,3}(?:\.\d+)?", text):  # a rate of 1.2, but a volume of 80 of 100
        return _within(float(text) / (100 if is_volume else 1), _FACTOR_RANGE)
    return 1


def _within(value: float, bounds: tuple[float, float]) -> float:
    return max(bounds[0], min(bounds[1], value))
