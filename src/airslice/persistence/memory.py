"""Tasks and slices in memory, for tests and trials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from airslice.domain.errors import TaskNotFound
from airslice.domain.room import StreamKey
from airslice.domain.slice_record import SliceRecord, SliceState
from airslice.domain.slice_task import FINAL_STATES, SliceTask, TaskKey

_UNDELIVERED = frozenset({SliceState.SPOOLED, SliceState.STORED})


_SliceName = tuple[str, StreamKey, int]
"""Run id, stream and index."""


class MemoryTaskStore:
    """A TaskStore that forgets everything with the process."""

    def __init__(self) -> None:
        # Both in order of insertion; replacing a value keeps its place.
        self._tasks: dict[str, SliceTask] = {}
        self._slices: dict[_SliceName, SliceRecord] = {}

    async def save_task(self, task: SliceTask) -> None:
        """Insert or replace the run `task.run_id`."""
        self._tasks[task.run_id] = task

    async def find_task(self, key: TaskKey, *, since_ms: int) -> SliceTask | None:
        """Return the latest run of `key` that started at `since_ms` (UTC) or later."""
        runs = [
            task
            for task in reversed(self._tasks.values())
            if task.key == key and task.started_at_ms >= since_ms
        ]
        return max(runs, key=lambda task: task.started_at_ms, default=None)

    async def find_run(self, run_id: str) -> SliceTask | None:
        """Return a run, however old."""
        return self._tasks.get(run_id)

    async def unfinished_tasks(self) -> list[SliceTask]:
        """Return all runs that are not in a final state, oldest first."""
        unfinished = [task for task in self._tasks.values() if task.state not in FINAL_STATES]
        return sorted(unfinished, key=lambda task: task.started_at_ms)

    async def next_index(self, run_id: str) -> dict[tuple[str, int], int]:
        """Return the next free slice index of each (user id, stream type) of a run."""
        following: dict[tuple[str, int], int] = {}
        for record in self._slices.values():
            if record.run_id == run_id:
                following[record.stream] = max(following.get(record.stream, 0), record.index + 1)
        return following

    async def spool_names(self, run_id: str) -> set[str]:
        """Return the names, in the spool, of all slices that a run has in the records."""
        return {r.spool_name for r in self._slices.values() if r.run_id == run_id}

    async def add_slice(self, record: SliceRecord) -> None:
        """Insert a slice; inserting the same (run, stream, index) again changes nothing.

        Raises:
            TaskNotFound: the run was never saved, or is forgotten.
        """
        if record.run_id not in self._tasks:
            raise TaskNotFound(f"no run {record.run_id}")
        self._slices.setdefault(_name(record), record)

    async def set_slice_state(self, record: SliceRecord, state: SliceState) -> None:
        """Move a slice to `state`."""
        name = _name(record)
        if name in self._slices:
            self._slices[name] = replace(self._slices[name], state=state)

    async def undelivered_slices(self) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the slices that are spooled or stored but not announced, oldest first."""
        return self._where(lambda _task, record: record.state in _UNDELIVERED)

    async def room_slices(
        self, app_id: str, room_id: str, *, limit: int
    ) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the latest slices of a room, newest first."""
        found = self._where(lambda task, _record: task.key.room == (app_id, room_id))
        return found[::-1][:limit]

    async def forget_before(self, ended_before_ms: int) -> None:
        """Remove runs that ended before, with their slices, if all of them were delivered."""
        undelivered = {task.run_id for task, _record in await self.undelivered_slices()}
        forgotten = {
            task.run_id
            for task in self._tasks.values()
            if task.state in FINAL_STATES and task.ended_at_ms < ended_before_ms
        } - undelivered
        for run_id in forgotten:
            del self._tasks[run_id]
        self._slices = {
            name: record for name, record in self._slices.items() if record.run_id not in forgotten
        }

    def _where(
        self, matches: Callable[[SliceTask, SliceRecord], bool]
    ) -> list[tuple[SliceTask, SliceRecord]]:
        pairs = ((self._tasks[record.run_id], record) for record in self._slices.values())
        return [(task, record) for task, record in pairs if matches(task, record)]


def _name(record: SliceRecord) -> _SliceName:
    return record.run_id, record.stream, record.index
