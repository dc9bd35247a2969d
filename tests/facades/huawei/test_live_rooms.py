"""Live rooms on the wire."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.support.clients.huawei_client import HuaweiClient
from tests.support.stages.smart_live_stage import SmartLiveStage
from tests.support.values.sample_rooms import ROOM, SMALL

ROOMS = "/smart-live-rooms"


async def made(client: HuaweiClient, **changes: object) -> str:
    """Make a small room; return its id."""
    room_id: str = (await client.create(ROOMS, {**SMALL, **changes}))["room_id"]
    return room_id


def changed(path: str, value: object) -> dict[str, Any]:
    """A room with one field changed; numbers in `path` are places in lists."""
    room: Any = copy.deepcopy(ROOM)
    steps = [int(step) if step.isdigit() else step for step in path.split(".")]
    parent: Any = room
    for step in steps[:-1]:
        parent = parent[step]
    parent[steps[-1]] = value
    result: dict[str, Any] = room
    return result


async def test_a_room_is_shown_as_it_was_given(client: HuaweiClient) -> None:
    room_id = (await client.create(ROOMS, ROOM))["room_id"]

    shown = await client.get(f"{ROOMS}/{room_id}")

    assert shown.pop("room_id") == room_id
    assert shown.pop("create_time") == shown.pop("update_time") == "2022-01-18T16:29:36Z"
    assert shown.pop("room_state") == "ENABLE"
    assert shown.pop("confirm_state") == "UNCONFIRM"
    assert shown.pop("script_version") == "1642523376500"
    assert shown == ROOM


async def test_documented_defaults_are_shown(client: HuaweiClient) -> None:
    shown = await client.get(f"{ROOMS}/{await made(client)}")

    assert shown["room_type"] == "NORMAL"
    assert shown["view_mode"] == "VERTICAL"
    assert shown["play_policy"] == {
        "repeat_count": 0,
        "auto_play_script": True,
        "play_mode": "TEXT",
        "random_play_mode": "SCRIPT_ITEM",
        "need_independent_capture_client": False,
        "is_rewrite_delay": False,
    }
    [scene] = shown["scene_scripts"]
    assert scene["script_id"]
    assert scene["voice_config"] == {
        "voice_asset_id": "cmn",
        "speed": 100,
        "pitch": 100,
        "volume": 140,
    }
    assert scene["shoot_scripts"] == [{"sequence_no": 1, "text_config": {"text": "你好。"}}]
    assert "live_event_callback_config" not in shown
    assert "error_info" not in shown


async def test_null_is_as_good_as_missing(client: HuaweiClient) -> None:
    room_id = await made(client, room_description=None, play_policy=None, video_config=None)

    assert "video_config" not in await client.get(f"{ROOMS}/{room_id}")


async def test_unknown_fields_are_ignored(client: HuaweiClient) -> None:
    room_id = await made(client, colour="blue")

    assert "colour" not in await client.get(f"{ROOMS}/{room_id}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("room_name", ""),
        ("room_name", "x" * 257),
        ("room_name", 1),
        ("room_name", None),
        ("room_description", "x" * 1_025),
        ("room_type", "LARGE"),
        ("priv_data", "x" * 8_193),
        ("output_urls", ["rtmp://a", "rtmp://b"]),
        ("stream_keys", "key"),
        ("backup_model_asset_ids", list("abcdef")),
        ("view_mode", "ROUND"),
        ("video_config.bitrate", 39),
        ("video_config.width", 3_841),
        ("video_config.frame_rate", 25),
        ("video_config.subtitle_config.opacity", 1.5),
        ("play_policy.repeat_count", 101),
        ("play_policy.repeat_count", -2),
        ("play_policy.play_mode", "VIDEO"),
        ("play_policy.random_play_mode", "ALL"),
        ("play_policy.auto_play_script", "true"),
        ("play_policy.live_exit_config.max_live_duration", 169),
        ("play_policy.live_exit_config.max_exception_waiting_duration", 61),
        ("play_policy.live_exit_config.auto_stop_mode", "NEVER"),
        ("interaction_config.play_type", "NOW"),
        ("interaction_rules.0.event_type", 101),
        ("interaction_rules.0.hit_condition.priority", 1_000),
        ("interaction_rules.0.hit_condition.relation", "XOR"),
        ("interaction_rules.0.hit_condition.tags.0.match", "LIKE"),
        ("interaction_rules.0.trigger.time_window", 7_201),
        ("interaction_rules.0.trigger.reply_texts", ["x"] * 6),
        ("interaction_rules.0.enabled_scenes", ["s"] * 101),
        ("live_event_callback_config.key", "x" * 33),
        ("live_event_callback_config.auth_type", "BASIC"),
        ("live_event_callback_config.callback_event_type", ["LIKE"]),
        ("live_event_callback_config.live_event_type_callback_url", "ftp://example.com"),
        ("rtc_callback_config.rtc_callback_event_type", ["ALL"]),
        ("relation_live_platform_info.live_id", "a b"),
        ("scene_scripts.0.script_name", ""),
        ("scene_scripts.0.voice_config.speed", 49),
        ("scene_scripts.0.voice_config.pitch", 201),
        ("scene_scripts.0.voice_config.volume", 89),
        ("scene_scripts.0.voice_config.voice_asset_id", ""),
        ("scene_scripts.0.shoot_scripts.0.title", "x" * 257),
        ("scene_scripts.0.shoot_scripts.0.sequence_no", -1),
        ("scene_scripts.0.shoot_scripts.0.text_config.text", "x" * 131_073),
        ("scene_scripts.0.shoot_scripts.0.text_config.text", "x" * 10_001),
        ("scene_scripts.0.shoot_scripts.1.audio_config.audio_url", "x" * 2_049),
        ("scene_scripts.0.layer_config.0.position.layer_index", 0),
        ("scene_scripts.0.background_config.0.background_image_config.dx", 1),
        ("shared_config", {"shared_type": "ALL"}),
        ("shared_config", {"expire_time": "tomorrow"}),
        ("shared_config", {"allowed_project_ids": ["p"] * 101}),
    ],
)
async def test_a_field_out_of_its_range_is_named(
    client: HuaweiClient, field: str, value: object
) -> None:
    code, message = await client.refused("POST", ROOMS, changed(field, value))

    assert code == "MSS.00000003"
    assert message.startswith("Invalid parameter: ")
    names = [step for step in field.split(".") if not step.isdigit()]
    assert all(name in message for name in names), message


@pytest.mark.parametrize("field", ["room_name", "scene_scripts.0.shoot_scripts"])
async def test_a_missing_field_is_named(client: HuaweiClient, field: str) -> None:
    room = changed(field, None)
    if field == "room_name":
        del room["room_name"]
    else:
        del room["scene_scripts"][0]["shoot_scripts"]

    code, message = await client.refused("POST", ROOMS, room)

    assert code == "MSS.00000003"
    assert field.rpartition(".")[2] in message
    assert "must be given" in message


async def test_an_update_replaces_the_room(client: HuaweiClient, live: SmartLiveStage) -> None:
    room_id = (await client.create(ROOMS, ROOM))["room_id"]
    live.clock.turn(2)

    response = await client.call("PUT", f"{ROOMS}/{room_id}", SMALL)

    shown = response.json()
    assert shown == await client.get(f"{ROOMS}/{room_id}")
    assert shown["room_name"] == "small"
    assert "priv_data" not in shown
    assert shown["create_time"] == "2022-01-18T16:29:36Z"
    assert shown["update_time"] == "2022-01-18T16:29:38Z"
    assert shown["script_version"] == "1642523378500"


async def test_a_removed_room_is_gone(client: HuaweiClient) -> None:
    room_id = await made(client)

    removed = await client.call("DELETE", f"{ROOMS}/{room_id}")

    assert (removed.status_code, removed.content) == (200, b"")
    for method, path, body in [
        ("GET", "", None),
        ("PUT", "", SMALL),
        ("DELETE", "", None),
        ("GET", "/live-warning-info", None),
        ("POST", "/confirm", {"action": "confirm", "script_version": "1"}),
        ("POST", "/smart-live-jobs", {}),
    ]:
        code, message = await client.refused(method, f"{ROOMS}/{room_id}{path}", body)
        assert (code, message) == ("MSS.20010045", "roomInfo not found.")


async def test_a_room_with_a_running_job_stays(client: HuaweiClient) -> None:
    room_id = await made(client)
    await client.create(f"{ROOMS}/{room_id}/smart-live-jobs", {}, 202)

    code, _ = await client.refused("DELETE", f"{ROOMS}/{room_id}")

    assert code == "MSS.20010046"


@pytest.mark.parametrize(("action", "state"), [("confirm", "CONFIRMED"), ("reject", "REJECT")])
async def test_a_script_is_confirmed_or_rejected(
    client: HuaweiClient, action: str, state: str
) -> None:
    room_id = await made(client)
    version = (await client.get(f"{ROOMS}/{room_id}"))["script_version"]

    body = {"action": action, "script_version": version}
    confirmed = await client.call("POST", f"{ROOMS}/{room_id}/confirm", body)

    assert (confirmed.status_code, confirmed.content) == (200, b"")
    assert (await client.get(f"{ROOMS}/{room_id}"))["confirm_state"] == state


async def test_without_a_version_the_script_as_it_is_is_confirmed(client: HuaweiClient) -> None:
    room_id = await made(client)

    await client.create(f"{ROOMS}/{room_id}/confirm", {"action": "confirm"})

    assert (await client.get(f"{ROOMS}/{room_id}"))["confirm_state"] == "CONFIRMED"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "perhaps"}, "action"),
        ({"action": "confirm", "script_version": "old"}, "script_version"),
    ],
)
async def test_a_confirmation_must_be_right(client: HuaweiClient, body: object, field: str) -> None:
    code, message = await client.refused("POST", f"{ROOMS}/{await made(client)}/confirm", body)

    assert code == "MSS.00000003"
    assert field in message


async def test_warnings_are_in_the_wires_own_spelling(client: HuaweiClient) -> None:
    room_id = await made(
        client,
        play_policy={"random_play_mode": "NONE", "live_exit_config": {"max_live_duration": 3}},
    )

    told = await client.get(f"{ROOMS}/{room_id}/live-warning-info")

    assert told == {
        "live_warning_info": [
            {"warning_type": "TOO_LESSS_SCRIPT_ITEMS"},
            {"warning_type": "TOO_SHORT_SCRIPT_TIME"},
            {"warning_type": "TOO_LESS_DANMAKU_RULES"},
            {"warning_type": "RANDOM_PLAY_CLOSED"},
            {"warning_type": "ROTATION_MODEL_CLOSED"},
        ],
        "limit_duration": 3,
    }


@pytest.mark.parametrize(
    ("width", "height", "given", "shown"),
    [
        (1_920, 1_080, None, "LANDSCAPE"),
        (1_080, 1_920, None, "VERTICAL"),
        (1_080, 1_920, "LANDSCAPE", "VERTICAL"),
        (None, None, "LANDSCAPE", "LANDSCAPE"),
        (None, None, None, "VERTICAL"),
    ],
)
async def test_the_orientation_is_that_of_the_picture(
    client: HuaweiClient, width: int | None, height: int | None, given: str | None, shown: str
) -> None:
    video = {**ROOM["video_config"], "width": width, "height": height} if width else None

    room_id = await made(client, video_config=video, view_mode=given)

    assert (await client.get(f"{ROOMS}/{room_id}"))["view_mode"] == shown
