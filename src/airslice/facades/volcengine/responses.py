"""Wire structs of responses, and how our values become them.

Source: https://www.volcengine.com/docs/6348/1188227 (GetSegmentTask), whose example decides what
is present: numbers and flags always, empty texts of a StorageConfig never.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from airslice.domain.slice_task import FINAL_STATES, SliceTask, StopReason, StreamTarget, TaskState
from airslice.facades.volcengine.storage_config import StorageView, storage_view

STATUSES: Mapping[TaskState, int] = {
    TaskState.STARTING: 1,
    TaskState.RUNNING: 2,
    TaskState.STOPPING: 2,
    TaskState.ENDED: 3,
    TaskState.FAILED: 4,
}
"""Numbers of the states; 0, the vendor's "unknown error state", has no counterpart."""

STOP_REASONS: Mapping[StopReason | None, str] = {
    StopReason.REQUEST: "StopByAPI",
    StopReason.START_FAILED: "StartTaskFailed",
    StopReason.IDLE: "IdleTimeOut",
    StopReason.USER_LEFT: "UserDisconnect",
    None: "UnknownStopReason",
}


class StreamView(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """A listed stream."""

    index: int
    user_id: str
    stream_type: int


class TargetStreamsView(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """The listed streams; an empty list means all."""

    stream_list: list[StreamView]


class ControlView(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """How slices are cut."""

    align: bool
    mixed: bool
    redundant_duration: int
    ignore_silence: bool


class SegmentTask(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """A task as it stands."""

    start_time: int
    """UTC, milliseconds since the Unix epoch; so is `end_time`, which is 0 before the end."""
    end_time: int
    status: int
    stop_reason: str
    target_streams: TargetStreamsView
    handle: bool
    identifier: str
    max_idle_time: int
    duration: int
    control: ControlView
    storage_config: StorageView


class GetSegmentTaskResult(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """Result of GetSegmentTask."""

    segment_task: SegmentTask


def segment_task(task: SliceTask) -> SegmentTask:
    """Return what shows a task to its owner: as failed also while its bucket refuses slices."""
    order = task.order
    control = order.control
    state, reason = task.state, task.stop_reason
    if task.problem and state not in FINAL_STATES:
        state, reason = TaskState.FAILED, StopReason.START_FAILED
    return SegmentTask(
        start_time=task.started_at_ms,
        end_time=task.ended_at_ms,
        status=STATUSES[state],
        stop_reason=STOP_REASONS[reason] if state in FINAL_STATES else "",
        target_streams=TargetStreamsView(stream_list=[_stream(target) for target in order.targets]),
        handle=order.handle,
        identifier=order.identifier,
        max_idle_time=order.max_idle_s,
        duration=order.duration_s,
        control=ControlView(
            align=control.align,
            mixed=control.mixed,
            redundant_duration=control.redundant_duration,
            ignore_silence=control.ignore_silence,
        ),
        storage_config=storage_view(order.storage),
    )


def _stream(target: StreamTarget) -> StreamView:
    user_id, stream_type = target.stream
    return StreamView(index=target.index or 0, user_id=user_id, stream_type=int(stream_type))
