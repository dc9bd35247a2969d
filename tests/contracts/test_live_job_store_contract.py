"""What every LiveJobStore does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.application.ports.live import JobQuery, LiveJobStore, Window
from airslice.domain.live_job import FINAL_STATES, FaultKind, JobFault, JobState
from airslice.domain.players import RtcNotice
from airslice.domain.script import Cursor, Program
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.live_jobs import SqliteLiveJobStore
from tests.support.memory.live_jobs import MemoryLiveJobStore
from tests.support.values.live_values import CALLBACK, PROJECT, SCENE, T0, a_job


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LiveJobStore]:
    if request.param == "memory":
        yield MemoryLiveJobStore()
        return
    database = await SqliteDatabase.open(tmp_path / "airslice.db", bytes(32))
    yield await SqliteLiveJobStore.open(database)
    await database.close()


ALL = JobQuery()


async def ids(store: LiveJobStore, query: JobQuery = ALL, project: str = PROJECT) -> list[str]:
    page = await store.jobs(project, query)
    listed = [job.job_id for job in page.items]
    if query.window == Window():
        assert page.count == len(listed)
    return listed


async def test_a_job_comes_back_as_it_was_saved(store: LiveJobStore) -> None:
    job = replace(
        a_job(),
        state=JobState.FAILED,
        cursor=Cursor(1, 2, 3, 4),
        is_paused=True,
        started_at_ms=T0 + 1,
        ended_at_ms=T0 + 2,
        on_air_ms=1,
        fault=JobFault(kind=FaultKind.NO_SPEECH, message="no voice"),
        block_reason="why",
        callback=CALLBACK,
        rtc_notices=(RtcNotice.LIVE_PROGRESS, RtcNotice.REPLY_COMMAND_FINISH),
        extras={"stream_keys": ["KEY"], "deep": {"n": None, "x": 1.5}},
    )

    await store.save_job(job)

    assert await store.find_job(PROJECT, "job-1") == job


async def test_saving_again_replaces_a_job(store: LiveJobStore) -> None:
    job = a_job()
    await store.save_job(job)
    moved = replace(job, cursor=Cursor(sentence=7), updated_at_ms=T0 + 9, state=JobState.PROCESSING)

    await store.save_job(moved)

    assert await store.find_job(PROJECT, "job-1") == moved
    assert await store.unfinished_jobs() == [moved]


async def test_a_changed_program_is_kept(store: LiveJobStore) -> None:
    job = a_job()
    await store.save_job(job)
    rewritten = replace(job, program=Program(scenes=(replace(SCENE, name="rewritten"),)))

    await store.save_job(rewritten)

    assert await store.find_job(PROJECT, "job-1") == rewritten


async def test_a_job_is_found_in_its_project_only(store: LiveJobStore) -> None:
    await store.save_job(a_job())

    assert await store.find_job("other", "job-1") is None
    assert await store.find_job(PROJECT, "other") is None
    assert await ids(store, project="other") == []


async def test_listed_jobs_are_without_their_programs(store: LiveJobStore) -> None:
    await store.save_job(replace(a_job(), callback=CALLBACK, extras={"k": "v"}))

    page = await store.jobs(PROJECT, JobQuery())

    assert page.items == (replace(a_job(program=Program()), callback=CALLBACK, extras={"k": "v"}),)
    assert page.count == 1


async def test_jobs_are_ordered_by_their_creation_or_latest_change(store: LiveJobStore) -> None:
    await store.save_job(a_job("b", created_at_ms=T0 + 2, updated_at_ms=T0 + 30))
    await store.save_job(a_job("a", created_at_ms=T0 + 3, updated_at_ms=T0 + 20))
    await store.save_job(a_job("c", created_at_ms=T0 + 1, updated_at_ms=T0 + 10))

    assert await ids(store) == ["c", "b", "a"]
    assert await ids(store, JobQuery(descending=True)) == ["a", "b", "c"]
    assert await ids(store, JobQuery(by_update=True)) == ["c", "a", "b"]
    assert await ids(store, JobQuery(by_update=True, descending=True)) == ["b", "a", "c"]


async def test_jobs_of_the_same_time_keep_the_order_in_which_they_came(store: LiveJobStore) -> None:
    for name in ("b", "c", "a"):
        await store.save_job(a_job(name))
    await store.save_job(a_job("b", state=JobState.SUCCEED))

    assert await ids(store) == ["b", "c", "a"]
    assert await ids(store, JobQuery(descending=True)) == ["a", "c", "b"]
    assert await ids(store, JobQuery(by_update=True)) == ["b", "c", "a"]


async def test_a_change_moves_a_job_in_the_order_of_changes(store: LiveJobStore) -> None:
    for number, name in enumerate("abcd"):
        await store.save_job(a_job(name, created_at_ms=T0 + number, updated_at_ms=T0 + number))

    await store.save_job(a_job("b", created_at_ms=T0 + 1, updated_at_ms=T0 + 9))
    await store.save_job(a_job("d", created_at_ms=T0 + 3, updated_at_ms=T0))

    assert await ids(store, JobQuery(by_update=True)) == ["a", "d", "c", "b"]
    assert await ids(store) == ["a", "b", "c", "d"]


async def test_pages_follow_each_other_and_count_them_all(store: LiveJobStore) -> None:
    names = [f"job-{number:03}" for number in range(25)]
    for number, name in enumerate(names):
        await store.save_job(a_job(name, created_at_ms=T0 + number))

    for descending in (False, True):
        listed = []
        for offset in (0, 10, 20, 30):
            window = Window(offset=offset, limit=10)
            page = await store.jobs(PROJECT, JobQuery(window=window, descending=descending))
            assert page.count == 25
            listed += [job.job_id for job in page.items]
        assert listed == (names[::-1] if descending else names)


async def test_a_page_far_beyond_the_end_is_empty_and_still_counts(store: LiveJobStore) -> None:
    await store.save_job(a_job())

    for descending in (False, True):
        window = Window(offset=2_147_483_647, limit=100)
        page = await store.jobs(PROJECT, JobQuery(window=window, descending=descending))

        assert (page.count, page.items) == (1, ())


async def test_jobs_are_filtered_by_state(store: LiveJobStore) -> None:
    for state in JobState:
        await store.save_job(a_job(state.value, state=state))

    assert await ids(store, JobQuery(states=frozenset({JobState.FAILED}))) == ["FAILED"]
    two = frozenset({JobState.BLOCKED, JobState.WAITING})
    assert await ids(store, JobQuery(states=two)) == ["WAITING", "BLOCKED"]
    assert len(await ids(store)) == len(JobState)


async def test_a_job_is_listed_under_the_state_that_it_has_now(store: LiveJobStore) -> None:
    await store.save_job(a_job())
    await store.save_job(a_job(state=JobState.PROCESSING))

    assert await ids(store, JobQuery(states=frozenset({JobState.WAITING}))) == []
    assert await ids(store, JobQuery(states=frozenset({JobState.PROCESSING}))) == ["job-1"]


async def test_bounds_of_time_are_inclusive(store: LiveJobStore) -> None:
    for number in range(5):
        await store.save_job(a_job(str(number), created_at_ms=T0 + number))

    since = JobQuery(window=Window(created_since_ms=T0 + 3))
    until = JobQuery(window=Window(created_until_ms=T0 + 1))
    both = JobQuery(window=Window(created_since_ms=T0 + 1, created_until_ms=T0 + 2), by_update=True)

    assert (await store.jobs(PROJECT, since)).count == 2
    assert [job.job_id for job in (await store.jobs(PROJECT, since)).items] == ["3", "4"]
    assert [job.job_id for job in (await store.jobs(PROJECT, until)).items] == ["0", "1"]
    assert [job.job_id for job in (await store.jobs(PROJECT, both)).items] == ["1", "2"]


async def test_jobs_are_filtered_by_room_and_by_a_part_of_its_name(store: LiveJobStore) -> None:
    await store.save_job(a_job("a", room_id="room-1", room_name="Evening Sale"))
    await store.save_job(a_job("b", room_id="room-2", room_name="早间特卖 SALE"))
    await store.save_job(a_job("c", room_id="room-3", room_name="ÉTÉ 100%"))
    await store.save_job(a_job("d", room_id="room-1", room_name="renamed"))

    assert await ids(store, JobQuery(room_id="room-1")) == ["a", "d"]
    assert await ids(store, JobQuery(room_id="nowhere")) == []
    assert await ids(store, JobQuery(room_name="sale")) == ["a", "b"]
    assert await ids(store, JobQuery(room_name="特卖")) == ["b"]
    assert await ids(store, JobQuery(room_name="été")) == ["c"]
    assert await ids(store, JobQuery(room_name="0%")) == ["c"]
    assert await ids(store, JobQuery(room_name="%")) == ["c"]
    assert await ids(store, JobQuery(room_name="nothing")) == []
    assert await ids(store, JobQuery(room_name="d")) == ["d"]
    assert await ids(store, JobQuery(room_name="sale早")) == []
    assert await ids(store, JobQuery(room_name="x" * 1_000)) == []
    assert await ids(store, JobQuery(room_name="sale"), project="other") == []
    assert await ids(store, JobQuery(room_id="room-1", room_name="sale")) == ["a"]


async def test_all_filters_hold_together(store: LiveJobStore) -> None:
    wanted = a_job("wanted", state=JobState.FAILED, created_at_ms=T0 + 5)
    for job in (
        wanted,
        replace(wanted, job_id="state", state=JobState.SUCCEED),
        replace(wanted, job_id="room", room_id="other"),
        replace(wanted, job_id="name", room_name="other"),
        replace(wanted, job_id="time", created_at_ms=T0),
        replace(wanted, job_id="project", project_id="other"),
    ):
        await store.save_job(job)

    page = await store.jobs(
        PROJECT,
        JobQuery(
            window=Window(created_since_ms=T0 + 1),
            room_id="room-1",
            room_name="Sale",
            states=frozenset({JobState.FAILED}),
        ),
    )

    assert [job.job_id for job in page.items] == ["wanted"]
    assert page.count == 1


async def test_unfinished_jobs_are_listed_oldest_first(store: LiveJobStore) -> None:
    for number, state in enumerate(JobState):
        await store.save_job(a_job(state.value, state=state, created_at_ms=T0 - number))

    unfinished = await store.unfinished_jobs()

    assert [job.job_id for job in unfinished] == ["PROCESSING", "WAITING"]
    assert unfinished[0].program == Program(scenes=(SCENE,))


@pytest.mark.parametrize("state", JobState)
async def test_a_room_knows_whether_a_job_of_its_is_unfinished(
    store: LiveJobStore, state: JobState
) -> None:
    await store.save_job(a_job("old", state=JobState.SUCCEED))
    await store.save_job(a_job(state=state, room_name="renamed"))

    assert await store.has_unfinished_job("room-1") is (state not in FINAL_STATES)
    assert await store.has_unfinished_job("room-2") is False


async def test_jobs_saved_at_the_same_time_are_all_listed(store: LiveJobStore) -> None:
    jobs = [a_job(f"job-{number}", room_id=f"room-{number % 7}") for number in range(300)]

    await asyncio.gather(*(store.save_job(job) for job in jobs))

    assert (await store.jobs(PROJECT, JobQuery())).count == 300
    assert (await store.jobs(PROJECT, JobQuery(room_id="room-0"))).count == 43
