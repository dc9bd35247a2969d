"""What is heard of a live job, and what is told and recorded of it."""

from __future__ import annotations

import array
import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
import pytest_asyncio

from airslice.application.broadcast.broadcast import BANNED, LostFrames
from airslice.application.broadcast.speech_ahead import PAUSE_FRAMES
from airslice.application.pacing import MAX_CATCH_UP_FRAMES
from airslice.application.ports.live import RecordingNotFound, SpeechRefused
from airslice.domain.errors import (
    InvalidInput,
    LiveJobFinished,
    LiveJobNotFound,
    RoomFull,
    TokenRefused,
    UserBanned,
)
from airslice.domain.live_job import FaultKind, JobState
from airslice.domain.players import PlayState, RtcNotice
from airslice.domain.room import RoomKey
from airslice.domain.room_event import EndReason
from airslice.domain.script import (
    ENDLESS,
    AutoStop,
    Cursor,
    LiveExit,
    Paragraph,
    PlayMode,
    Scene,
)
from tests.support.stages.live_stage import IN_ORDER, LiveStage, a_scene, numbered, scenes_of
from tests.support.stages.stage import FRAME_NS

HOUR_MS = 3_600_000


@pytest_asyncio.fixture
async def live() -> LiveStage:
    return LiveStage()


async def test_a_script_is_heard_whole_and_in_order_and_then_the_job_succeeds(
    live: LiveStage,
) -> None:
    job = await live.start(*scenes_of((2, 1), (3,)))

    ended = await live.run_to_end(job)

    assert live.ear.sentences == [(number, 25) for number in range(1, 7)]
    assert ended.state is JobState.SUCCEED
    assert live.ear.left == [EndReason.LEFT]
    assert live.jobs.running == 0


async def test_progress_says_which_sentence_is_heard_and_how_long_it_takes(
    live: LiveStage,
) -> None:
    lengths_ms = (400, 1_230, 20, 2_000)
    job = await live.start(a_scene(numbered(*lengths_ms)))

    await live.run_to_end(job)

    text = numbered(*lengths_ms)
    assert [line.sentence.offset for line, _ in live.progress] == [
        text.index(f"{number} for") for number in range(1, 5)
    ]
    begins = [frame for _, frame in live.progress] + [len(live.ear.heard)]
    assert [after - before for before, after in pairwise(begins)] == [
        -(-length_ms // 20) + PAUSE_FRAMES for length_ms in lengths_ms
    ]
    first, _ = live.progress[0]
    assert (first.scene.name, first.paragraph.title) == ("scene", "title 1")


async def test_there_is_no_gap_within_a_sentence_however_long_it_is(live: LiveStage) -> None:
    job = await live.start(a_scene(numbered(95_000, 100, 42_000)))

    await live.run_to_end(job)

    assert live.ear.sentences == [(1, 4_750), (2, 5), (3, 2_100)]


async def test_ten_minutes_are_thirty_thousand_frames_each_at_its_time(live: LiveStage) -> None:
    job = await live.start(
        a_scene(numbered(7_000, 3_210, 12_345)), policy=replace(IN_ORDER, repeat_count=ENDLESS)
    )
    first = live.clock.now_ns

    await live.run(600, hops=6)

    heard = live.ear.heard
    assert len(heard) == 30_000 + 1  # one at the beginning and one at the end
    assert (await live.job(job)).state is JobState.PROCESSING
    for number, packet in enumerate(one.packet for one in heard):
        assert packet.arrival_ns == first + number * FRAME_NS
        assert packet.sequence == (heard[0].packet.sequence + number) & 0xFFFF
        assert packet.timestamp == (heard[0].packet.timestamp + 960 * number) & 0xFFFF_FFFF
    assert max(one.at_ns - one.packet.arrival_ns for one in heard) <= FRAME_NS


async def test_sender_reports_tell_when_each_frame_is_due(live: LiveStage) -> None:
    await live.start(a_scene(numbered(20_000)))

    await live.run(10)

    offset_ns = live.clock.utc_minus_monotonic_ns
    due = {one.packet.timestamp: one.packet.arrival_ns for one in live.ear.heard}
    assert len(live.ear.reports) == 5  # at the beginning and each 2.5 s
    for ssrc, report in live.ear.reports:
        assert ssrc == live.ear.heard[0].ssrc
        assert report.utc_ns == due[report.timestamp] + offset_ns


async def test_after_a_stall_what_is_due_is_sent_and_the_clock_is_kept(live: LiveStage) -> None:
    await live.start(a_scene(numbered(20_000)))
    await live.run(2)
    before = len(live.ear.heard)

    live.clock.now_ns += 1_500_000_000
    await live.run(1)

    assert len(live.ear.heard) - before == 75 + 50
    first, last = live.ear.heard[0].packet, live.ear.heard[-1].packet
    assert (last.timestamp - first.timestamp) & 0xFFFF_FFFF == 960 * (len(live.ear.heard) - 1)


async def test_a_long_stall_is_not_made_up_for_but_the_clock_is_kept(live: LiveStage) -> None:
    job = await live.start(a_scene(numbered(20_000, 500)))
    await live.run(2)
    before = live.ear.heard[-1].packet

    live.clock.now_ns += 60_000_000_000
    await live.run(0.02)

    burst = [one.packet for one in live.ear.heard if one.packet.arrival_ns > before.arrival_ns]
    assert len(burst) == MAX_CATCH_UP_FRAMES
    assert [p.sequence for p in burst] == [
        (before.sequence + 1 + number) & 0xFFFF for number in range(MAX_CATCH_UP_FRAMES)
    ]
    lost = 60_000_000_000 // FRAME_NS + 1 - MAX_CATCH_UP_FRAMES
    ticks = (burst[0].timestamp - before.timestamp) & 0xFFFF_FFFF
    assert ticks == 960 * (lost + 1)
    await live.run_to_end(job)
    assert live.ear.sentences == [(1, 1_000), (2, 25)]  # nothing was left out
    assert live.jobs.lost_frames == LostFrames(skipped=lost)  # counted beyond the job's end


async def test_recordings_of_urls_and_assets_are_played_as_one_sentence_each(
    live: LiveStage,
) -> None:
    paragraphs = (
        Paragraph(number=1, audio_url="7 for 60000"),
        Paragraph(number=2, audio_asset_id="8 for 300"),
    )
    scene = Scene(script_id="script", name="scene", paragraphs=paragraphs)
    job = await live.start(scene, policy=replace(IN_ORDER, mode=PlayMode.AUDIO))

    await live.run_to_end(job)

    assert live.ear.sentences == [(7, 3_000), (8, 15)]
    assert [line.paragraph.number for line, _ in live.progress] == [1, 2]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SpeechRefused("it is no MP3"), FaultKind.NO_SPEECH),
        (RecordingNotFound("HTTP 404"), FaultKind.NO_RECORDING),
    ],
)
async def test_what_can_never_be_played_ends_the_job_without_another_try(
    live: LiveStage, error: SpeechRefused, kind: FaultKind
) -> None:
    live.recordings.error = error
    scene = Scene(
        script_id="script", name="scene", paragraphs=(Paragraph(number=1, audio_url="gone"),)
    )

    job = await live.start(scene, policy=replace(IN_ORDER, mode=PlayMode.AUDIO))

    failed = await live.job(job)
    assert failed.state is JobState.FAILED
    assert failed.fault is not None
    assert failed.fault.kind is kind
    assert str(error) in failed.fault.message


async def test_stop_is_silent_at_once(live: LiveStage) -> None:
    job = await live.start(a_scene(numbered(20_000)))
    await live.run(3)
    heard = len(live.ear.heard)

    await live.jobs.stop(job.project_id, job.room_id, job.job_id)
    await live.run(1)

    assert len(live.ear.heard) == heard
    stopped = await live.job(job)
    assert stopped.state is JobState.SUCCEED
    assert abs(stopped.on_air_ms - 3_000) <= 40
    with pytest.raises(LiveJobFinished):
        await live.jobs.stop(job.project_id, job.room_id, job.job_id)
    assert await live.job(job) == stopped


async def test_stop_while_the_first_speech_is_made_ends_the_job(live: LiveStage) -> None:
    live.engine.delay = asyncio.Event().wait  # type: ignore[assignment]
    job = await live.start(a_scene(numbered(1_000)))
    assert (await live.job(job)).state is JobState.WAITING

    await live.jobs.stop(job.project_id, job.room_id, job.job_id)

    assert (await live.job(job)).state is JobState.SUCCEED
    assert live.ear.heard == []


async def test_a_slow_engine_makes_pauses_but_none_within_a_sentence(live: LiveStage) -> None:
    async def slowly() -> None:
        until_ns = live.clock.now_ns + 4_000_000_000
        while live.clock.now_ns < until_ns:
            await asyncio.sleep(0)

    live.engine.delay = slowly
    job = await live.start(a_scene(numbered(1_000, 1_000, 1_000)))

    await live.run_to_end(job)

    assert live.ear.sentences == [(1, 50), (2, 50), (3, 50)]


async def test_an_engine_that_recovers_is_asked_again(live: LiveStage) -> None:
    live.engine.failures = 3
    job = await live.start(a_scene(numbered(500, 500)))

    for _ in range(40):
        live.clock.now_ns += 1_000_000_000
        await live.settle()
        live.pacer.beat()
        await live.settle()
    ended = await live.run_to_end(job)

    assert ended.state is JobState.SUCCEED
    assert [number for number, _ in live.ear.sentences] == [1, 2]


@pytest.mark.parametrize(("minutes", "waited_s"), [(None, 180), (1, 60)])
async def test_an_engine_that_stays_broken_fails_the_job(
    live: LiveStage, minutes: int | None, waited_s: int
) -> None:
    live.engine.failures = -1
    limit = LiveExit(max_exception_min=minutes)
    began_ns = live.clock.now_ns
    job = await live.start(a_scene(numbered(500)), policy=replace(IN_ORDER, exit=limit))

    async def is_over() -> bool:
        return (await live.job(job)).state is JobState.FAILED

    for _ in range(300):
        if await is_over():
            break
        live.clock.now_ns += 1_000_000_000
        await live.settle()
    failed = await live.job(job)

    assert failed.fault is not None
    assert failed.fault.kind is FaultKind.NO_SPEECH
    assert "out of order" in failed.fault.message
    assert waited_s - 20 <= (live.clock.now_ns - began_ns) / 1e9 <= waited_s + 3


async def test_pause_and_resume_at_once(live: LiveStage) -> None:
    job = await live.start(a_scene(numbered(2_000, 2_000)))
    await live.run(1)

    assert await live.control(job, "play_pause", "NOW") is PlayState.PLAY_PAUSE
    heard = len(live.ear.heard)
    await live.run(2)
    assert {one.number for one in live.ear.heard[heard:]} == {0}
    assert len(live.ear.heard) == heard + 100  # silence is published
    assert (await live.job(job)).is_paused
    assert await live.control(job, "play_resume") is PlayState.PROCESSING
    await live.run_to_end(job)

    assert [number for number, _ in live.ear.sentences] == [1, 1, 2]
    assert sum(frames for number, frames in live.ear.sentences if number == 1) == 100
    assert live.states == ["PREPROCESSING", "PROCESSING", "PLAY_PAUSE", "PROCESSING", "PLAY_END"]


async def test_pause_at_the_end_of_the_sentence(live: LiveStage) -> None:
    job = await live.start(a_scene(numbered(2_000, 2_000)))
    await live.run(1)

    state = await live.control(job, "play_pause", "SENTENCE_END")
    await live.run(5)

    assert state is PlayState.PROCESSING
    assert live.ear.sentences == [(1, 100)]
    assert await live.control(job, "get_current_state") is PlayState.PLAY_PAUSE
    await live.control(job, "play_resume")
    await live.run_to_end(job)
    assert live.ear.sentences == [(1, 100), (2, 100)]


async def test_without_auto_play_a_command_is_awaited(live: LiveStage) -> None:
    policy = replace(IN_ORDER, auto_play=False)
    job = await live.start(a_scene(numbered(1_000)), policy=policy)
    await live.run(5)
    assert (await live.job(job)).state is JobState.WAITING
    assert live.ear.heard == []
    assert await live.control(job, "get_current_state") is PlayState.PLAY_READY

    await live.control(job, "play_start")
    ended = await live.run_to_end(job)

    assert live.ear.sentences == [(1, 50)]
    assert ended.state is JobState.SUCCEED


@pytest.mark.parametrize(("command", "timing"), [("sing", "NOW"), ("play_pause", "LATER")])
async def test_unknown_commands_are_refused(live: LiveStage, command: str, timing: str) -> None:
    job = await live.start(a_scene(numbered(1_000)))

    with pytest.raises(InvalidInput):
        await live.control(job, command, timing)


async def test_only_users_of_the_job_may_steer_it(live: LiveStage) -> None:
    job = await live.start(a_scene(numbered(1_000)))
    room = RoomKey(job.place.app_id, job.place.room_id)

    with pytest.raises(TokenRefused):
        await live.jobs.control(room, "ann", "play_pause", "NOW")
    with pytest.raises(LiveJobNotFound):
        await live.jobs.control(room._replace(room_id="other"), "ann", "play_pause", "NOW")


async def test_without_a_script_there_is_silence_until_it_is_stopped(live: LiveStage) -> None:
    job = await live.start(policy=replace(IN_ORDER, mode=PlayMode.NO_PRESET))

    await live.run(30)

    assert {one.number for one in live.ear.heard} == {0}
    assert {one.packet.level for one in live.ear.heard} == {127}
    assert len(live.ear.heard) == pytest.approx(1_500, abs=1)
    await live.jobs.stop(job.project_id, job.room_id, job.job_id)
    assert (await live.job(job)).state is JobState.SUCCEED


async def test_each_paragraph_is_reported_to_the_owner(live: LiveStage) -> None:
    job = await live.start(*scenes_of((2, 1), (1,)))

    await live.run_to_end(job)

    assert {job_id for job_id, _ in live.events.announced} == {job.job_id}
    lines = [event.line for _, event in live.events.announced]
    assert [(line.scene.name, line.paragraph.number) for line in lines] == [
        ("scene 0", 1), ("scene 0", 2), ("scene 1", 1),
    ]  # fmt: skip


async def test_players_are_not_told_of_progress_that_is_not_subscribed(live: LiveStage) -> None:
    job = await live.start(a_scene(numbered(500)), rtc_notices=(RtcNotice.REPLY_COMMAND_FINISH,))

    await live.run_to_end(job)

    assert live.states
    assert live.progress == []


@pytest.mark.parametrize(
    ("auto_stop", "heard"),
    [
        (AutoStop.SEGMENT_END, [1, 2, 3, 4]),
        (AutoStop.SCENE_END, [1, 2, 3, 4, 5, 6]),
        (AutoStop.SCRIPT_END, [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
async def test_a_time_limit_ends_at_the_place_that_was_asked_for(
    live: LiveStage, auto_stop: AutoStop, heard: list[int]
) -> None:
    limit = LiveExit(max_live_h=1, auto_stop=auto_stop)
    policy = replace(IN_ORDER, repeat_count=ENDLESS, exit=limit)
    job = await live.resume(*scenes_of((2, 2, 2), (2,)), policy=policy, on_air_ms=HOUR_MS - 2_000)

    ended = await live.run_to_end(job, at_most_s=30)

    assert ended.state is JobState.SUCCEED
    assert [number for number, _ in live.ear.sentences] == heard


async def test_a_time_limit_ends_a_pause(live: LiveStage) -> None:
    limit = LiveExit(max_live_h=1, auto_stop=AutoStop.SCRIPT_END)
    job = await live.resume(
        a_scene(numbered(1_000, 1_000)),
        policy=replace(IN_ORDER, exit=limit),
        on_air_ms=HOUR_MS - 2_000,
    )
    await live.run(0.5)

    await live.control(job, "play_pause")
    await live.run(2)

    assert (await live.job(job)).state is JobState.SUCCEED


async def test_a_time_limit_ends_a_sentence_if_that_was_asked_for(live: LiveStage) -> None:
    limit = LiveExit(max_live_h=1, auto_stop=AutoStop.FORCE_EXIT)
    job = await live.resume(
        a_scene(numbered(30_000)),
        policy=replace(IN_ORDER, exit=limit),
        on_air_ms=HOUR_MS - 2_000,
    )

    ended = await live.run_to_end(job, at_most_s=30)

    assert ended.state is JobState.SUCCEED
    assert ended.on_air_ms == HOUR_MS
    assert live.ear.sentences == [(1, 100)]


@pytest.mark.parametrize(
    ("reason", "state", "kind"),
    [
        (EndReason.BANNED, JobState.BLOCKED, None),
        (EndReason.KICKED, JobState.FAILED, FaultKind.SENT_OUT),
        (EndReason.DISMISSED, JobState.FAILED, FaultKind.SENT_OUT),
    ],
)
async def test_a_presenter_who_is_sent_out_ends_the_job(
    live: LiveStage, reason: EndReason, state: JobState, kind: FaultKind | None
) -> None:
    job = await live.start(a_scene(numbered(30_000)))
    await live.run(1)

    live.ear.mouths[-1].close(reason)
    await live.run(1)

    ended = await live.job(job)
    assert ended.state is state
    assert (ended.fault.kind if ended.fault else None) is kind
    assert ("banned" in ended.block_reason) == (state is JobState.BLOCKED)


async def test_a_banned_presenter_does_not_go_on_air(live: LiveStage) -> None:
    live.ear.refusal = UserBanned("kept out for 10 s")
    job = await live.start(a_scene(numbered(30_000)))
    await live.run(1)

    ended = await live.job(job)

    assert ended.state is JobState.BLOCKED
    assert ended.block_reason == BANNED


async def test_a_room_without_a_place_fails_the_job(live: LiveStage) -> None:
    live.ear.refusal = RoomFull("17 publishers")
    job = await live.start(a_scene(numbered(30_000)))
    await live.run(1)

    ended = await live.job(job)

    assert ended.state is JobState.FAILED
    assert ended.fault is not None
    assert ended.fault.kind is FaultKind.NO_PLACE


async def test_an_engine_of_another_kind_of_error_is_asked_again_too(live: LiveStage) -> None:
    async def broken() -> None:
        live.engine.delay = None
        raise ZeroDivisionError

    live.engine.delay = broken
    job = await live.start(a_scene(numbered(500)))
    live.clock.now_ns += 1_100_000_000
    await live.settle()

    assert (await live.run_to_end(job)).state is JobState.SUCCEED


async def test_the_clock_of_being_on_air_is_that_of_the_frames(live: LiveStage) -> None:
    job = await live.start(a_scene(numbered(*[980] * 5)))

    ended = await live.run_to_end(job)

    assert ended.on_air_ms == pytest.approx(5 * (980 + 300), abs=40)
    assert ended.ended_at_ms - ended.started_at_ms == pytest.approx(ended.on_air_ms, abs=40)


async def test_the_cursor_is_past_a_sentence_before_that_is_heard(live: LiveStage) -> None:
    job = await live.start(*scenes_of((1, 2)))

    seen = []
    for _ in range(300):
        await live.run(0.02)
        if live.ear.heard and live.ear.heard[-1].number:
            seen.append((live.ear.heard[-1].number, (await live.job(job)).cursor))

    for number, place in ((1, Cursor(0, 0, 0, 1)), (2, Cursor(0, 0, 1, 1))):
        cursors = {cursor for heard, cursor in seen if heard == number}
        assert place in cursors
        assert all(cursor >= place for cursor in cursors)


async def test_pcm_of_an_odd_length_is_played(live: LiveStage) -> None:
    async def speak(utterance: object) -> bytes:
        return array.array("h", [9]).tobytes() * 1_000 + b"\0"

    live.engine.speak = speak  # type: ignore[method-assign]
    job = await live.start(a_scene(numbered(500)))

    await live.run_to_end(job)

    assert live.ear.sentences == [(9, 2)]
