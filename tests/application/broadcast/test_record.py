"""A running job has one writer, and a finished one none."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from airslice.application.broadcast.record import JobRecord
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import LiveJobFinished, StoreFailed
from airslice.domain.live_job import IllegalJobTransition, JobEvent, JobState, LiveJob, rtc_place
from airslice.domain.script import Program
from tests.support.memory.live_jobs import MemoryLiveJobStore
from tests.support.stages.stage import HandClock

JOB = LiveJob(
    job_id="job",
    project_id="project",
    room_id="room",
    room_name="a room",
    program=Program(),
    place=rtc_place("app", "job", has_capture=False),
    created_at_ms=0,
    updated_at_ms=0,
)


class SlowStore(MemoryLiveJobStore):
    """Takes its time, and fails if it is told to."""

    failures = 0

    async def save_job(self, job: LiveJob) -> None:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise StoreFailed("the disk is full")
        await super().save_job(job)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
def record(store: SlowStore, clock: HandClock) -> JobRecord:
    return JobRecord(JOB, store=store, wall_clock=WallClock(clock), sleep=clock.sleep)


async def test_changes_at_the_same_time_are_all_kept(record: JobRecord, store: SlowStore) -> None:
    record.on_air_ms = 40

    await asyncio.gather(
        record.change(lambda job: replace(job, is_paused=True)),
        record.move(JobEvent.WENT_ON_AIR),
        record.change(lambda job: replace(job, block_reason="x")),
    )

    recorded = await store.find_job("project", "job")
    assert recorded == record.job
    assert recorded is not None
    assert (recorded.is_paused, recorded.state, recorded.block_reason, recorded.on_air_ms) == (
        True, JobState.PROCESSING, "x", 40,
    )  # fmt: skip


async def test_a_finished_job_is_changed_by_nobody(record: JobRecord, store: SlowStore) -> None:
    await record.move(JobEvent.STOP_REQUESTED)
    ended = await store.find_job("project", "job")

    for change in (
        record.change(lambda job: replace(job, is_paused=True)),
        record.move(JobEvent.BLOCKED),
    ):
        with pytest.raises(LiveJobFinished):
            await change

    assert await store.find_job("project", "job") == ended


async def test_an_event_without_a_meaning_is_not_recorded(
    record: JobRecord, store: SlowStore
) -> None:
    with pytest.raises(IllegalJobTransition):
        await record.move(JobEvent.SCRIPT_ENDED)

    assert record.job == JOB
    assert await store.find_job("project", "job") is None


async def test_records_that_fail_are_waited_for(
    record: JobRecord, store: SlowStore, clock: HandClock
) -> None:
    store.failures = 2
    moving = asyncio.create_task(record.move(JobEvent.WENT_ON_AIR))
    for _ in range(2):
        while not clock.sleepers:
            await asyncio.sleep(0)
        assert record.job == JOB
        clock.turn_to_next_alarm()
        while clock.alarm_is_over:
            await asyncio.sleep(0)

    assert (await moving).state is JobState.PROCESSING
    assert record.job == await store.find_job("project", "job")
