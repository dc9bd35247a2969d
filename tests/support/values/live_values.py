"""Plain values of smart live for tests; each says only what it is about."""

from __future__ import annotations

from airslice.domain.interaction_rules import Rule, RuleGroup
from airslice.domain.live_job import JobState, LiveJob, RtcPlace, RtcUser, RtcUserKind
from airslice.domain.live_platform import LivePlatform, PlatformApi, PlatformCallback
from airslice.domain.live_room import LiveRoom, LiveRoomType, RoomDraft, Sharing
from airslice.domain.owner_event import CallbackAuth, LiveCallback, OwnerEventKind
from airslice.domain.script import Paragraph, Program, Scene, Voice

PROJECT = "0123456789abcdef0123456789abcdef"
T0 = 1_700_000_000_000

CALLBACK = LiveCallback(
    url="https://receiver.example.com/live?token=URLSECRET",
    auth=CallbackAuth.HEADERS,
    key="CALLBACKSECRET",
    events=(OwnerEventKind.PARAGRAPH_BEGAN,),
)
SCENE = Scene(
    script_id="scene-1",
    name="第一幕",
    voice=Voice(asset_id="mandarin", speed=120),
    dh_id="human-1",
    model_asset_id="Model-A",
    paragraphs=(
        Paragraph(number=1, title="hello", text="你好。<break time='1s'/>", extras={"a": [1]}),
        Paragraph(number=2, audio_url="https://example.com/a.mp3?sign=AUDIOSECRET"),
    ),
    extras={"layer_config": [{"layer_type": "HUMAN"}]},
)
PLACE = RtcPlace(
    app_id="123456781234567812345678",
    room_id="rtc-1",
    users=(
        RtcUser(kind=RtcUserKind.RENDER, user_id="render-1"),
        RtcUser(kind=RtcUserKind.PLAYER, user_id="player-1"),
    ),
)


def a_job(
    job_id: str = "job-1",
    *,
    project_id: str = PROJECT,
    room_id: str = "room-1",
    room_name: str = "Evening Sale",
    state: JobState = JobState.WAITING,
    created_at_ms: int = T0,
    updated_at_ms: int = T0,
    program: Program | None = None,
) -> LiveJob:
    return LiveJob(
        job_id=job_id,
        project_id=project_id,
        room_id=room_id,
        room_name=room_name,
        program=program or Program(scenes=(SCENE,)),
        place=PLACE,
        created_at_ms=created_at_ms,
        updated_at_ms=updated_at_ms,
        state=state,
    )


def a_room(
    room_id: str = "room-1",
    *,
    project_id: str = PROJECT,
    name: str = "Evening Sale",
    type: LiveRoomType = LiveRoomType.NORMAL,
    scenes: tuple[Scene, ...] = (SCENE,),
    sharing: Sharing | None = None,
    created_at_ms: int = T0,
    updated_at_ms: int = T0,
) -> LiveRoom:
    return LiveRoom(
        room_id=room_id,
        project_id=project_id,
        draft=RoomDraft(name=name, type=type, scenes=scenes, sharing=sharing),
        created_at_ms=created_at_ms,
        updated_at_ms=updated_at_ms,
        script_version=str(updated_at_ms),
    )


def a_rule(rule_id: str = "rule-1") -> Rule:
    return Rule(
        rule_id=rule_id,
        rule_index=f"index of {rule_id}",
        document={
            "rule_name": "greet",
            "event_type": 2,
            "trigger": {"reply_texts": ["RULESECRET"]},
        },
        created_at_ms=T0,
        updated_at_ms=T0,
    )


def a_group(
    group_id: str = "group-1",
    *,
    project_id: str = PROJECT,
    name: str = "Greetings",
    rules: tuple[Rule, ...] = (),
    created_at_ms: int = T0,
) -> RuleGroup:
    return RuleGroup(
        group_id=group_id,
        project_id=project_id,
        name=name,
        created_at_ms=created_at_ms,
        updated_at_ms=created_at_ms,
        rules=rules,
    )


def a_platform(
    platform_id: str = "platform-1", *, project_id: str = PROJECT, created_at_ms: int = T0
) -> LivePlatform:
    return LivePlatform(
        platform_id=platform_id,
        project_id=project_id,
        name="my shop",
        key="PLATFORMSECRET",
        callbacks=(
            PlatformCallback(
                api=PlatformApi.PRODUCT_QUERY, url="https://shop.example.com/?k=SHOPSECRET"
            ),
        ),
        created_at_ms=created_at_ms,
        updated_at_ms=created_at_ms,
    )
