"""Which operations this wire has, and which use case each one calls.

Source of the versions and of the limits per second: the page of each operation, see requests.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from airslice.domain.apps import Account
from airslice.domain.slice_task import SliceTask, TaskChange, TaskKey, TaskOrder
from airslice.facades.volcengine.bodies import from_body, from_query
from airslice.facades.volcengine.requests import (
    StartSegment20201201,
    StartSegment20220601,
    TaskRequest,
    UpdateSegment,
)
from airslice.facades.volcengine.responses import GetSegmentTaskResult, segment_task

ALREADY_STARTED = (
    "The task has been started. Please do not call the startup task interface repeatedly"
)
"""Result of starting a task that runs; no failure (docs/6348/1188212, field TaskId)."""


class SliceTasks(Protocol):
    """The use cases behind the operations; each raises errors of `airslice.domain.errors`."""

    async def start(self, account: Account, order: TaskOrder) -> bool:
        """Start a task; False if one with its key is running, which is left as it is."""

    async def update(self, account: Account, key: TaskKey, change: TaskChange) -> None:
        """Change a running task."""

    async def stop(self, account: Account, key: TaskKey) -> None:
        """Stop a running task."""

    async def find(self, account: Account, key: TaskKey) -> SliceTask:
        """Return the latest run of `key` that was started within 72 h."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A verified request for an operation."""

    account: Account
    version: str
    query: Mapping[str, str]
    content_type: str
    body: bytes = field(repr=False)
    redundant_unit_ms: int
    """Milliseconds that one unit of RedundantDuration stands for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One row of the table."""

    method: str
    per_second: int
    """Requests that an account may send in one second."""
    run: Callable[[SliceTasks, Call], Awaitable[object]]
    """Returns the Result."""


async def _start(
    tasks: SliceTasks, call: Call, *, shape: type[StartSegment20201201 | StartSegment20220601]
) -> str:
    request = from_body(call.body, call.content_type, shape)
    order = request.order(call.version, redundant_unit_ms=call.redundant_unit_ms)
    return "ok" if await tasks.start(call.account, order) else ALREADY_STARTED


async def _update(tasks: SliceTasks, call: Call) -> str:
    request = from_body(call.body, call.content_type, UpdateSegment)
    await tasks.update(call.account, request.key(), request.change(call.version))
    return "ok"


async def _stop(tasks: SliceTasks, call: Call) -> str:
    request = from_body(call.body, call.content_type, TaskRequest)
    await tasks.stop(call.account, request.key())
    return "ok"


async def _get(tasks: SliceTasks, call: Call) -> GetSegmentTaskResult:
    request = from_query(call.query, TaskRequest)
    task = await tasks.find(call.account, request.key())
    return GetSegmentTaskResult(segment_task=segment_task(task))


_start_20201201 = partial(_start, shape=StartSegment20201201)
_start_20220601 = partial(_start, shape=StartSegment20220601)

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("StartSegment", "2020-12-01"): Operation(method="POST", per_second=150, run=_start_20201201),
    ("StartSegment", "2022-06-01"): Operation(method="POST", per_second=60, run=_start_20220601),
    ("StartSegment", "2023-11-01"): Operation(method="POST", per_second=60, run=_start_20220601),
    ("UpdateSegment", "2020-12-01"): Operation(method="POST", per_second=150, run=_update),
    ("UpdateSegment", "2022-06-01"): Operation(method="POST", per_second=150, run=_update),
    ("UpdateSegment", "2023-11-01"): Operation(method="POST", per_second=150, run=_update),
    ("StopSegment", "2020-12-01"): Operation(method="POST", per_second=150, run=_stop),
    ("StopSegment", "2022-06-01"): Operation(method="POST", per_second=150, run=_stop),
    ("StopSegment", "2023-11-01"): Operation(method="POST", per_second=150, run=_stop),
    ("GetSegmentTask", "2022-06-01"): Operation(method="GET", per_second=60, run=_get),
    ("GetSegmentTask", "2023-11-01"): Operation(method="GET", per_second=60, run=_get),
}
"""(Action, Version) to operation."""
