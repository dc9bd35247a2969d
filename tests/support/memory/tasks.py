"""Tasks and slices in memory, for tests and trials."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from airslice.domain.errors import TaskNotFound
from airslice.domain.outbox import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    SliceName,
    slice_lane,
)
from airslice.domain.slice_record import SliceRecord, SliceState
from airslice.domain.slice_task import FINAL_STATES, SliceTask, TaskKey

_UNDELIVERED = frozenset({SliceState.SPOOLED, SliceState.STORED})


class MemoryTaskStore:
    """A TaskStore that forgets everything with the process."""

    def __init__(self) -> None:
        # All in order of insertion; replacing a value keeps its place.
        self.tasks: dict[str, SliceTask] = {}
        self.slices: dict[SliceName, SliceRecord] = {}
        self.deliveries: dict[int, Delivery] = {}
        self.delivery_ids = itertools.count(1)
        self.claims: dict[int, object] = {}
        """Claimants by delivery."""

    async def save_task(self, task: SliceTask) -> None:
        """Insert or replace the run `task.run_id`."""
        self.tasks[task.run_id] = task

    async def find_task(self, key: TaskKey, *, since_ms: int) -> SliceTask | None:
        """Return the latest run of `key` that started at `since_ms` (UTC) or later."""
        runs = [
            task
            for task in reversed(self.tasks.values())
            if task.key == key and task.started_at_ms >= since_ms
        ]
        return max(runs, key=lambda task: task.started_at_ms, default=None)

    async def find_run(self, run_id: str) -> SliceTask | None:
        """Return a run, however old."""
        return self.tasks.get(run_id)

    async def unfinished_tasks(self) -> list[SliceTask]:
        """Return all runs that are not in a final state, oldest first."""
        unfinished = [task for task in self.tasks.values() if task.state not in FINAL_STATES]
        return sorted(unfinished, key=lambda task: task.started_at_ms)

    async def next_index(self, run_id: str) -> dict[tuple[str, int], int]:
        """Return the next free slice index of each (user id, stream type) of a run."""
        following: dict[tuple[str, int], int] = {}
        for record in self.slices.values():
            if record.run_id == run_id:
                following[record.stream] = max(following.get(record.stream, 0), record.index + 1)
        return following

    async def spool_names(self, run_id: str) -> set[str]:
        """Return the names, in the spool, of all slices that a run has in the records."""
        return {r.spool_name for r in self.slices.values() if r.run_id == run_id}

    async def add_slice(self, record: SliceRecord) -> None:
        """Insert a slice, and its upload into the outbox.

        Inserting the same (run, stream, index) again changes nothing.

        Raises:
            TaskNotFound: the run was never saved, or is forgotten.
        """
        task = self.tasks.get(record.run_id)
        if task is None:
            raise TaskNotFound(f"no run {record.run_id}")
        name = SliceName(record.run_id, record.stream, record.index)
        if name in self.slices:
            return
        self.slices[name] = record
        storage = task.order.storage
        upload = Delivery(
            id=next(self.delivery_ids),
            kind=DeliveryKind.UPLOAD,
            destination=f"{storage.vendor}/{storage.bucket}",
            lane=slice_lane(record.run_id, record.stream),
            position=record.index,
            state=DeliveryState.WAITING,
            due_at_ms=0,
            created_at_ms=record.generated_at_ms,
            slice=name,
            spool_name=record.spool_name,
        )
        self.deliveries[upload.id] = upload

    async def room_slices(
        self, app_id: str, room_id: str, *, limit: int
    ) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the latest slices of a room, newest first."""
        found = self._where(lambda task, _record: task.key.room == (app_id, room_id))
        return found[::-1][:limit]

    async def forget_before(self, ended_before_ms: int) -> None:
        """Remove runs that ended before, with their slices, if all of them were delivered."""
        undelivered = {r.run_id for r in self.slices.values() if r.state in _UNDELIVERED}
        forgotten = {
            task.run_id
            for task in self.tasks.values()
            if task.state in FINAL_STATES and task.ended_at_ms < ended_before_ms
        } - undelivered
        for run_id in forgotten:
            del self.tasks[run_id]
        self.slices = {
            name: record for name, record in self.slices.items() if record.run_id not in forgotten
        }
        self.deliveries = {
            number: delivery
            for number, delivery in self.deliveries.items()
            if delivery.slice is None or delivery.slice.run_id not in forgotten
        }

    def _where(
        self, matches: Callable[[SliceTask, SliceRecord], bool]
    ) -> list[tuple[SliceTask, SliceRecord]]:
        pairs = ((self.tasks[record.run_id], record) for record in self.slices.values())
        return [(task, record) for task, record in pairs if matches(task, record)]
