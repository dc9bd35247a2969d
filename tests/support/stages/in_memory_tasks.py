"""The use cases on tasks without any audio, for façades; and a clock that is turned by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from airslice.application.ports.clock import Clock
from airslice.application.tasks.slice_tasks import SliceTasks
from airslice.domain.apps import Account
from airslice.domain.errors import AppNotFound, AppNotOwned, TaskNotFound
from airslice.domain.slice_task import (
    ACTIVE_STATES,
    HISTORY_MS,
    SliceTask,
    TaskChange,
    TaskEvent,
    TaskKey,
    TaskOrder,
)


class InMemorySliceTasks(SliceTasks):
    """Keeps tasks and slices nothing; a started task is subscribed at once.

    Args:
        owners: Application id to account id.
        clock: Tells when tasks start and end.
    """

    def __init__(self, owners: Mapping[str, str], clock: Clock) -> None:
        self.orders: list[TaskOrder] = []
        self.changes: list[TaskChange] = []
        self.failure: Exception | None = None
        """Raised by every call in place of an answer."""
        self._owners = owners
        self._clock = clock
        self._tasks: dict[TaskKey, SliceTask] = {}

    async def start(self, account: Account, order: TaskOrder) -> bool:
        self._refuse(account, order.key)
        self.orders.append(order)
        run = self._tasks.get(order.key)
        if run is not None and run.state in ACTIVE_STATES:
            return False
        task = SliceTask(run_id=str(len(self.orders)), order=order, started_at_ms=self._now_ms())
        self.put(task.after(TaskEvent.SUBSCRIBED, at_ms=self._now_ms()))
        return True

    async def update(self, account: Account, key: TaskKey, change: TaskChange) -> None:
        self.changes.append(change)
        self.put(self._active(account, key).changed(change))

    async def stop(self, account: Account, key: TaskKey) -> None:
        stopping = self._active(account, key).after(TaskEvent.STOP_REQUESTED, at_ms=self._now_ms())
        self.put(stopping.after(TaskEvent.DRAINED, at_ms=self._now_ms()))

    async def find(self, account: Account, key: TaskKey) -> SliceTask:
        self._refuse(account, key)
        run = self._tasks.get(key)
        if run is None or run.started_at_ms < self._now_ms() - HISTORY_MS:
            raise TaskNotFound("no such task was started in the last 72 h")
        return run

    def put(self, task: SliceTask) -> None:
        """Make `task` the latest run of its key."""
        self._tasks[task.key] = replace(task)

    def _active(self, account: Account, key: TaskKey) -> SliceTask:
        self._refuse(account, key)
        run = self._tasks.get(key)
        if run is None or run.state not in ACTIVE_STATES:
            raise TaskNotFound("no such task is running")
        return run

    def _refuse(self, account: Account, key: TaskKey) -> None:
        if self.failure is not None:
            raise self.failure
        check_owner(self._owners, account, key.app_id)

    def _now_ms(self) -> int:
        return self._clock.utc_ns() // 1_000_000


def check_owner(owners: Mapping[str, str], account: Account, app_id: str) -> None:
    """Fail as the use cases do if `account` does not own the application."""
    owner = owners.get(app_id)
    if owner is None:
        raise AppNotFound("no such application")
    if owner != account.id:
        raise AppNotOwned("the application belongs to another account")
