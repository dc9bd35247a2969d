"""A task as its owner sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airslice.domain.slice_task import SliceTask, StopReason, TaskEvent, TaskKey, TaskState
from airslice.facades.volcengine.responses import segment_task
from tests.support.clients.wire_client import WireClient
from tests.support.stages.in_memory_tasks import InMemorySliceTasks
from tests.support.values.sample_bodies import KEY, NEW, START
from tests.support.values.wire_accounts import ACCOUNTS


class TestStatus:
    @pytest.fixture
    async def task(self, wire: WireClient, tasks: InMemorySliceTasks) -> SliceTask:
        await wire.post("StartSegment", NEW, {**START, "Handle": False})
        return await tasks.find(ACCOUNTS[0], TaskKey(KEY["AppId"], "Room1", "Task1"))

    def test_a_hot_started_task_runs(self, task: SliceTask) -> None:
        view = segment_task(task)

        assert (view.status, view.handle, view.stop_reason) == (2, False, "")

    def test_a_starting_task_has_not_started(self, task: SliceTask) -> None:
        assert segment_task(replace(task, state=TaskState.STARTING)).status == 1

    def test_a_task_whose_bucket_refuses_is_shown_as_failed_while_it_runs(
        self, task: SliceTask
    ) -> None:
        view = segment_task(replace(task, problem="there is no such bucket"))

        assert (view.status, view.stop_reason, view.end_time) == (4, "StartTaskFailed", 0)

    def test_a_stopping_task_still_runs(self, task: SliceTask) -> None:
        view = segment_task(task.after(TaskEvent.STOP_REQUESTED, at_ms=1))

        assert (view.status, view.stop_reason, view.end_time) == (2, "", 0)

    @pytest.mark.parametrize(
        ("event", "word"),
        [
            (TaskEvent.STOP_REQUESTED, "StopByAPI"),
            (TaskEvent.IDLED_OUT, "IdleTimeOut"),
            (TaskEvent.USER_LEFT, "UserDisconnect"),
        ],
    )
    def test_an_ended_task_says_why(self, task: SliceTask, event: TaskEvent, word: str) -> None:
        ended = task.after(event, at_ms=1).after(TaskEvent.DRAINED, at_ms=2)

        view = segment_task(ended)

        assert (view.status, view.stop_reason, view.end_time) == (3, word, 2)

    @pytest.mark.parametrize(
        ("reason", "word"),
        [(StopReason.START_FAILED, "StartTaskFailed"), (None, "UnknownStopReason")],
    )
    def test_a_failed_task_says_why(
        self, task: SliceTask, reason: StopReason | None, word: str
    ) -> None:
        view = segment_task(replace(task, state=TaskState.FAILED, stop_reason=reason))

        assert (view.status, view.stop_reason) == (4, word)
