from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from airslice.domain.apps import Account, AutoSlice
from airslice.domain.errors import (
    AppNotFound,
    AppNotOwned,
    InvalidInput,
    TaskNotFound,
    TooManyTasks,
)
from airslice.domain.room import StreamKey, StreamType
from airslice.domain.slice_task import (
    HISTORY_MS,
    StopReason,
    StreamTarget,
    TaskChange,
    TaskKey,
    TaskState,
)
from tests.support.stages.stage import ACCOUNT, APP, TARGET, Stage


async def ended(stage: Stage, key: TaskKey) -> bool:
    task = await stage.tasks.find(ACCOUNT, key)
    return task.state is TaskState.ENDED


async def test_a_started_task_runs_and_can_be_found(stage: Stage) -> None:
    assert await stage.tasks.start(ACCOUNT, stage.order())

    task = await stage.tasks.find(ACCOUNT, stage.order().key)

    assert task.state is TaskState.RUNNING
    assert task.started_at_ms == stage.clock.utc_ns() // 1_000_000


async def test_starting_a_running_task_again_changes_nothing(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    before = await stage.tasks.find(ACCOUNT, stage.order().key)

    assert not await stage.tasks.start(ACCOUNT, stage.order(duration_s=30))

    assert await stage.tasks.find(ACCOUNT, stage.order().key) == before


async def test_a_stopped_task_ends_for_that_reason(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())

    await stage.tasks.stop(ACCOUNT, stage.order().key)

    await stage.until(lambda: ended(stage, stage.order().key))
    task = await stage.tasks.find(ACCOUNT, stage.order().key)
    assert task.stop_reason is StopReason.REQUEST
    assert task.ended_at_ms == stage.clock.utc_ns() // 1_000_000


async def test_a_key_can_be_used_again_after_the_end(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    await stage.tasks.stop(ACCOUNT, stage.order().key)
    stage.pass_time(1)

    assert await stage.tasks.start(ACCOUNT, stage.order(duration_s=30))

    task = await stage.tasks.find(ACCOUNT, stage.order().key)
    assert (task.state, task.order.duration_s) == (TaskState.RUNNING, 30)


async def test_a_task_that_does_not_run_cannot_be_changed(stage: Stage) -> None:
    with pytest.raises(TaskNotFound):
        await stage.tasks.update(ACCOUNT, stage.order().key, TaskChange())
    with pytest.raises(TaskNotFound):
        await stage.tasks.stop(ACCOUNT, stage.order().key)


async def test_a_task_is_forgotten_72_hours_after_its_start(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    stage.clock.now_ns += HISTORY_MS * 1_000_000
    await stage.tasks.find(ACCOUNT, stage.order().key)

    stage.clock.now_ns += 1_000_000

    with pytest.raises(TaskNotFound):
        await stage.tasks.find(ACCOUNT, stage.order().key)


async def test_only_the_owner_of_an_application_may_use_it(stage: Stage) -> None:
    stranger = Account(id="2100000001", access_key="AK2", secret_key="SK2")
    with pytest.raises(AppNotOwned):
        await stage.tasks.start(stranger, stage.order())

    elsewhere = replace(stage.order(), key=TaskKey("nowhere", "room", "task"))
    with pytest.raises(AppNotFound):
        await stage.tasks.start(ACCOUNT, elsewhere)


async def test_the_number_of_tasks_is_bounded(stage: Stage) -> None:
    for number in range(10):
        await stage.tasks.start(ACCOUNT, stage.order(f"task{number}"))

    with pytest.raises(TooManyTasks):
        await stage.tasks.start(ACCOUNT, stage.order("another"))

    await stage.tasks.stop(ACCOUNT, stage.order("task3").key)
    assert await stage.tasks.start(ACCOUNT, stage.order("another"))


async def test_a_task_without_publishers_idles_out(stage: Stage) -> None:
    order = stage.order(max_idle_s=3)
    await stage.tasks.start(ACCOUNT, order)
    stage.pass_time(2.5)
    assert (await stage.tasks.find(ACCOUNT, order.key)).state is TaskState.RUNNING

    stage.pass_time(1)

    await stage.until(lambda: ended(stage, order.key))
    assert (await stage.tasks.find(ACCOUNT, order.key)).stop_reason is StopReason.IDLE


async def test_idle_time_counts_from_when_the_last_publisher_left(stage: Stage) -> None:
    order = stage.order(max_idle_s=3)
    await stage.tasks.start(ACCOUNT, order)
    speaker = stage.join("ann")
    stage.run(5, [speaker])
    speaker.sink.ended()
    stage.pass_time(2)
    again = stage.join("ann")
    stage.run(5, [again])
    assert (await stage.tasks.find(ACCOUNT, order.key)).state is TaskState.RUNNING

    again.sink.ended()
    stage.pass_time(4)

    await stage.until(lambda: ended(stage, order.key))


async def test_publishers_that_are_not_the_tasks_do_not_keep_it(stage: Stage) -> None:
    order = stage.order(max_idle_s=3, targets=(StreamTarget(stream=StreamKey("bob")),))
    await stage.tasks.start(ACCOUNT, order)

    stage.run(4, [stage.join("ann")])

    await stage.until(lambda: ended(stage, order.key))


async def test_running_tasks_go_on_after_a_restart(stage: Stage) -> None:
    order = stage.order()
    await stage.tasks.start(ACCOUNT, order)
    stage.run(2.5, [stage.join("ann")])
    await stage.tasks.suspend()
    await stage.close()

    stage.boot()
    await stage.tasks.recover()
    await stage.deliver()
    stage.run(2.5, [stage.join("ann")])
    await stage.tasks.stop(ACCOUNT, order.key)
    await stage.until(lambda: ended(stage, order.key))
    await stage.settle()

    slices = stage.stored("ann")
    assert [s.index for s in slices] == list(range(6))
    assert sum(s.seconds for s in slices) == pytest.approx(5, abs=0.03)


async def test_an_aligned_grid_survives_a_restart(stage: Stage) -> None:
    order = stage.order(control={"align": True})
    await stage.tasks.start(ACCOUNT, order)
    started_ms = (await stage.tasks.find(ACCOUNT, order.key)).started_at_ms
    await stage.tasks.suspend()
    stage.pass_time(1.7)

    stage.boot()
    await stage.tasks.recover()
    stage.run(3, [stage.join("ann")])
    await stage.settle()

    starts = [s.start_ms - started_ms for s in stage.stored("ann")]
    assert starts == [1700, 2000, 3000]


async def test_a_task_that_was_stopping_is_ended_by_a_restart(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    (run,) = stage.tasks.runs
    stopping = replace(run.task, state=TaskState.STOPPING, stop_reason=StopReason.REQUEST)
    await stage.store.save_task(stopping)

    stage.boot()
    await stage.tasks.recover()

    assert await ended(stage, stage.order().key)


async def test_an_update_cannot_make_slices_shorter_than_their_overlap(stage: Stage) -> None:
    order = stage.order(duration_s=20, control={"redundant_ms": 3_000, "redundant_duration": 3})
    await stage.tasks.start(ACCOUNT, order)

    with pytest.raises(InvalidInput, match="duration"):
        await stage.tasks.update(ACCOUNT, order.key, TaskChange(duration_s=3))

    await stage.tasks.update(ACCOUNT, order.key, TaskChange(duration_s=4))


class TestAutoSlicing:
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Stage:
        auto = AutoSlice(duration_s=1, storage=TARGET)
        return Stage(tmp_path / "spool", app=replace(APP, auto_slice=auto))

    async def test_every_user_gets_a_task_of_his_own(self, stage: Stage) -> None:
        ann, bob = stage.join("ann"), stage.join("bob")

        await stage.until(lambda: self.running(stage, "ann", "bob"))
        stage.run(2.1, [ann, bob])
        await stage.settle()

        assert [s.user for s in stage.stored()].count("ann") == 2
        assert {s.user for s in stage.stored()} == {"ann", "bob"}

    async def test_a_users_screen_belongs_to_his_task(self, stage: Stage) -> None:
        ann, screen = stage.join("ann"), stage.join("ann", StreamType.SCREEN)
        await stage.until(lambda: self.running(stage, "ann"))

        stage.run(1.1, [ann, screen])
        await stage.settle()

        assert len(stage.tasks.runs) == 1
        assert sorted("_screen_" in s.key for s in stage.stored("ann")) == [False, True]

    async def test_the_task_ends_when_its_user_leaves(self, stage: Stage) -> None:
        ann = stage.join("ann")
        await stage.until(lambda: self.running(stage, "ann"))
        stage.run(1.5, [ann])

        ann.sink.ended()

        key = TaskKey(APP.app_id, "room", "ann")
        await stage.until(lambda: ended(stage, key))
        task = await stage.tasks.find(ACCOUNT, key)
        assert task.stop_reason is StopReason.USER_LEFT

    async def running(self, stage: Stage, *users: str) -> bool:
        return {run.task.key.task_id for run in stage.tasks.runs} == set(users)
