"""What a user of Huawei's SDK does, with the real SDK, unmodified.

Each scenario takes a client and nothing of the server's insides. Together they call each
operation.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import huaweicloudsdkmetastudio.v1 as sdk
import requests
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from tests.support.waiting import PATIENCE_S

TEXT = "Welcome. This is a long script, so that there is time to look at what is read. " * 20
COMMENT = json.dumps({"user": {"userId": "1", "name": "n", "level": 3}, "content": "hi"})
CALLBACK = {
    "live_event_type_callback_url": "https://cb.example.com/live",
    "auth_type": "MSS_A_HEAD",
    "key": "GCTbw44s6MPLh4GqgDpnfuFHgy25Enly",
    "callback_event_type": ["SHOOT_SCRIPT_SWITCH"],
}
LIMITED_S = 1.1


class Recorder:
    """A client that remembers which operations were called; it waits where one may not be yet."""

    def __init__(self, client: sdk.MetaStudioClient) -> None:
        self._client = client
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**fields: Any) -> Any:
            self.called.add(name)
            pascal = "".join(word.capitalize() for word in name.split("_"))
            request = getattr(sdk, f"{pascal}Request")(**fields)
            try:
                answer = getattr(self._client, name)(request)
            except ClientRequestException as error:
                if error.status_code != 429:
                    raise
                time.sleep(LIMITED_S)
                answer = getattr(self._client, name)(request)
            assert len(answer.x_request_id) == 32
            return answer

        return call


def script(text: str = TEXT) -> list[Any]:
    """A scene of one paragraph."""
    paragraph = sdk.LiveShootScriptItem(
        sequence_no=1, title="first", text_config=sdk.TextConfig(text=text)
    )
    return [
        sdk.LiveVideoScriptInfo(
            script_name="scene",
            model_asset_id="m1",
            voice_config=sdk.VoiceConfig(voice_asset_id="en-us", speed=100, pitch=100, volume=140),
            shoot_scripts=[paragraph],
        )
    ]


def room_body(name: str, **fields: Any) -> Any:
    """A room for `create_smart_live_room` and `update_smart_live_room`."""
    return sdk.CreateSmartLiveRoomReq(
        room_name=name,
        scene_scripts=script(),
        play_policy=sdk.PlayPolicy(repeat_count=-1, random_play_mode="NONE"),
        **fields,
    )


def rule_fields() -> dict[str, Any]:
    """What rules of rooms and of libraries have in common."""
    tag = sdk.HitConditionTag(tag="content", operation="NONE", match="REGEX", value="tea")
    return {
        "rule_name": "tea",
        "event_type": 1,
        "hit_condition": sdk.HitCondition(relation="AND", priority=1, tags=[tag]),
        "trigger": sdk.TriggerProcess(reply_mode="SYSTEM_REPLY", reply_texts=["yes"]),
    }


def rooms(client: Recorder) -> None:
    """Rooms come, change, are confirmed and go."""
    body = room_body(
        "直播间1",
        video_config=sdk.VideoConfig(bitrate=4000, width=1080, height=1920, frame_rate="25"),
        output_urls=["rtmp://127.0.0.1/live"],
        live_event_callback_config=sdk.LiveRoomEventCallBackConfig(**CALLBACK),
        interaction_rules=[sdk.LiveRoomInteractionRuleInfo(**rule_fields())],
        priv_data="mine",
    )
    room_id = client.create_smart_live_room(body=body, x_app_user_id="user-1").room_id
    shown = client.show_smart_live_room(room_id=room_id)
    assert shown.room_name == "直播间1"
    assert shown.scene_scripts[0].shoot_scripts[0].text_config.text == TEXT
    assert shown.video_config.frame_rate == "25"
    assert shown.live_event_callback_config.key == CALLBACK["key"]
    assert shown.interaction_rules[0].rule_index
    changed = client.update_smart_live_room(room_id=room_id, body=room_body("renamed"))
    assert changed.room_name == "renamed"
    assert changed.script_version != shown.script_version
    confirmation = sdk.ConfirmSmarLiveRoomReq(
        action="confirm", script_version=changed.script_version
    )
    client.confirm_smar_live_room(room_id=room_id, body=confirmation)
    warned = client.show_live_warning_info(room_id=room_id)
    assert "TOO_LESSS_SCRIPT_ITEMS" in {item.warning_type for item in warned.live_warning_info}
    listed = client.list_smart_live_rooms(room_name="renam", live_state="NULL", limit=100)
    [found] = [room for room in listed.smart_live_rooms if room.room_id == room_id]
    assert found.confirm_state == "CONFIRMED"
    client.delete_smart_live_room(room_id=room_id)


def jobs(client: Recorder) -> None:
    """A job is started, found, and stopped."""
    room_id = client.create_smart_live_room(body=room_body("jobs")).room_id
    order = sdk.StartSmartLiveReq(
        live_event_callback_config=sdk.LiveEventCallBackConfig(**CALLBACK),
        rtc_callback_config=sdk.RTCLiveEventCallBackConfig(
            rtc_callback_event_type=["LIVE_PROGRESS"]
        ),
        job_run_config=sdk.LiveJobRunConfig(single_job_in_room=True),
    )
    started = client.start_smart_live(room_id=room_id, body=order)
    assert started.limit_duration == 0
    users = {user.user_type: user for user in started.rtc_room_info.users}
    assert users["PLAYER"].signature.startswith("001")
    job = _on_air(client, room_id, started.job_id)
    assert job.start_time
    assert job.rtc_room_info.app_id == started.rtc_room_info.app_id
    query = {"state": "WAITING,PROCESSING", "sort_key": "create_time", "sort_dir": "desc"}
    since = {"create_since": job.create_time, "create_until": job.create_time}
    [listed] = client.list_smart_live(room_id=room_id, **query, **since).smart_live_jobs
    assert listed.job_id == started.job_id
    everywhere = client.list_smart_live_jobs(room_name="jobs", **query, limit=100)
    assert started.job_id in {each.job_id for each in everywhere.smart_live_jobs}
    client.stop_smart_live(room_id=room_id, job_id=started.job_id)
    ended = client.show_smart_live(room_id=room_id, job_id=started.job_id)
    assert ended.state == "SUCCEED"
    assert ended.end_time
    assert ended.duration > 0


def commands(client: Recorder) -> None:
    """A job on air is told things."""
    room_id = client.create_smart_live_room(body=room_body("commands")).room_id
    job_id = client.start_smart_live(room_id=room_id, body=sdk.StartSmartLiveReq()).job_id
    job = {"room_id": room_id, "job_id": job_id}

    def command(name: str, params: Any = None) -> Any:
        body = sdk.ControlSmartLiveReq(command=name, params=params)
        return client.execute_smart_live_command(**job, body=body)

    inserted = command("INSERT_PLAY_SCRIPT", {"text_config": {"text": "hi"}})
    command("INSERT_PLAY_AUDIO", {"audio_url": "https://example.com/a.mp3"})
    scenes = [{"script_name": "new", "shoot_scripts": [{"text_config": {"text": "new"}}]}]
    command("REWRITE_PLAY_SCRIPT", {"scene_scripts": scenes})
    command("REWRITE_INTERACTION_RULES", {"interaction_rules": [{"rule_name": "r"}]})
    command("REFRESH_OUTPUT_URL", {"output_urls": ["rtmp://127.0.0.1/other"]})
    command("RESET_EXIT_CONFIG", {"max_live_duration": 1})
    playing = json.loads(command("GET_CURRENT_PLAYING_SCRIPTS").result)
    assert playing["scene_scripts"][0]["shoot_scripts"][0]["text"] == TEXT
    shown = json.loads(command("GET_LIVE_JOB_CONFIG_INFO").result)
    assert shown["play_policy"]["live_exit_config"]["max_live_duration"] == 1
    waiting = client.list_insert_commands(**job)
    assert waiting.count == 2
    assert waiting.insert_commands[0].command_id == inserted.command_id
    assert waiting.insert_commands[0].params["text_config"] == {"text": "hi"}
    command("CLEAN_UP_INSERT_COMMAND")
    assert client.list_insert_commands(**job).count == 0
    [scripts] = client.list_smart_live_script_commands(job_id=job_id).scripts_commands
    assert scripts.scene_scripts[0].shoot_scripts[0].text == "new"
    [rules] = client.list_smart_live_rule_commands(job_id=job_id).rule_commands
    assert rules.interaction_rules[0].rule_name == "r"
    word = sdk.BatchConfirmLiveCommandsReq(command="REWRITE_PLAY_SCRIPT", action="confirm")
    client.batch_confirm_live_commands(**job, body=word)
    assert client.list_smart_live_script_commands(job_id=job_id).count == 0
    event = sdk.LiveEvent(timestamp=1_694_481_224_245, type=1, content=COMMENT)
    report = sdk.ReportLiveEventReq(total=1, events=[event])
    told = client.live_event_report(**job, refresh_url=True, body=report)
    again = {"total": 1, "events": [{"timestamp": 1_694_481_224_246}]}
    answer = requests.post(told.live_event_report_url, json=again, timeout=PATIENCE_S)
    assert answer.status_code == 200
    client.stop_smart_live(**job)


def rule_groups(client: Recorder) -> None:
    """Libraries of rules come, change and go."""
    body = sdk.InteractionRuleGroup(
        group_name="library", interaction_rules=[sdk.InteractionRuleInfo(**rule_fields())]
    )
    group_id = client.create_interaction_rule_group(body=body).group_id
    [rule] = client.show_interaction_rule_group(group_id=group_id).interaction_rules
    assert rule.hit_condition.tags[0].value == "tea"
    second = client.create_interaction_rule(
        group_id=group_id, body=sdk.CreateInteractionRuleReq(**rule_fields())
    )
    changed = client.update_interaction_rule(
        group_id=group_id,
        rule_id=second.rule_id,
        body=sdk.CreateInteractionRuleReq(rule_name="coffee"),
    )
    assert (changed.rule_id, changed.rule_name) == (second.rule_id, "coffee")
    client.delete_interaction_rule(group_id=group_id, rule_id=second.rule_id)
    renamed = client.update_interaction_rule_group(
        group_id=group_id, body=sdk.InteractionRuleGroup(group_name="renamed")
    )
    assert renamed.group_name == "renamed"
    for operation in (
        client.list_interaction_rule_groups,
        client.list_interaction_rule_groups_summary,
    ):
        listed = operation(group_name="renamed", limit=100)
        assert group_id in {group.group_id for group in listed.interaction_rule_groups}
    client.delete_interaction_rule_group(group_id=group_id)


def platforms(client: Recorder, products_url: str) -> None:
    """Platforms come, are asked for their products, change and go."""
    callbacks = [
        sdk.StandardPlatformApiConfig(api_type="PRODUCT_QUERY", url=products_url),
        sdk.StandardPlatformApiConfig(
            api_type="LIVE_EVENT_CALLBACK", url="https://example.com/events"
        ),
    ]
    platform_id = client.create_live_platform(
        body=sdk.CreateLivePlatformReq(
            name="shop",
            auth_config=sdk.CustomPlatformAuthConfig(key="secret"),
            callback_config=callbacks,
        )
    ).platform_id
    shown = client.show_live_platform(platform_id=platform_id)
    assert (shown.name, shown.access_type) == ("shop", "MSS_STANDARD")
    assert {each.api_type for each in shown.callback_config} == {
        "PRODUCT_QUERY",
        "LIVE_EVENT_CALLBACK",
    }
    sold = client.list_live_platform_products(platform_id=platform_id, live_id="111")
    assert sold.products[0].product_title == "tea"
    update = sdk.UpdateLivePlatformReq(name="tea shop", callback_config=callbacks)
    assert client.update_live_platform(platform_id=platform_id, body=update).platform_id
    listed = client.list_live_platforms(limit=100).live_platforms
    assert "tea shop" in {platform.name for platform in listed}
    used = client.show_live_platform_access_type(used=True)
    assert used.access_types == ["MSS_STANDARD"]
    client.delete_live_platform(platform_id=platform_id)


def user_config(client: Recorder) -> None:
    """What a project sets for all its broadcasts."""
    notify = sdk.LiveNotifyConfigReq(action="replace", notify_events=["AUTO_EXIT"])
    body = sdk.UpdateSmartLiveUserConfigReq(live_notify_config=notify)
    client.update_smart_live_user_config(body=body)
    shown = client.show_smart_live_user_config()
    assert shown.live_notify_config.notify_events == ["AUTO_EXIT"]


def _on_air(client: Recorder, room_id: str, job_id: str) -> Any:
    """Wait until a job is on air; return it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        job = client.show_smart_live(room_id=room_id, job_id=job_id)
        if job.state == "PROCESSING" and job.duration > 0:
            return job
        assert job.state in ("WAITING", "PROCESSING"), job
        assert time.monotonic() < deadline
        time.sleep(0.1)
