"""Finds jobs by any filter, in either order, at any depth, among a million.

A list of jobs tells how many match, and begins anywhere. For both, a database has to walk over all
jobs that match, whatever index it has, which takes a tenth of a second; a walk over plain columns
in memory takes a few milliseconds. It keeps 37 bytes of each job; the jobs are in live_jobs.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from airslice.application.ports.live import JobQuery, Page, Window
from airslice.domain.live_job import JobState

_Array: TypeAlias = npt.NDArray[Any]

_BITS: Mapping[str, int] = {state: 1 << number for number, state in enumerate(JobState)}
_KEYS = np.dtype(
    [("id", "i8"), ("room", "i4"), ("state", "u1"), ("created", "i8"), ("updated", "i8")]
)
_LEAST_CAPACITY = 64


class JobKeys(NamedTuple):
    """The columns that a job is found by."""

    id: int
    """Id of the job's row, which is higher than those of all jobs inserted before."""
    room: int
    """Number of its room under the name that it had, see live_job_rooms.py."""
    state: JobState
    created_at_ms: int
    updated_at_ms: int


def job_keys(jobs: Iterable[tuple[int, int, str, int, int]]) -> _Array:
    """Return jobs, given as the fields of `JobKeys`, as the array that a `JobIndex` is made of."""
    rows = (
        (row_id, room, _BITS[state], created_at_ms, updated_at_ms)
        for row_id, room, state, created_at_ms, updated_at_ms in jobs
    )
    return np.fromiter(rows, dtype=_KEYS)


class JobIndex:
    """Finds the jobs of one project.

    Args:
        keys: The jobs, as `job_keys` returns them, in order of their ids.
    """

    def __init__(self, keys: _Array) -> None:
        self._size = len(keys)
        # A job's place is its number in order of insertion. The arrays have capacity for more.
        self._ids = keys["id"].copy()
        self._rooms = keys["room"].copy()
        self._highest_room = int(self._rooms.max(initial=0))
        self._states = keys["state"].copy()
        self._created_ms = keys["created"].copy()
        self._updated_ms = keys["updated"].copy()
        self._is_in_order = bool((np.diff(self._created_ms) >= 0).all())
        """Whether jobs were inserted in order of their creation, as they are unless a clock is set
        back."""
        # Places in order of time, those of the same time in order of place.
        self._by_creation = np.argsort(self._created_ms, kind="stable").astype(np.int32)
        self._by_update = np.argsort(self._updated_ms, kind="stable").astype(np.int32)

    def put(self, job: JobKeys) -> None:
        """Insert a job, whose id must be the highest, or replace one but for its creation time."""
        place = int(np.searchsorted(self._ids[: self._size], job.id))
        if place == self._size:
            self._append(job)
        else:
            _take_out(self._by_update[: self._size], self._updated_ms, place)
        self._rooms[place] = job.room
        self._highest_room = max(self._highest_room, job.room)
        self._states[place] = _BITS[job.state]
        self._updated_ms[place] = job.updated_at_ms
        _put_in(self._by_update[: self._size], self._updated_ms, place)

    def find(self, query: JobQuery, rooms: _Array | None) -> Page[int]:
        """Return the ids of one page of jobs, and how many jobs match.

        Args:
            query: The filters, order and page; its filters of rooms are ignored.
            rooms: Numbers of the rooms to search; None: all rooms.
        """
        order, matching = self._narrowed(query, self._chosen(query, rooms))
        count = len(order if matching is None else matching)
        first = min(query.window.offset, count)
        last = min(first + query.window.limit, count)
        part = slice(count - last, count - first) if query.descending else slice(first, last)
        # Of what matches, only the page is gathered: the rest may be a million.
        places = order[part] if matching is None else order[matching[part]]
        ids: list[int] = self._ids[places].tolist()
        return Page(count, tuple(reversed(ids) if query.descending else ids))

    def _narrowed(self, query: JobQuery, chosen: _Array | None) -> tuple[_Array, _Array | None]:
        """Return places in order, and the indexes in it of those that are chosen; None: all are."""
        order = self._by_update[: self._size] if query.by_update else self._created(query.window)
        if chosen is None:
            return order, None
        if query.by_update and self._is_few(chosen):
            few = np.flatnonzero(chosen)
            return few[np.argsort(self._updated_ms[few], kind="stable")], None
        if not query.by_update and self._is_in_order and len(order):
            return order, np.flatnonzero(chosen[order[0] : order[-1] + 1])
        return order, np.flatnonzero(chosen.take(order))

    def _is_few(self, chosen: _Array) -> bool:
        """Whether sorting what matches is cheaper than going through all in order."""
        return int(np.count_nonzero(chosen)) * 16 < self._size

    def _created(self, window: Window) -> _Array:
        """Return the places of the jobs that were created in a time, in order of their creation."""
        order = self._by_creation[: self._size]
        since_ms, until_ms = window.created_since_ms, window.created_until_ms
        first = 0 if since_ms is None else bisect_left(order, since_ms, key=self._created_ms.item)
        last = (
            None if until_ms is None else bisect_right(order, until_ms, key=self._created_ms.item)
        )
        return order[first:last]

    def _chosen(self, query: JobQuery, rooms: _Array | None) -> _Array | None:
        """Return by place which jobs match, apart from what `_created` filters; None: all do."""
        tests: list[_Array] = []
        if rooms is not None:
            tests.append(self._is_in(rooms))
        if query.states:
            wanted = sum(_BITS[state] for state in query.states)
            tests.append((self._states[: self._size] & wanted) != 0)
        created_ms = self._created_ms[: self._size]
        if query.by_update and query.window.created_since_ms is not None:
            tests.append(created_ms >= query.window.created_since_ms)
        if query.by_update and query.window.created_until_ms is not None:
            tests.append(created_ms <= query.window.created_until_ms)
        if not tests:
            return None
        chosen = tests.pop()
        for test in tests:
            chosen &= test
        return chosen

    def _is_in(self, rooms: _Array) -> _Array:
        own: _Array = self._rooms[: self._size]
        if len(rooms) == 1:
            is_the_one: _Array = own == rooms[0]
            return is_the_one
        table = np.zeros(max(self._highest_room, rooms.max(initial=0)) + 1, dtype=np.bool_)
        table[rooms] = True
        return table.take(own)

    def _append(self, job: JobKeys) -> None:
        place = self._size
        if place == len(self._ids):
            self._grow(max(2 * place, _LEAST_CAPACITY))
        self._is_in_order &= place == 0 or self._created_ms[place - 1] <= job.created_at_ms
        self._size += 1
        self._ids[place] = job.id
        self._created_ms[place] = job.created_at_ms
        _put_in(self._by_creation[: self._size], self._created_ms, place)

    def _grow(self, capacity: int) -> None:
        self._ids = np.resize(self._ids, capacity)
        self._rooms = np.resize(self._rooms, capacity)
        self._states = np.resize(self._states, capacity)
        self._created_ms = np.resize(self._created_ms, capacity)
        self._updated_ms = np.resize(self._updated_ms, capacity)
        self._by_creation = np.resize(self._by_creation, capacity)
        self._by_update = np.resize(self._by_update, capacity)


def _put_in(order: _Array, times: _Array, place: int) -> None:
    """Insert `place` into `order`, whose last element is free."""
    at = _position(order[:-1], times, place)
    order[at + 1 :] = order[at:-1]
    order[at] = place


def _take_out(order: _Array, times: _Array, place: int) -> None:
    """Remove `place` from `order`; its last element becomes free."""
    at = _position(order, times, place)
    order[at:-1] = order[at + 1 :]


def _position(order: _Array, times: _Array, place: int) -> int:
    return bisect_left(order, (times[place], place), key=lambda other: (times[other], other))
