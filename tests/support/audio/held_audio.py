"""Tells for every slice which frames of its source it holds, bit by bit.

The oracle is the source: a WAV slice must hold what one decoder makes of all packets that its
speaker sent since he connected, an Ogg slice those packets themselves.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from airslice.encoding.opus_decoder import find_opus_decoders
from tests.support.audio.ogg_pages import packets_of, read_pages
from tests.support.audio.slice_audio import Samples, read_wav
from tests.support.clients.speakers import Session, Speaker
from tests.support.server.callback_sink import Announced

SLICE_RATE = 16_000
FRAME_MS = 20
OPUS_FRAME_SAMPLES = 960
PROBE_SAMPLES = 160
LABEL_SLACK_MS = 150
"""A label is within 100 ms of its sender's clock where no report has come yet."""


@dataclass(frozen=True, order=True)
class Held:
    """A slice's part of a session, in milliseconds from the session's first sample."""

    start_ms: float
    end_ms: float
    index: int
    label_error_ms: float
    """By how much the label says otherwise."""
    difference: int = 0
    """The most by which a sample differs from the source."""


class UnlikeTheSource(AssertionError):
    """A slice holds what nobody said."""


def session_of(speaker: Speaker, announced: Announced) -> Session | None:
    """Return the session whose audio a slice holds, by its label."""
    for session in speaker.sessions:
        begin_ms = session.first * FRAME_MS - LABEL_SLACK_MS
        end_ms = session.end * FRAME_MS + LABEL_SLACK_MS
        if announced.start_ms < end_ms and announced.end_ms > begin_ms:
            return session
    return None


def find(speaker: Speaker, session: Session, announced: Announced, path: Path) -> Held | None:
    """Return which part of a session a slice holds; None if nothing but silence.

    Raises:
        UnlikeTheSource: something in it is not the session's audio.
    """
    expected_ms = announced.start_ms - session.first * FRAME_MS
    difference = 0
    if path.suffix == ".ogg":
        found = _find_packets(speaker, session, path, expected_ms)
    else:
        found, difference = _find_samples(speaker, session, path, expected_ms)
    if found is None:
        return None
    at_ms, length_ms = found
    start_ms = max(0.0, at_ms)
    session_ms = (session.end - session.first) * FRAME_MS
    end_ms = min(at_ms + length_ms, session_ms)
    return Held(start_ms, end_ms, announced.index, at_ms - expected_ms, difference)


def _find_samples(
    speaker: Speaker, session: Session, path: Path, expected_ms: float
) -> tuple[tuple[float, float] | None, int]:
    """Return where in the session a WAV file begins, its length without silence after it, and
    the most by which a sample of it differs."""
    samples = read_wav(path)
    sound = np.flatnonzero(samples)
    if not sound.size:
        return None, 0
    source = np.frombuffer(_decoded(speaker, session.first, session.end), np.int16)
    first, last = int(sound[0]), int(sound[-1]) + 1
    at = _place(samples, source, first, last, round(expected_ms * SLICE_RATE / 1000))
    expected = np.zeros(samples.size, np.int16)
    begin = max(0, -at)
    # Where the journal ended, an aligned slice may go on in silence.
    end = min(max(last, begin), source.size - at)
    expected[begin:end] = source[at + begin : at + end]
    differences = np.abs(samples.astype(int) - expected)
    if differences.max() > speaker.tolerance:
        wrong = np.flatnonzero(differences > speaker.tolerance)
        raise UnlikeTheSource(
            f"{path.name}: {wrong.size} of {samples.size} samples from {wrong[0]} on differ,"
            f" by up to {differences.max()}"
        )
    return (at * 1000 / SLICE_RATE, end * 1000 / SLICE_RATE), int(differences.max())


def _place(samples: Samples, source: Samples, first: int, last: int, expected: int) -> int:
    """Return where in `source` the samples begin: next to where they are expected."""
    slack = LABEL_SLACK_MS * SLICE_RATE // 1000
    size = min(PROBE_SAMPLES, last - first)
    # The end is looked at first: there is no silence after it.
    probe = samples[last - size : last].astype(float)
    low = max(0, expected + last - size - slack)
    window = source[low : expected + last + slack].astype(float)
    if window.size < size:
        raise UnlikeTheSource(f"{samples.size} samples are labelled as of no time of the session")
    views = np.lib.stride_tricks.sliding_window_view(window, size)
    return low + int(np.argmin(np.abs(views - probe).sum(axis=1))) - (last - size)


@lru_cache(maxsize=64)
def _decoded(speaker: Speaker, first: int, end: int) -> bytes:
    decoder = find_opus_decoders().open(SLICE_RATE)
    samples = SLICE_RATE * FRAME_MS // 1000
    return b"".join(decoder.decode(speaker.payload(n), samples) for n in range(first, end))


def _find_packets(
    speaker: Speaker, session: Session, path: Path, expected_ms: float
) -> tuple[float, float] | None:
    """Return where in the session an Ogg file begins, and its length without silence after it."""
    pages = read_pages(path.read_bytes())
    (head, _), (_, _), *packets = packets_of(pages)
    (pre_skip,) = struct.unpack_from("<H", head, 10)
    at = -pre_skip
    places: set[int] = set()
    end = 0
    numbers = _numbers(speaker)
    for payload, _ in packets:
        number = numbers.get(payload)
        if number is None:
            if len(payload) > 8:
                raise UnlikeTheSource(f"{path.name}: a packet of {len(payload)} bytes is nobody's")
            at += _samples_of_silence(payload)
            continue
        # The turn of the voice that is nearest to the label.
        guess = session.first + expected_ms / FRAME_MS + at / OPUS_FRAME_SAMPLES
        number += round((guess - number) / len(speaker.voice)) * len(speaker.voice)
        places.add((number - session.first) * OPUS_FRAME_SAMPLES - at)
        at += OPUS_FRAME_SAMPLES
        end = at
    if not places:
        return None
    if len(places) > 1:
        raise UnlikeTheSource(f"{path.name}: packets are missing or double: {sorted(places)}")
    granules = pages[-1].granule - pre_skip
    return places.pop() / 48, min(end, granules) / 48


def _samples_of_silence(payload: bytes) -> int:
    """Length of a packet that the server made: CELT, RFC 6716 section 3.1."""
    assert payload[0] >> 3 >= 16, payload
    return 120 << ((payload[0] >> 3) & 3)


@lru_cache(maxsize=64)
def _numbers(speaker: Speaker) -> dict[bytes, int]:
    return {payload: number for number, payload in enumerate(speaker.voice)}


def holes_ms(parts: Iterable[Held]) -> list[float]:
    """Return how much is missing before each part of a session.

    Raises:
        UnlikeTheSource: two parts overlap.
    """
    holes = []
    at_ms = 0.0
    for part in sorted(parts):
        if part.start_ms < at_ms - 0.01:
            raise UnlikeTheSource(f"{at_ms - part.start_ms} ms of slice {part.index} are double")
        holes.append(part.start_ms - at_ms)
        at_ms = part.end_ms
    return holes


def by_user(slices: Sequence[Announced]) -> dict[str, list[Announced]]:
    """Return slices by user, each user's in order of index."""
    found: defaultdict[str, list[Announced]] = defaultdict(list)
    for announced in sorted(slices, key=lambda a: a.index):
        found[announced.user].append(announced)
    return dict(found)
