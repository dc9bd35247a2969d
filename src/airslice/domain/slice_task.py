"""The slice task: an order to slice a room's audio, and the states it goes through.

Carrying the order out is in application.tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from airslice.domain.errors import InvalidInput
from airslice.domain.fields import SliceField
from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.storage_target import StorageTarget

MAX_STREAMS = 17
"""Streams that one task slices at most (StartSegment, field TargetStreams)."""

DURATION_RANGE_S = range(1, 601)
DEFAULT_DURATION_S = 20
"""Length of slices, in seconds."""

MAX_IDLE_RANGE_S = range(1, 86_401)
DEFAULT_MAX_IDLE_S = 180
"""How long a task goes on without any stream to slice, in seconds."""

HISTORY_MS = 72 * 3_600_000
"""How long after its start GetSegmentTask still finds a task, in milliseconds."""


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
    """Number that the owner gave the stream for layouts; it is only echoed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceControl:
    """The options of a task: how its slices are made."""

    align: bool = False
    """Whether all streams share one grid, so that each slice is exactly as long as the period."""
    mixed: bool = False
    """Whether there are also slices of the sum of all streams."""
    ignore_silence: bool = False
    """Whether slices that are silent throughout are left out."""
    redundant_ms: int = 0
    """How much of the end of the slice before a slice begins with, in milliseconds; less than the
    period."""
    redundant_duration: int = 0
    """`redundant_ms` as the owner gave it, in the unit of the wire; it is only echoed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskOrder:
    """What the task's owner asked for; the values are within their documented ranges."""

    key: TaskKey
    api_version: str
    """API version of the request, which callbacks repeat."""
    storage: StorageTarget
    identifier: str
    """Prefix of the slices' names in their bucket."""
    business_id: str = ""
    """The business whose receivers are told of slices; empty: the application's."""
    targets: tuple[StreamTarget, ...] = ()
    """The streams to slice; empty: every audio stream of the room."""
    duration_s: int = DEFAULT_DURATION_S
    max_idle_s: int = DEFAULT_MAX_IDLE_S
    control: SliceControl = SliceControl()
    handle: bool = True
    """Whether slices are made; otherwise the task runs and makes none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskChange:
    """What an update changes of a task; a field that is None stays as it is."""

    identifier: str | None = None
    handle: bool | None = None
    duration_s: int | None = None
    """New length of slices, in seconds. Any value, also the same, ends the current slices and
    restarts the period."""


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
    """Raised for an event that cannot happen in a task's state; the task is unchanged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceTask:
    """A task as it stands now."""

    run_id: str
    """Unique for each start, also where the key is used again."""
    order: TaskOrder
    started_at_ms: int
    """When the task was started: UTC, milliseconds since the Unix epoch."""
    state: TaskState = TaskState.STARTING
    ended_at_ms: int = 0
    """When the task ended: UTC, milliseconds since the Unix epoch; 0 before."""
    stop_reason: StopReason | None = None
    period_origin_ms: int = 0
    """Where aligned periods are counted from, the start or the latest update that restarted the
    period: UTC, milliseconds since the Unix epoch."""
    auto: bool = False
    """Whether the application's auto slicing started the task, not a request."""
    problem: str = ""
    """What its owner must mend: why the task could not be started or, while it runs, why its bucket
    refuses its slices, which then wait."""

    @property
    def key(self) -> TaskKey:
        """The key that names the task while it runs."""
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
        changes = {name: value for name, value in asdict(change).items() if value is not None}
        return replace(self, order=replace(self.order, **changes))
