"""What every TaskStore does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.application.ports.records import TaskStore
from airslice.domain.errors import TaskNotFound
from airslice.domain.room import MIXED_STREAM, StreamKey, StreamType
from airslice.domain.slice_record import SliceState
from airslice.domain.slice_task import (
    SliceControl,
    StopReason,
    StreamTarget,
    TaskChange,
    TaskKey,
    TaskState,
)
from airslice.domain.storage_target import StorageTarget, StorageVendor
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from tests.support.memory.tasks import MemoryTaskStore
from tests.support.values.values import APP_ID, a_record, a_task

SCREEN = StreamKey("alice", StreamType.SCREEN)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TaskStore]:
    if request.param == "memory":
        yield MemoryTaskStore()
        return
    sqlite = await SqliteTaskStore.open(tmp_path / "airslice.db", bytes(32))
    yield sqlite
    await sqlite.close()


async def test_a_task_comes_back_as_it_was_saved(store: TaskStore) -> None:
    plain = a_task()
    task = replace(
        plain,
        auto=True,
        state=TaskState.ENDED,
        ended_at_ms=1_700_000_100_000,
        stop_reason=StopReason.IDLE,
        problem="there is no such bucket",
        period_origin_ms=1_700_000_000_020,
        order=replace(
            plain.order,
            storage=StorageTarget(
                vendor=StorageVendor.S3,
                region="us-east-1",
                bucket="bucket",
                account_id="210",
                endpoint="https://s3.example.com",
                access_key="AK",
                secret_key="SK",
            ),
            targets=(StreamTarget(stream=StreamKey("bob")), StreamTarget(stream=SCREEN, index=3)),
            control=SliceControl(align=True, mixed=True, ignore_silence=True, redundant_ms=3_000),
            handle=False,
        ),
    )

    await store.save_task(task)

    assert await store.find_task(task.key, since_ms=0) == task


async def test_saving_again_replaces_a_task_and_keeps_its_slices(store: TaskStore) -> None:
    task = a_task()
    await store.save_task(task)
    await store.add_slice(a_record())
    changed = replace(
        task.changed(TaskChange(identifier="other", duration_s=7)),
        state=TaskState.ENDED,
        stop_reason=StopReason.REQUEST,
        ended_at_ms=1_700_000_100_000,
        period_origin_ms=1_700_000_000_020,
    )

    await store.save_task(changed)

    assert await store.find_task(task.key, since_ms=0) == changed
    assert await store.room_slices(APP_ID, "room", limit=9) == [(changed, a_record())]


async def test_the_latest_run_of_a_key_is_found(store: TaskStore) -> None:
    await store.save_task(a_task("second", started_at_ms=2_000))
    await store.save_task(a_task("first", started_at_ms=1_000))

    found = await store.find_task(a_task().key, since_ms=0)

    assert found is not None
    assert found.run_id == "second"


async def test_of_two_runs_in_one_millisecond_the_later_saved_is_found(store: TaskStore) -> None:
    await store.save_task(a_task("first", started_at_ms=1_000))
    await store.save_task(a_task("second", started_at_ms=1_000))

    found = await store.find_task(a_task().key, since_ms=0)

    assert found is not None
    assert found.run_id == "second"


async def test_a_run_is_found_up_to_the_millisecond_at_which_it_started(store: TaskStore) -> None:
    await store.save_task(a_task(started_at_ms=1_000))

    assert await store.find_task(a_task().key, since_ms=1_000) is not None
    assert await store.find_task(a_task().key, since_ms=1_001) is None


@pytest.mark.parametrize(
    "other",
    [
        TaskKey("other", "room", "task"),
        TaskKey(APP_ID, "other", "task"),
        TaskKey(APP_ID, "room", "other"),
    ],
)
async def test_another_key_finds_nothing(store: TaskStore, other: TaskKey) -> None:
    await store.save_task(a_task())

    assert await store.find_task(other, since_ms=0) is None


async def test_only_unfinished_runs_are_listed_oldest_first(store: TaskStore) -> None:
    for number, state in enumerate(TaskState):
        await store.save_task(a_task(state.value, started_at_ms=10_000 - number, state=state))

    listed = [task.run_id for task in await store.unfinished_tasks()]

    assert listed == ["stopping", "running", "starting"]


async def test_the_next_index_follows_the_highest_of_each_stream(store: TaskStore) -> None:
    await store.save_task(a_task())
    await store.save_task(a_task("other-run"))
    for index in (0, 1, 2):
        await store.add_slice(a_record(index))
    await store.add_slice(a_record(0, stream=SCREEN))
    await store.add_slice(a_record(6, stream=MIXED_STREAM))
    await store.add_slice(a_record(40, run_id="other-run"))

    assert await store.next_index("run-1") == {("alice", 0): 3, ("alice", 1): 1, ("mixed", 0): 7}


async def test_a_run_without_slices_has_no_next_index(store: TaskStore) -> None:
    assert await store.next_index("never-saved") == {}


async def test_adding_a_slice_again_changes_nothing(store: TaskStore) -> None:
    await store.save_task(a_task())
    await store.add_slice(a_record())

    await store.add_slice(replace(a_record(), event_id="another"))

    assert await store.room_slices(APP_ID, "room", limit=9) == [(a_task(), a_record())]


async def test_a_slice_of_an_unknown_run_is_refused(store: TaskStore) -> None:
    with pytest.raises(TaskNotFound):
        await store.add_slice(a_record(run_id="never-saved"))


async def test_a_rooms_slices_come_newest_first_and_limited(store: TaskStore) -> None:
    await store.save_task(a_task("run-1"))
    await store.save_task(a_task("run-2", key=TaskKey(APP_ID, "room", "other-task")))
    await store.save_task(a_task("run-3", key=TaskKey(APP_ID, "other-room", "task")))
    await store.save_task(a_task("run-4", key=TaskKey("other-app", "room", "task")))
    for run_id in ("run-1", "run-2", "run-3", "run-4"):
        for index in (0, 1):
            await store.add_slice(a_record(index, run_id=run_id))

    latest = await store.room_slices(APP_ID, "room", limit=3)

    assert [(task.run_id, record.run_id, record.index) for task, record in latest] == [
        ("run-2", "run-2", 1),
        ("run-2", "run-2", 0),
        ("run-1", "run-1", 1),
    ]


@pytest.mark.parametrize("state", [SliceState.ANNOUNCED, SliceState.GIVEN_UP])
async def test_old_runs_are_forgotten_with_their_delivered_slices(
    store: TaskStore, state: SliceState
) -> None:
    await store.save_task(a_task(state=TaskState.ENDED, ended_at_ms=1_999))
    await store.add_slice(a_record(state=state))

    await store.forget_before(2_000)

    assert await store.find_task(a_task().key, since_ms=0) is None
    assert await store.room_slices(APP_ID, "room", limit=10) == []


async def test_runs_are_kept_that_are_young_or_unfinished_or_undelivered(store: TaskStore) -> None:
    await store.save_task(a_task("young", state=TaskState.FAILED, ended_at_ms=2_000))
    await store.save_task(a_task("running"))
    await store.save_task(a_task("undelivered", state=TaskState.ENDED, ended_at_ms=1))
    await store.add_slice(a_record(0, run_id="undelivered"))
    await store.add_slice(a_record(1, run_id="undelivered", state=SliceState.ANNOUNCED))

    await store.forget_before(2_000)

    for run_id in ("young", "running", "undelivered"):
        await store.add_slice(a_record(9, run_id=run_id))
    assert len(await store.room_slices(APP_ID, "room", limit=10)) == 5


async def test_writes_at_the_same_time_all_arrive(store: TaskStore) -> None:
    await store.save_task(a_task())

    await asyncio.gather(*(store.add_slice(a_record(index)) for index in range(200)))

    assert await store.next_index("run-1") == {("alice", 0): 200}
    assert len(await store.room_slices(APP_ID, "room", limit=300)) == 200
