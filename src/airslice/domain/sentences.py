"""Cuts a paragraph into sentences, and sentences into utterances of one voice each.

What markup means is read in `ssml`; what is said when is decided in `playing`.
"""
# ruff: noqa: RUF001 - Chinese punctuation is meant

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from airslice.domain.script import Voice
from airslice.domain.ssml import MAX_PAUSE_MS, Markup, Run, read_markup

MAX_SENTENCE_CHARS = 200
"""Longer sentences are cut, at a comma or a space if there is one. A crash loses the rest of a
sentence, and whoever comes hears nothing before the next one begins."""


class Utterance(NamedTuple):
    """What is spoken at a time: a sentence, or a part of one that has its own voice."""

    text: str
    """Plain text without markup; empty if there is only a pause."""
    voice: Voice
    pause_ms: int = 0
    """Length of the silence before the text, in milliseconds."""
    say_as: str = ""
    """How to read the text: a value of SSML's ``interpret-as`` such as ``digits``, ``characters``
    or ``date``; empty: as it stands."""


class Sentence(NamedTuple):
    """A sentence of a paragraph, as the utterances that it is spoken in."""

    offset: int
    """Number of characters before it in the paragraph's text, tags not counted."""
    utterances: tuple[Utterance, ...]


def sentences(text: str, voice: Voice) -> tuple[Sentence, ...]:
    """Return the sentences of a paragraph, in order; those without a spoken character are left out.

    Args:
        text: Plain text or SSML, see `airslice.domain.ssml`.
        voice: The voice that speaks, unless markup says otherwise.

    Raises:
        MarkupRefused: the text has a document type definition.
    """
    markup = read_markup(text, voice)
    reader = _Utterances(markup)
    found = []
    for start, end in _spans(markup):
        if _is_spoken(markup.text[start:end]):
            offset = start + len(markup.text[start:end]) - len(markup.text[start:end].lstrip())
            found.append(Sentence(offset, reader.take(start, end)))
    if rest_ms := reader.pause_ms_up_to(len(markup.text)):
        silence = Utterance("", voice, rest_ms)
        last = found.pop() if found else Sentence(0, ())
        found.append(last._replace(utterances=(*last.utterances, silence)))
    return tuple(found)


class _Utterances:
    """Takes the utterances of one sentence after another out of a text."""

    def __init__(self, markup: Markup) -> None:
        self._markup = markup
        self._pauses = iter([*markup.pauses, (len(markup.text) + 1, 0)])
        self._next_pause = next(self._pauses)
        self._runs = list(reversed(markup.runs))

    def pause_ms_up_to(self, position: int) -> int:
        """Return the sum of the pauses up to a position that were not returned yet."""
        pause_ms = 0
        while self._next_pause[0] <= position:
            pause_ms += self._next_pause[1]
            self._next_pause = next(self._pauses)
        return min(pause_ms, MAX_PAUSE_MS)

    def take(self, start: int, end: int) -> tuple[Utterance, ...]:
        """Return the utterances between two positions, which must follow those of the last call."""
        utterances: list[Utterance] = []
        waiting_ms = 0
        while start < end:
            waiting_ms = min(waiting_ms + self.pause_ms_up_to(start), MAX_PAUSE_MS)
            while self._runs[-1].end <= start:
                self._runs.pop()
            run = self._runs[-1]
            stop = min(end, run.end, max(self._next_pause[0], start + 1))
            text = self._markup.text[start:stop]
            start = stop
            if utterances and not waiting_ms and _goes_on(utterances[-1], run, text):
                last = utterances[-1]
                utterances[-1] = last._replace(text=last.text + text)
            elif _is_spoken(text):
                utterances.append(Utterance(text, run.voice, waiting_ms, run.say_as))
                waiting_ms = 0
        return tuple(u._replace(text=" ".join(u.text.split())) for u in utterances)


def _goes_on(last: Utterance, run: Run, text: str) -> bool:
    """Whether `text` is spoken together with `last`, for the sake of intonation."""
    if last.say_as or run.say_as:
        return False
    return last.voice == run.voice or not _is_spoken(text)  # a question mark after a tag


_CLOSING = "\"'”’」』）》】)\\]"
_END = re.compile(rf"[。！？；…\n.!?;]+[{_CLOSING}]*")
_ALWAYS_ENDS = frozenset("。！？；…\n")
_WORD = re.compile(r"([A-Za-z]+)\.$")
_ABBREVIATIONS = frozenset({
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "fig", "vol", "gen", "sen", "gov",
    "rep", "capt", "lt", "col", "mt", "approx", "dept", "est",
})  # fmt: skip
_BEFORE_NUMBERS = frozenset({"no", "nos", "art", "sec", "ch", "pp", "nr"})

_COMMA = re.compile(r"[，、：—]+|[,:](?=\s)")
_SPACE = re.compile(r"\s+")


def _is_spoken(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _spans(markup: Markup) -> Iterator[tuple[int, int]]:
    """Yield where sentences begin and end; together they cover the text."""
    wholes = [run for run in markup.runs if run.is_whole]

    def is_within_whole(position: int) -> bool:
        before = bisect_left(wholes, position, key=lambda run: run.start)
        return before > 0 and position < wholes[before - 1].end

    ends = {end for end in _sentence_ends(markup.text) if not is_within_whole(end)}
    for start, end in pairwise(sorted({0, len(markup.text)} | ends | markup.ends)):
        yield from _bounded(markup.text, start, end)


def _sentence_ends(text: str) -> Iterator[int]:
    start = 0
    for found in _END.finditer(text):
        if not _ALWAYS_ENDS.isdisjoint(found[0]) or _ends_latin(text, start, found):
            start = found.end()
            yield start


def _ends_latin(text: str, start: int, found: re.Match[str]) -> bool:
    """Whether Latin marks end the sentence that begins at `start`."""
    after = text[found.end() : found.end() + 2]
    if after and after[0].isascii() and not after[0].isspace():
        return False  # 3.14, example.com, "really?!"-like
    if found[0].startswith(";"):
        return True
    following = after.strip()[:1]
    if following.islower():
        return False  # etc. and so on; "No!" he said
    if not found[0].startswith("."):
        return True
    before = text[max(start, found.start() - 20) : found.start() + 1]
    if before[:-1].strip().isdigit() and len(before) < 5:
        return False  # 1. The first item of a list
    word = _WORD.search(before)
    if word is None:
        return True
    name = word[1].lower()
    return not (
        len(name) == 1  # an initial, or the end of e.g.
        or name in _ABBREVIATIONS
        or (name in _BEFORE_NUMBERS and following.isdigit())
    )


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a sentence that is too long."""
    while end - start > MAX_SENTENCE_CHARS:
        limit = start + MAX_SENTENCE_CHARS
        cut = limit
        for mark in (_COMMA, _SPACE):
            places = [found.end() for found in mark.finditer(text, start + 1, limit)]
            if places:
                cut = places[-1]
                break
        yield start, cut
        start = cut
    yield start, end
