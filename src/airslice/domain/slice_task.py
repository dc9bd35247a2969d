"""The slice task: an order to cut a room's audio, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from airslice.domain.errors import InvalidInput
from airslice.domain.fields import SliceField
from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.storage_target import StorageTarget

MAX_STREAMS = 17
"""Streams that one task slices at most (StartSegment, field TargetStreams)."""

DURATION_RANGE_S = range(1, 601)
MAX_IDLE_RANGE_S = range(1, 86_401)
DEFAULT_DURATION_S = 20
DEFAULT_MAX_IDLE_S = 180

HISTORY_MS = 72 * 3_600_000
"""How long after its start a task can be asked for (GetSegmentTask)."""


class TaskKey(NamedTuple):
    """Names a running task; after its end the same key may be used again."""

    app_id: str
    room_id: str
    task_id: str

    @property
    def room(self) -> RoomKey:
        """The room that the task slices."""
        return RoomKey(self.app_id, self.room_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamTarget:
    """A stream that the task's owner listed."""

    stream: StreamKey
    index: int | None = None
    """Given by the owner for layouts; slicing only echoes it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceControl:
    """How slices are cut."""

    align: bool = False
    """One grid for all streams; every slice is exactly as long as the period."""
    mixed: bool = False
    """In addition, slices of the sum of all streams."""
    ignore_silence: bool = False
    """Wholly silent slices are not produced."""
    redundant_ms: int = 0
    """Milliseconds of the former slice's end that a slice begins with; less than the period."""
    redundant_duration: int = 0
    """`redundant_ms` as the owner gave it, in the unit of the wire; only echoed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskOrder:
    """What the task's owner asked for. Values are already within their documented ranges."""

    key: TaskKey
    api_version: str
    """Wire version of the request; callbacks carry it."""
    storage: StorageTarget
    identifier: str
    """File name prefix."""
    business_id: str = ""
    targets: tuple[StreamTarget, ...] = ()
    """Empty: every audio stream of the room."""
    duration_s: int = DEFAULT_DURATION_S
    max_idle_s: int = DEFAULT_MAX_IDLE_S
    control: SliceControl = SliceControl()
    handle: bool = True
    """Whether slices are cut now; otherwise the task only subscribes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskChange:
    """What an update changes; None keeps what is."""

    identifier: str | None = None
    handle: bool | None = None
    duration_s: int | None = None
    """Given, even with the same value, it cuts the current slices and restarts the period."""


class TaskState(StrEnum):
    """Where a task is in its life."""

    STARTING = "starting"  # recorded, not yet subscribed to the room
    RUNNING = "running"  # subscribed; slicing unless its handle is off
    STOPPING = "stopping"  # last slices are being closed
    ENDED = "ended"
    FAILED = "failed"


class TaskEvent(StrEnum):
    """What happens to a task."""

    SUBSCRIBED = "subscribed"
    START_FAILED = "start_failed"
    STOP_REQUESTED = "stop_requested"
    IDLED_OUT = "idled_out"
    USER_LEFT = "user_left"
    DRAINED = "drained"


class StopReason(StrEnum):
    """Why a task stopped."""

    REQUEST = "request"
    START_FAILED = "start_failed"
    IDLE = "idle"
    USER_LEFT = "user_left"


TRANSITIONS: Mapping[tuple[TaskState, TaskEvent], TaskState] = {
    (TaskState.STARTING, TaskEvent.SUBSCRIBED): TaskState.RUNNING,
    (TaskState.STARTING, TaskEvent.START_FAILED): TaskState.FAILED,
    (TaskState.STARTING, TaskEvent.STOP_REQUESTED): TaskState.STOPPING,
    (TaskState.RUNNING, TaskEvent.STOP_REQUESTED): TaskState.STOPPING,
    (TaskState.RUNNING, TaskEvent.IDLED_OUT): TaskState.STOPPING,
    (TaskState.RUNNING, TaskEvent.USER_LEFT): TaskState.STOPPING,
    (TaskState.STOPPING, TaskEvent.DRAINED): TaskState.ENDED,
}

STOP_REASONS: Mapping[TaskEvent, StopReason] = {
    TaskEvent.START_FAILED: StopReason.START_FAILED,
    TaskEvent.STOP_REQUESTED: StopReason.REQUEST,
    TaskEvent.IDLED_OUT: StopReason.IDLE,
    TaskEvent.USER_LEFT: StopReason.USER_LEFT,
}

FINAL_STATES = frozenset({TaskState.ENDED, TaskState.FAILED})
ACTIVE_STATES = frozenset({TaskState.STARTING, TaskState.RUNNING})
"""States in which a task can be updated and stopped, and its key is taken."""


class IllegalTransition(Exception):
    """An event that means nothing in the task's current state; the task is unchanged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceTask:
    """A task as it stands now."""

    run_id: str
    """Unique for each start, also where the key is used again."""
    order: TaskOrder
    started_at_ms: int
    """UTC, milliseconds since the Unix epoch."""
    state: TaskState = TaskState.STARTING
    ended_at_ms: int = 0
    """UTC, milliseconds since the Unix epoch; 0 while the task has not ended."""
    stop_reason: StopReason | None = None
    period_origin_ms: int = 0
    """UTC, milliseconds since the Unix epoch: where aligned periods are counted from. The start,
    or the latest update that restarted the period."""
    auto: bool = False
    """Started by the application's auto slicing, not by a request."""
    problem: str = ""
    """What its owner must mend: why it could not be started, or, while it runs, why its bucket
    refuses its slices; they wait."""

    @property
    def key(self) -> TaskKey:
        """Names the task while it runs."""
        return self.order.key

    def after(self, event: TaskEvent, *, at_ms: int) -> SliceTask:
        """Return the task as it is after `event`, which happened at `at_ms` (UTC milliseconds).

        Raises:
            IllegalTransition: `event` means nothing in the current state.
        """
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise IllegalTransition(f"{event} while {self.state}")
        return replace(
            self,
            state=state,
            stop_reason=STOP_REASONS.get(event, self.stop_reason),
            ended_at_ms=at_ms if state in FINAL_STATES else self.ended_at_ms,
        )

    def check(self, change: TaskChange) -> None:
        """Refuse a change that the task cannot take.

        Raises:
            InvalidInput: the new duration is not longer than the overlap.
        """
        redundant_ms = self.order.control.redundant_ms
        if change.duration_s is not None and change.duration_s * 1000 <= redundant_ms:
            raise InvalidInput(
                SliceField.DURATION,
                f"must be longer than the task's overlap of {redundant_ms / 1000:g} s",
            )

    def changed(self, change: TaskChange) -> SliceTask:
        """Return the task with `change` applied to its order; what is None is kept."""
        order = self.order
        return replace(
            self,
            order=replace(
                order,
                identifier=order.identifier if change.identifier is None else change.identifier,
                handle=order.handle if change.handle is None else change.handle,
                duration_s=order.duration_s if change.duration_s is None else change.duration_s,
            ),
        )
