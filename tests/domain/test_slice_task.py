from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from airslice.domain.errors import InvalidInput
from airslice.domain.room import RoomKey
from airslice.domain.slice_task import (
    ACTIVE_STATES,
    FINAL_STATES,
    STOP_REASONS,
    TRANSITIONS,
    IllegalTransition,
    SliceControl,
    SliceTask,
    StopReason,
    TaskChange,
    TaskEvent,
    TaskKey,
    TaskOrder,
    TaskState,
)
from airslice.domain.storage_target import StorageTarget, StorageVendor

TASK = SliceTask(
    run_id="run",
    order=TaskOrder(
        key=TaskKey("app", "room", "task"),
        api_version="2023-11-01",
        storage=StorageTarget(vendor=StorageVendor.TOS, region=0, bucket="bucket"),
        identifier="prefix",
        duration_s=20,
        control=SliceControl(redundant_ms=3_000),
    ),
    started_at_ms=1_000,
    period_origin_ms=1_000,
)


def after(*events: TaskEvent) -> SliceTask:
    """The task as it is after `events`, which happened at 2000, 2001 and so on."""
    task = TASK
    for at_ms, event in enumerate(events, 2_000):
        task = task.after(event, at_ms=at_ms)
    return task


class TestTable:
    def test_final_states_accept_nothing(self) -> None:
        assert not [state for state, _ in TRANSITIONS if state in FINAL_STATES]

    @pytest.mark.parametrize("state", sorted(set(TaskState) - FINAL_STATES))
    def test_every_state_can_reach_an_end(self, state: TaskState) -> None:
        reached = {state}
        for _ in TaskState:
            reached |= {to for (origin, _), to in TRANSITIONS.items() if origin in reached}

        assert reached & FINAL_STATES

    def test_every_state_is_reached_from_the_first(self) -> None:
        assert set(TRANSITIONS.values()) | {TASK.state} == set(TaskState)

    def test_every_event_means_something_somewhere(self) -> None:
        assert {event for _, event in TRANSITIONS} == set(TaskEvent)

    def test_whatever_leaves_the_active_states_gives_a_reason(self) -> None:
        leaving = {
            event
            for (state, event), to in TRANSITIONS.items()
            if state in ACTIVE_STATES and to not in ACTIVE_STATES
        }

        assert leaving == set(STOP_REASONS)
        assert set(STOP_REASONS.values()) == set(StopReason)

    @pytest.mark.parametrize(
        ("state", "event"), sorted(set(product(TaskState, TaskEvent)) - set(TRANSITIONS))
    )
    def test_an_illegal_event_leaves_the_task_unchanged(
        self, state: TaskState, event: TaskEvent
    ) -> None:
        task = replace(TASK, state=state)

        with pytest.raises(IllegalTransition, match=f"{event} while {state}"):
            task.after(event, at_ms=2_000)

        assert task == replace(TASK, state=state)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (TaskEvent.STOP_REQUESTED, StopReason.REQUEST),
        (TaskEvent.IDLED_OUT, StopReason.IDLE),
        (TaskEvent.USER_LEFT, StopReason.USER_LEFT),
    ],
)
def test_a_running_task_stops_for_a_reason_and_ends_once_it_is_drained(
    event: TaskEvent, reason: StopReason
) -> None:
    stopping = after(TaskEvent.SUBSCRIBED, event)
    assert (stopping.state, stopping.stop_reason) == (TaskState.STOPPING, reason)
    assert stopping.ended_at_ms == 0

    ended = stopping.after(TaskEvent.DRAINED, at_ms=9_000)

    assert (ended.state, ended.stop_reason) == (TaskState.ENDED, reason)
    assert ended.ended_at_ms == 9_000


def test_a_task_that_cannot_start_has_failed_at_once() -> None:
    failed = after(TaskEvent.START_FAILED)

    assert (failed.state, failed.stop_reason) == (TaskState.FAILED, StopReason.START_FAILED)
    assert failed.ended_at_ms == 2_000


def test_a_stop_while_starting_ends_the_task() -> None:
    ended = after(TaskEvent.STOP_REQUESTED, TaskEvent.DRAINED)

    assert (ended.state, ended.stop_reason) == (TaskState.ENDED, StopReason.REQUEST)
    assert ended.ended_at_ms == 2_001


def test_a_running_task_has_no_end_and_no_reason() -> None:
    running = after(TaskEvent.SUBSCRIBED)

    assert running == replace(TASK, state=TaskState.RUNNING)


def test_a_task_is_of_its_orders_room() -> None:
    assert TASK.key == TaskKey("app", "room", "task")
    assert TASK.key.room == RoomKey("app", "room")


class TestChange:
    @pytest.mark.parametrize("duration_s", [1, 3])
    def test_a_duration_within_the_overlap_is_refused(self, duration_s: int) -> None:
        with pytest.raises(InvalidInput, match=r"duration: .* overlap of 3 s"):
            TASK.check(TaskChange(duration_s=duration_s))

    @pytest.mark.parametrize("change", [TaskChange(duration_s=4), TaskChange(handle=False)])
    def test_other_changes_are_taken(self, change: TaskChange) -> None:
        TASK.check(change)

    @pytest.mark.parametrize(
        ("change", "order"),
        [
            (TaskChange(), TASK.order),
            (TaskChange(identifier="other"), replace(TASK.order, identifier="other")),
            (TaskChange(identifier=""), replace(TASK.order, identifier="")),
            (TaskChange(handle=False), replace(TASK.order, handle=False)),
            (TaskChange(duration_s=5), replace(TASK.order, duration_s=5)),
        ],
    )
    def test_it_replaces_what_it_names_and_keeps_the_rest(
        self, change: TaskChange, order: TaskOrder
    ) -> None:
        assert TASK.changed(change) == replace(TASK, order=order)
