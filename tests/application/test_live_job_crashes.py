"""A live job whose server dies goes on, and tells nothing twice."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from airslice.domain.live_job import JobState, LiveJob, rtc_place
from airslice.domain.players import PlayState
from airslice.domain.room_event import EndReason
from airslice.domain.script import Cursor, PlayPolicy, Program, RandomPlay
from tests.support.stages.live_stage import PROJECT, LiveStage, a_scene, numbered, scenes_of

POLICY = PlayPolicy(random=RandomPlay.SCENE_AND_SCRIPT_ITEM, repeat_count=1)
SENTENCE_FRAMES = 25

crashes = st.lists(
    st.one_of(
        st.tuples(st.just("after frames"), st.integers(0, 200)),
        st.tuples(st.just("before save"), st.integers(1, 6)),
        st.tuples(st.just("after save"), st.integers(1, 6)),
    ),
    max_size=4,
)


async def crash(live: LiveStage, kind: str, number: int) -> None:
    """Let time pass until the server dies, and start it again a minute later."""
    store = live.jobs_store
    if kind == "before save":
        store.dies_before_save = store.saves + number
    if kind == "after save":
        store.dies_after_save = store.saves + number
    for _ in range(number if kind == "after frames" else 500):
        if store.is_dead:
            break
        await live.run(0.02)
    await live.die()
    await restart(live)


async def restart(live: LiveStage) -> None:
    live.clock.now_ns += 60_000_000_000
    live.boot()
    await live.jobs.recover([PROJECT.project_id])


async def told(crashes: list[tuple[str, int]]) -> LiveStage:
    """Tell a script of two rounds, with crashes in between."""
    live = LiveStage()
    job = LiveJob(
        job_id="always the same, and so is the order",
        project_id=PROJECT.project_id,
        room_id="room",
        room_name="a room",
        program=Program(scenes=tuple(scenes_of((2, 1), (3,))), policy=POLICY),
        place=rtc_place(PROJECT.app_id, "job", has_capture=False),
        created_at_ms=0,
        updated_at_ms=0,
    )
    await live.jobs_store.save_job(job)
    await live.jobs.recover()
    for kind, number in crashes:
        await crash(live, kind, number)
    live.jobs_store.dies_before_save = live.jobs_store.dies_after_save = 0
    ended = await live.run_to_end(job, at_most_s=60)
    assert ended.state is JobState.SUCCEED
    return live


@settings(max_examples=60, deadline=None)
@given(crashes)
def test_after_crashes_every_sentence_is_told_once_at_most_and_in_order(
    crashes: list[tuple[str, int]],
) -> None:
    whole = asyncio.run(told([])).ear.sentences
    heard = asyncio.run(told(crashes)).ear.sentences

    assert len(whole) == 12
    rest = iter(number for number, _ in whole)
    assert all(number in rest for number, _ in heard)  # a part of it, in the same order
    assert all(frames <= SENTENCE_FRAMES for _, frames in heard)
    complete = sum(frames == SENTENCE_FRAMES for _, frames in heard)
    assert complete >= len(whole) - len(crashes)


async def test_a_job_that_is_paused_stays_paused_over_a_crash() -> None:
    live = LiveStage()
    job = await live.start(a_scene(numbered(2_000, 500)))
    await live.run(1)
    await live.control(job, "play_pause")
    await live.die()
    await restart(live)
    await live.run(10)

    assert [number for number, _ in live.ear.sentences] == [1]
    assert live.states[-1] is PlayState.PLAY_PAUSE
    await live.control(job, "play_resume")
    ended = await live.run_to_end(job)
    assert [number for number, _ in live.ear.sentences] == [1, 2]
    assert ended.state is JobState.SUCCEED


async def test_a_job_that_comes_back_paused_can_be_resumed_before_it_is_on_air() -> None:
    live = LiveStage()
    job = await live.start(a_scene(numbered(2_000, 500)))
    await live.run(1)
    await live.control(job, "play_pause")
    await live.die()
    never = asyncio.Event()
    live.engine.delay = never.wait  # type: ignore[assignment]
    await restart(live)

    assert await live.control(job, "play_resume") == "PREPROCESSING"
    never.set()
    await live.run_to_end(job)

    assert [number for number, _ in live.ear.sentences] == [1, 2]


async def test_the_time_in_which_the_server_was_down_is_not_on_air() -> None:
    live = LiveStage()
    job = await live.start(a_scene(numbered(*[500] * 10)))
    await live.run(4)
    await live.die()
    await restart(live)

    recovered = await live.job(job)
    assert recovered.on_air_for(live.clock.utc_ns() // 1_000_000) <= 4_040
    ended = await live.run_to_end(job)

    assert 7_000 <= ended.on_air_ms <= 10 * 800 + 40


async def test_a_server_that_stops_falls_silent_and_goes_on_at_the_next_start() -> None:
    live = LiveStage()
    job = await live.start(a_scene(numbered(500, 500, 500)))
    await live.run(1)

    await live.jobs.suspend()
    await live.run(1)

    suspended = await live.job(job)
    assert suspended.state is JobState.PROCESSING
    assert suspended.on_air_ms == 1_020
    assert live.ear.left == [EndReason.SHUTDOWN]
    assert [number for number, _ in live.ear.sentences] == [1, 2]
    await live.die()
    await restart(live)
    await live.run_to_end(job)
    assert [number for number, _ in live.ear.sentences] == [1, 2, 3]


async def test_a_stop_of_the_server_between_sentences_leaves_none_out() -> None:
    live = LiveStage()
    job = await live.start(a_scene(numbered(500, 500)))
    while (await live.job(job)).cursor != Cursor(0, 0, 0, 2):  # recorded, and not begun
        await live.run(0.02)

    await live.jobs.suspend()
    await live.die()
    await restart(live)
    await live.run_to_end(job)

    assert live.ear.sentences == [(1, 25), (2, 25)]


async def test_a_job_that_had_not_begun_begins_after_a_crash() -> None:
    live = LiveStage()
    live.engine.delay = asyncio.Event().wait  # type: ignore[assignment]
    job = await live.start(a_scene(numbered(500, 500)))
    await live.die()
    live.engine.delay = None
    await restart(live)

    ended = await live.run_to_end(job)

    assert live.ear.sentences == [(1, 25), (2, 25)]
    assert ended.state is JobState.SUCCEED
