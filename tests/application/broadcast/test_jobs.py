"""Which live jobs are started, and what becomes of them and their rooms."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from airslice.application.moderation import Moderation
from airslice.application.ports.live import JobQuery
from airslice.application.rooms.bans import Bans
from airslice.application.rooms.publishing import Publishing
from airslice.application.rooms.room_sessions import Admission
from airslice.application.wall_clock import WallClock
from airslice.domain import room_token
from airslice.domain.ban import BanScope
from airslice.domain.errors import (
    LiveJobFinished,
    LiveJobNotFound,
    LiveJobRunning,
    LiveRoomNotFound,
    LiveRoomUnusable,
    TokenRefused,
    TooManyLiveJobs,
)
from airslice.domain.live_job import JobOrder, JobState, LiveJob, RtcUserKind
from airslice.domain.live_room import LiveRoomState, LiveRoomType
from airslice.domain.room import StreamKey, StreamType
from airslice.domain.room_event import EndReason
from airslice.domain.script import (
    LiveExit,
    PlayPolicy,
)
from tests.support.memory.bans import MemoryBanStore
from tests.support.stages.live_stage import (
    IN_ORDER,
    PROJECT,
    LiveStage,
    a_scene,
    numbered,
    scenes_of,
)
from tests.support.stages.publishers import FakeEngine, RecordingObserver, token
from tests.support.stages.stage import ACCOUNT, APP, Stage

SCENE = a_scene(numbered(5_000))


@pytest_asyncio.fixture
async def live() -> LiveStage:
    return LiveStage()


@pytest.mark.parametrize(
    "change",
    [
        {"type": LiveRoomType.TEMPLATE},
        {"state": LiveRoomState.DISABLE},
        {"state": LiveRoomState.BLOCKED},
    ],
)
async def test_a_room_that_cannot_be_used_has_no_jobs(
    live: LiveStage, change: dict[str, Any]
) -> None:
    room = await live.room(SCENE)
    if "type" in change:
        room = replace(room, draft=replace(room.draft, **change))
    else:
        room = replace(room, **change)
    await live.rooms.save_room(room)

    with pytest.raises(LiveRoomUnusable):
        await live.jobs.start(PROJECT, room.room_id, JobOrder())


async def test_rooms_of_others_are_not_found(live: LiveStage) -> None:
    room = await live.room(SCENE)

    for project, room_id in (
        (PROJECT, "another"),
        (replace(PROJECT, project_id="other"), room.room_id),
    ):
        with pytest.raises(LiveRoomNotFound):
            await live.jobs.start(project, room_id, JobOrder())


async def test_an_order_can_want_to_be_alone_in_the_room(live: LiveStage) -> None:
    room = await live.room(SCENE)
    alone = JobOrder(single_job_in_room=True)

    results = await asyncio.gather(
        *(live.jobs.start(PROJECT, room.room_id, alone) for _ in range(3)),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [LiveJob, LiveJobRunning, LiveJobRunning]
    await live.jobs.start(PROJECT, room.room_id, JobOrder())  # this one does not mind


async def test_jobs_are_bounded(live: LiveStage) -> None:
    live.max_jobs = 1
    live.boot()
    job = await live.start(SCENE)
    room = await live.room(SCENE)

    with pytest.raises(TooManyLiveJobs):
        await live.jobs.start(PROJECT, room.room_id, JobOrder())
    await live.jobs.stop(job.project_id, job.room_id, job.job_id)
    await live.settle()

    await live.jobs.start(PROJECT, room.room_id, JobOrder())


async def test_only_jobs_that_are_heard_count_as_on_air(live: LiveStage) -> None:
    heard = await live.start(SCENE)
    await live.start(SCENE, policy=PlayPolicy(auto_play=False))
    await live.run(1)

    assert (live.jobs.on_air, live.jobs.running) == (1, 2)

    await live.jobs.stop(heard.project_id, heard.room_id, heard.job_id)
    await live.settle()

    assert (live.jobs.on_air, live.jobs.running) == (0, 1)


async def test_no_job_is_started_while_the_server_stops(live: LiveStage) -> None:
    await live.jobs.suspend()
    room = await live.room(SCENE)

    with pytest.raises(TooManyLiveJobs):
        await live.jobs.start(PROJECT, room.room_id, JobOrder())


async def test_a_job_is_blocked_with_its_reason_once(live: LiveStage) -> None:
    job = await live.start(SCENE)
    await live.run(1)

    blocked = await live.jobs.block(job.job_id, "it says too much")

    assert blocked.state is JobState.BLOCKED
    assert blocked.block_reason == "it says too much"
    assert await live.job(job) == blocked
    with pytest.raises(LiveJobFinished):
        await live.jobs.stop(job.project_id, job.room_id, job.job_id)
    await live.settle()
    with pytest.raises(LiveJobNotFound):
        await live.jobs.block(job.job_id, "again")


async def test_jobs_are_shown_only_to_their_project_and_in_their_room(live: LiveStage) -> None:
    job = await live.start(SCENE)

    assert await live.jobs.show(PROJECT.project_id, job.room_id, job.job_id) == await live.job(job)
    for place in (("other", job.room_id), (PROJECT.project_id, "another room")):
        with pytest.raises(LiveJobNotFound):
            await live.jobs.show(*place, job.job_id)
        with pytest.raises(LiveJobNotFound):
            await live.jobs.stop(*place, job.job_id)
    assert (await live.jobs.list(PROJECT.project_id, JobQuery())).count == 1


async def test_temporary_rooms_go_with_their_last_job(live: LiveStage) -> None:
    room = await live.room(SCENE, type=LiveRoomType.TEMP)
    jobs = [await live.jobs.start(PROJECT, room.room_id, JobOrder()) for _ in range(2)]

    await live.jobs.stop(PROJECT.project_id, room.room_id, jobs[0].job_id)
    await live.settle()
    assert await live.rooms.find_room(room.room_id) == room
    await live.jobs.stop(PROJECT.project_id, room.room_id, jobs[1].job_id)
    await live.settle()

    assert await live.rooms.find_room(room.room_id) is None


async def test_other_rooms_stay(live: LiveStage) -> None:
    job = await live.start(SCENE)

    await live.run_to_end(job)

    assert await live.rooms.find_room(job.room_id) is not None


async def test_a_temporary_room_that_a_crash_left_over_is_removed_at_the_start(
    live: LiveStage,
) -> None:
    job = await live.start(SCENE, type=LiveRoomType.TEMP)
    await live.run(1)
    live.jobs_store.dies_after_save = live.jobs_store.saves + 1
    stopping = asyncio.create_task(live.jobs.stop(PROJECT.project_id, job.room_id, job.job_id))
    await live.settle()
    await live.die()
    stopping.cancel()
    assert (await live.job(job)).state is JobState.SUCCEED

    live.boot()
    await live.jobs.recover([PROJECT.project_id])

    assert await live.rooms.find_room(job.room_id) is None


async def test_the_time_limit_can_be_changed_on_air(live: LiveStage) -> None:
    job = await live.resume(SCENE, on_air_ms=3_600_000)
    await live.run(1)

    await live.jobs.reset_exit(job.job_id, LiveExit(max_live_h=1))
    await live.run(0.02)

    assert (await live.job(job)).state is JobState.SUCCEED
    assert (await live.job(job)).program.policy.exit == LiveExit(max_live_h=1)
    with pytest.raises(LiveJobFinished):
        await live.jobs.reset_exit(job.job_id, LiveExit())


async def test_tokens_let_the_presenter_publish_and_players_listen(live: LiveStage) -> None:
    job = await live.start(SCENE, policy=replace(IN_ORDER, needs_capture_user=True))
    now_s = live.clock.utc_ns() / 1e9

    for user in job.place.users:
        text, expires_at_s = live.jobs.token(job, user)
        grant = room_token.verify(
            text, app_id=APP.app_id, app_key=APP.app_key, room_id=job.place.room_id, now_s=now_s
        )
        assert grant.user_id == user.user_id
        assert grant.may_publish_audio == (user.kind is not RtcUserKind.PLAYER)
        assert grant.may_subscribe == (user.kind is RtcUserKind.PLAYER)
        assert expires_at_s == int(now_s) + 86_400


async def test_a_job_of_an_application_that_is_gone_fails_at_the_start(live: LiveStage) -> None:
    job = await live.start(SCENE)
    await live.die()
    live.apps = {}
    live.boot()

    await live.jobs.recover()
    await live.settle()

    assert (await live.job(job)).state is JobState.FAILED


async def test_twenty_jobs_at_once_are_each_heard_whole(live: LiveStage) -> None:
    jobs = [await live.start(*scenes_of((3,), length_ms=400 + 20 * number)) for number in range(20)]

    for _ in range(8):
        await live.run(1)

    for job in jobs:
        assert (await live.job(job)).state is JobState.SUCCEED
    by_source = {one.ssrc: [] for one in live.ear.heard}  # type: dict[int, list[int]]
    for one in live.ear.heard:
        by_source[one.ssrc].append(one.number)
    assert len(by_source) == 20
    lengths = [
        [(number, len(list(run))) for number, run in itertools.groupby(heard) if number]
        for heard in by_source.values()
    ]
    assert sorted(lengths) == sorted(
        [(number, 20 + place) for number in (1, 2, 3)] for place in range(20)
    )


class RealRoom:
    """A presenter in a real room of the slicing half, in memory."""

    def __init__(self, stage: Stage, live: LiveStage) -> None:
        live.clock = stage.clock
        wall_clock = WallClock(stage.clock)
        self.bans = Bans(store=MemoryBanStore(), wall_clock=wall_clock)
        self.observer = RecordingObserver()
        self.publishing = Publishing(
            admission=Admission(apps={APP.app_id: APP}, wall_clock=wall_clock, bans=self.bans),
            rooms=stage.rooms,
            engine=FakeEngine(),
            observer=self.observer,
        )
        self.moderation = Moderation(
            apps={APP.app_id: APP},
            publishing=self.publishing,
            bans=self.bans,
            users_in=lambda room: [],
            wall_clock=wall_clock,
        )
        self.stage, self.live = stage, live
        live.stage = self.publishing
        live.boot()

    async def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            await self.live.run(0.02)
            self.stage.rooms.beat()


@pytest_asyncio.fixture
async def real(stage: Stage, live: LiveStage) -> RealRoom:
    return RealRoom(stage, live)


async def test_a_presenter_is_sliced_like_any_other_speaker(real: RealRoom, stage: Stage) -> None:
    live = real.live
    job = await live.start(a_scene(numbered(1_500, 700, 900)))
    order = stage.order(control={"align": False})
    await stage.tasks.start(
        ACCOUNT, replace(order, key=order.key._replace(room_id=job.place.room_id))
    )
    await real.run(1)
    began_ms = (await live.job(job)).started_at_ms
    while (await live.job(job)).state is not JobState.SUCCEED:
        await real.run(1)
    await real.run(1)
    await stage.settle()

    slices = stage.stored(job.place.user_id(RtcUserKind.RENDER))
    pcm = list(itertools.chain.from_iterable(one.pcm for one in slices))
    runs = [(value, len(list(run)) / 16) for value, run in itertools.groupby(pcm)]
    pause = (0, 300.0)
    assert runs[-5:] == [pause, (2, 700.0), pause, (3, 900.0), pause]
    assert abs(slices[0].start_ms - began_ms) <= 40
    for one in slices:
        assert abs(one.start_ms - slices[0].start_ms - 1_000 * one.index) <= 1


async def test_a_ban_of_the_presenter_blocks_the_job(real: RealRoom) -> None:
    job = await real.live.start(SCENE)
    await real.run(1)
    user_id = job.place.user_id(RtcUserKind.RENDER)

    scope = BanScope(app_id=APP.app_id, room_id=job.place.room_id, user_id=user_id)
    await real.moderation.ban(ACCOUNT, scope, length_s=60)
    await real.run(1)

    blocked = await real.live.job(job)
    assert blocked.state is JobState.BLOCKED
    assert "banned" in blocked.block_reason
    assert [reason for *_, reason in real.observer.ended] == [EndReason.BANNED]


async def test_room_events_tell_of_the_presenter(real: RealRoom) -> None:
    job = await real.live.start(a_scene(numbered(500)))
    await real.run(2)

    stream = StreamKey(job.place.user_id(RtcUserKind.RENDER))
    assert [key for _, key in real.observer.began] == [stream]
    assert [(key, reason) for _, key, reason in real.observer.ended] == [(stream, EndReason.LEFT)]
    assert real.publishing.sessions == 0


async def test_nobody_takes_the_presenters_place(real: RealRoom, stage: Stage) -> None:
    job = await real.live.start(SCENE)
    await real.run(1)
    user_id, room_id = job.place.user_id(RtcUserKind.RENDER), job.place.room_id

    with pytest.raises(TokenRefused):
        real.publishing.publish(
            APP.app_id,
            room_id,
            token=token(stage, user_id, room=room_id),
            offer="offer",
            stream_type=StreamType.MAIN,
        )

    await real.run(1)
    assert (await real.live.job(job)).state is JobState.PROCESSING
