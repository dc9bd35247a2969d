"""What a job is made of: its room, its order, and what holds in general."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from airslice.domain.errors import (
    InvalidInput,
)
from airslice.domain.live_job import JobOrder, JobState
from airslice.domain.live_platform import LivePlatform, PlatformApi, PlatformCallback
from airslice.domain.live_user_config import LiveUserConfig
from airslice.domain.owner_event import CallbackAuth, LiveCallback, OwnerEventKind
from airslice.domain.room import is_valid_id
from airslice.domain.script import (
    ENDLESS,
    LiveExit,
    Paragraph,
    PlayMode,
    PlayPolicy,
    Program,
    Scene,
)
from tests.support.stages.live_stage import (
    IN_ORDER,
    PROJECT,
    LiveStage,
    a_scene,
    numbered,
)

SCENE = a_scene(numbered(5_000))

LINK = {"relation_live_platform_info": {"platform_id": "shop", "live_id": "l1"}}
PLATFORM = LivePlatform(
    platform_id="shop",
    project_id=PROJECT.project_id,
    name="a shop",
    key="platform's key",
    callbacks=(
        PlatformCallback(api=PlatformApi.PRODUCT_QUERY, url="https://platform.example/products"),
        PlatformCallback(api=PlatformApi.LIVE_EVENT_CALLBACK, url="https://platform.example/"),
    ),
    created_at_ms=0,
    updated_at_ms=0,
)


@pytest_asyncio.fixture
async def live() -> LiveStage:
    return LiveStage()


def paragraph(**values: Any) -> Scene:
    return Scene(script_id="s", name="s", paragraphs=(Paragraph(number=1, **values),))


async def test_a_job_is_made_from_its_room_and_the_order(live: LiveStage) -> None:
    live.config = LiveUserConfig(project_id=PROJECT.project_id, exit=LiveExit(max_live_h=3))
    room = await live.room(SCENE, extras={"priv_data": "room", "cover_url": "c"})
    policy = replace(IN_ORDER, repeat_count=4, needs_capture_user=True)

    job = await live.jobs.start(
        PROJECT,
        room.room_id,
        JobOrder(program=Program(policy=policy), extras={"priv_data": "order"}),
    )

    assert job.state is JobState.WAITING
    assert job.program == Program(
        scenes=(SCENE,), policy=replace(policy, exit=LiveExit(max_live_h=3))
    )
    assert job.extras == {"priv_data": "order", "cover_url": "c"}
    assert job.room_name == room.draft.name
    assert [user.kind for user in job.place.users] == ["RENDER", "PLAYER", "CAPTURE"]
    assert job.place.app_id == PROJECT.app_id
    assert all(map(is_valid_id, [job.place.room_id, *(u.user_id for u in job.place.users)]))
    assert await live.job(job) == job


async def test_a_limit_of_the_room_holds_where_the_order_has_none(live: LiveStage) -> None:
    live.config = LiveUserConfig(project_id=PROJECT.project_id, exit=LiveExit(max_live_h=3))
    room = await live.room(SCENE, policy=replace(IN_ORDER, exit=LiveExit(max_live_h=2)))
    order = JobOrder(program=Program(policy=replace(IN_ORDER, repeat_count=4)))

    job = await live.jobs.start(PROJECT, room.room_id, order)

    assert job.program.policy == replace(IN_ORDER, repeat_count=4, exit=LiveExit(max_live_h=2))


async def test_the_exit_of_a_policy_is_not_overridden_by_the_general_one(live: LiveStage) -> None:
    live.config = LiveUserConfig(project_id=PROJECT.project_id, exit=LiveExit(max_live_h=3))
    own = replace(IN_ORDER, exit=LiveExit(max_live_h=1))

    job = await live.start(SCENE, policy=own)

    assert job.program.policy.exit == LiveExit(max_live_h=1)


@pytest.mark.parametrize(
    ("scenes", "mode"),
    [
        ((), PlayMode.TEXT),
        ((paragraph(text=" \n。"),), PlayMode.TEXT),
        ((paragraph(audio_url="http://host/a.mp3"),), PlayMode.TEXT),
        ((paragraph(text="Hello."),), PlayMode.AUDIO),
        (
            (paragraph(text="<!DOCTYPE a [<!ENTITY b 'c'>]><speak>&b;</speak>"), SCENE),
            PlayMode.TEXT,
        ),
    ],
)
async def test_a_job_without_anything_to_play_is_refused(
    live: LiveStage, scenes: tuple[Scene, ...], mode: PlayMode
) -> None:
    room = await live.room(*scenes, policy=PlayPolicy(mode=mode, repeat_count=ENDLESS))

    with pytest.raises(InvalidInput, match=r"texts|recordings|paragraph"):
        await live.jobs.start(PROJECT, room.room_id, JobOrder())

    assert live.jobs.running == 0


async def test_a_callback_that_cannot_be_made_is_refused(live: LiveStage) -> None:
    def refuse(url: str) -> None:
        if "private" in url:
            raise ValueError("not a public address")

    live.check_callback_url = refuse
    live.boot()
    for callback in (
        LiveCallback(url="https://private/"),
        LiveCallback(url="https://public/", auth=CallbackAuth.MEITUAN),
    ):
        room = await live.room(SCENE, callback=callback)
        with pytest.raises(InvalidInput, match="events_"):
            await live.jobs.start(PROJECT, room.room_id, JobOrder())


def a_callback(name: str) -> LiveCallback:
    return LiveCallback(url=f"https://{name}.example/", events=(OwnerEventKind.PARAGRAPH_BEGAN,))


async def test_the_nearest_callback_that_has_an_address_is_told(live: LiveStage) -> None:
    await live.platforms.save_platform(PLATFORM)
    live.config = LiveUserConfig(project_id=PROJECT.project_id, callback=a_callback("project"))
    linked: dict[str, Any] = {"inherits_callback": True, "extras": LINK}
    own = a_callback("room")

    told = [
        await called_back(live, JobOrder(callback=a_callback("order")), callback=own, **linked),
        await called_back(live, JobOrder(callback=replace(own, url="")), callback=own, **linked),
        await called_back(live, JobOrder(), callback=replace(own, url=""), **linked),
        await called_back(live, JobOrder(), callback=replace(own, url=""), extras=LINK),
    ]

    assert [callback.url for callback in told if callback is not None] == [
        "https://order.example/",
        "https://room.example/",
        "https://platform.example/",
        "https://project.example/",
    ]
    live.config = None
    assert await called_back(live, JobOrder(), extras=LINK) is None


async def test_a_platform_is_told_as_platforms_are(live: LiveStage) -> None:
    await live.platforms.save_platform(PLATFORM)
    linked: dict[str, Any] = {"inherits_callback": True, "extras": LINK}
    asked = replace(a_callback("room"), url="")

    everything = await called_back(live, JobOrder(), **linked)
    something = await called_back(live, JobOrder(), callback=asked, **linked)

    assert everything == LiveCallback(
        url="https://platform.example/",
        auth=CallbackAuth.HEADERS,
        key="platform's key",
        events=tuple(OwnerEventKind),
    )
    assert something == replace(everything, events=asked.events)


@pytest.mark.parametrize(
    "platform",
    [
        replace(PLATFORM, project_id="another"),
        replace(PLATFORM, platform_id="another"),
        replace(PLATFORM, callbacks=()),
    ],
)
async def test_a_platform_that_takes_no_events_is_passed_over(
    live: LiveStage, platform: LivePlatform
) -> None:
    await live.platforms.save_platform(platform)
    live.config = LiveUserConfig(project_id=PROJECT.project_id, callback=a_callback("project"))

    told = await called_back(live, JobOrder(), inherits_callback=True, extras=LINK)

    assert told == live.config.callback


async def called_back(live: LiveStage, order: JobOrder, **draft: Any) -> LiveCallback | None:
    """Start a job of a room; return who is told of its events."""
    room = await live.room(SCENE, **draft)
    return (await live.jobs.start(PROJECT, room.room_id, order)).callback
