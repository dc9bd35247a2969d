"""Finds the rooms of jobs by a part of their names, among a hundred thousand, in memory.

The jobs in those rooms are found in live_job_index.py.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from airslice.application.ports.live import JobQuery

Numbers: TypeAlias = npt.NDArray[np.int32]

_END = b"\xff"
"""The byte that ends each name; it cannot be part of UTF-8 text."""


class JobRooms:
    """Numbers for the rooms that jobs have had; a room that was renamed has several."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        # Arrays, which the garbage collector need not walk through.
        self._numbers: dict[tuple[str, str], array[int]] = defaultdict(lambda: array("i"))
        """Numbers by project and room."""
        self._names: dict[str, _Names] = defaultdict(_Names)
        """Names by project."""

    def add(self, number: int, project_id: str, room_id: str, name: str) -> None:
        """Add the number of a room under one of its names, unless it is known."""
        if number not in self._known:
            self._known.add(number)
            self._numbers[project_id, room_id].append(number)
            self._names[project_id].add(number, name.casefold())

    def matching(self, project_id: str, query: JobQuery) -> Numbers | None:
        """Return the numbers of the rooms that match `query`; None: all rooms of the project."""
        named = None
        if query.room_name:
            named = self._names[project_id].matching(query.room_name.casefold())
        if query.room_id is None:
            return named
        own = np.array(self._numbers.get((project_id, query.room_id), ()), dtype=np.int32)
        return own if named is None else np.intersect1d(own, named)


class _Names:
    """Names, one after the other, so that all are searched in one go."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._starts = array("q")
        self._numbers = array("i")

    def add(self, number: int, name: str) -> None:
        """Append the name of a room."""
        self._starts.append(len(self._text))
        self._numbers.append(number)
        self._text += name.encode() + _END

    def matching(self, part: str) -> Numbers:
        """Return the numbers of the rooms whose names hold `part`, which is not empty."""
        text = np.frombuffer(self._text, dtype=np.uint8)
        wanted = part.encode()
        places = np.flatnonzero(text[: max(len(text) - len(wanted), 0)] == wanted[0])
        for offset, byte in enumerate(wanted[1:], start=1):
            places = places[text[places + offset] == byte]
        is_match = np.zeros(len(self._starts), dtype=np.bool_)
        starts = np.frombuffer(self._starts, dtype=np.int64)
        is_match[np.searchsorted(starts, places, side="right") - 1] = True
        return np.frombuffer(self._numbers, dtype=np.int32)[is_match]
