"""What a broadcast is told, on the wire."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from airslice.domain.live_command import CommandName
from tests.support.clients.huawei_client import HuaweiClient, error_of, json_of
from tests.support.stages.smart_live_stage import PROJECT, SmartLiveStage
from tests.support.values.huawei_bodies import EVENTS, PARAMS
from tests.support.values.sample_rooms import ROOM


@pytest.fixture
async def job(client: HuaweiClient) -> str:
    """Path of a job of the room with every field."""
    room_id = (await client.create("/smart-live-rooms", ROOM))["room_id"]
    jobs = f"/smart-live-rooms/{room_id}/smart-live-jobs"
    return f"{jobs}/{(await client.create(jobs, {}, 202))['job_id']}"


async def command(client: HuaweiClient, job: str, name: str, **params: object) -> Any:
    return await client.create(f"{job}/command", {"command": name, "params": params})


def test_every_command_is_tried() -> None:
    assert PARAMS.keys() == set(CommandName)


@pytest.mark.parametrize("name", PARAMS)
async def test_a_command_is_taken(client: HuaweiClient, job: str, name: str) -> None:
    answer = await command(client, job, name, **PARAMS[name])

    assert answer["command"] == name
    assert answer["command_id"]
    assert ("result" in answer) == name.startswith("GET_")


async def test_what_is_being_played_is_told_as_json_text(client: HuaweiClient, job: str) -> None:
    answer = await command(client, job, "GET_CURRENT_PLAYING_SCRIPTS")

    [scene] = json.loads(answer["result"])["scene_scripts"]
    assert scene["script_name"] == "场景1"
    assert scene["shoot_scripts"][0]["sequence_no"] == 1
    assert "欢迎" in scene["shoot_scripts"][0]["text"]


async def test_a_jobs_room_is_told_as_json_text(client: HuaweiClient, job: str) -> None:
    answer = await command(client, job, "GET_LIVE_JOB_CONFIG_INFO")

    told = json.loads(answer["result"])
    shown = await client.get(job.partition("/smart-live-jobs")[0])
    assert told["scene_scripts"] == shown["scene_scripts"]
    assert told["play_policy"] == shown["play_policy"]
    assert told.keys() >= shown.keys() - {"rtc_callback_config"}


async def test_a_new_time_limit_holds(client: HuaweiClient, live: SmartLiveStage, job: str) -> None:
    await command(client, job, "RESET_EXIT_CONFIG", **PARAMS["RESET_EXIT_CONFIG"])

    _, _, room_id, _, job_id = job.split("/")
    changed = await live.jobs.show(PROJECT.project_id, room_id, job_id)
    assert changed.program.policy.exit is not None
    assert changed.program.policy.exit.max_live_h == 168


@pytest.mark.parametrize("name", ["SHOW_LAYER", "insert_play_script", ""])
async def test_an_unknown_command_is_refused(client: HuaweiClient, job: str, name: str) -> None:
    answer = await client.refused("POST", f"{job}/command", {"command": name})

    assert answer == ("MSS.20010053", f"Invalid command: {name}")


@pytest.mark.parametrize(
    ("name", "params", "field"),
    [
        ("INSERT_PLAY_SCRIPT", {}, "params.text_config"),
        ("INSERT_PLAY_SCRIPT", {"text_config": {"text": ""}}, "params.text_config.text"),
        (
            "INSERT_PLAY_SCRIPT",
            {"text_config": {"text": "x"}, "play_type": "LATER"},
            "params.play_type",
        ),
        ("INSERT_PLAY_AUDIO", {"audio_url": 1}, "params.audio_url"),
        ("REWRITE_PLAY_SCRIPT", {}, "params.scene_scripts"),
        ("REWRITE_INTERACTION_RULES", {"interaction_rules": {}}, "params.interaction_rules"),
        ("REFRESH_OUTPUT_URL", {"output_urls": ["a", "b"]}, "params.output_urls"),
        ("CLEAN_UP_INSERT_COMMAND", {"command_ids": "x"}, "params.command_ids"),
        ("RESET_EXIT_CONFIG", {"max_live_duration": 169}, "params.max_live_duration"),
    ],
)
async def test_wrong_params_are_named(
    client: HuaweiClient, job: str, name: str, params: object, field: str
) -> None:
    code, message = await client.refused(
        "POST", f"{job}/command", {"command": name, "params": params}
    )

    assert code == "MSS.00000003"
    assert message.startswith(f"Invalid parameter: {field}")


async def test_a_finished_job_takes_no_commands(client: HuaweiClient, job: str) -> None:
    await client.create(f"{job}/stop", None)

    for path, body in [
        ("/command", {"command": "GET_CURRENT_PLAYING_SCRIPTS"}),
        ("/live-event-report", EVENTS),
    ]:
        assert (await client.refused("POST", f"{job}{path}", body))[0] == "MSS.20010066"


async def test_insertions_wait_in_their_order(client: HuaweiClient, job: str) -> None:
    names = ["INSERT_PLAY_SCRIPT", "INSERT_PLAY_AUDIO", "INSERT_PLAY_SCRIPT"]
    taken = [(await command(client, job, name, **PARAMS[name]))["command_id"] for name in names]
    path = f"{job}/command/insert-commands"

    listed = await client.get(path, offset=1, limit=1)

    assert listed == {
        "count": 3,
        "insert_commands": [
            {
                "command_id": taken[1],
                "command": "INSERT_PLAY_AUDIO",
                "params": PARAMS["INSERT_PLAY_AUDIO"],
                "source": "EXTERNAL",
            }
        ],
    }
    await command(client, job, "CLEAN_UP_INSERT_COMMAND", command_ids=taken[:2])
    [left] = (await client.get(path))["insert_commands"]
    assert left["command_id"] == taken[2]


async def test_rewrites_wait_for_a_persons_word(client: HuaweiClient, job: str) -> None:
    taken = {
        name: (await command(client, job, name, **PARAMS[name]))["command_id"]
        for name in ("REWRITE_PLAY_SCRIPT", "REWRITE_INTERACTION_RULES")
    }
    _, _, room_id, _, job_id = job.split("/")
    known = {"room_id": room_id, "job_id": job_id, "command_time": "2022-01-18T16:29:36Z"}

    scripts = await client.get("/smart-live-command/script-commands", job_id=job_id)
    rules = await client.get("/smart-live-command/rule-commands")

    assert scripts == {
        "count": 1,
        "scripts_commands": [
            {
                **known,
                "command_id": taken["REWRITE_PLAY_SCRIPT"],
                "scene_scripts": [
                    {"script_name": "s", "shoot_scripts": [{"sequence_no": 1, "text": "你好。"}]}
                ],
            }
        ],
    }
    assert rules == {
        "count": 1,
        "rule_commands": [
            {
                **known,
                "command_id": taken["REWRITE_INTERACTION_RULES"],
                "interaction_rules": ROOM["interaction_rules"],
            }
        ],
    }
    assert (await client.get("/smart-live-command/rule-commands", job_id="other"))["count"] == 0
    for name, command_id in taken.items():
        body = {"command": name, "action": "reject", "command_ids": [command_id]}
        answer = await client.call("POST", f"{job}/batch-commands-confirm", body)
        assert (answer.status_code, answer.content) == (200, b"")
    assert (await client.get("/smart-live-command/script-commands"))["count"] == 0
    assert (await client.get("/smart-live-command/rule-commands"))["count"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "confirm"}, "command"),
        ({"command": "REWRITE_PLAY_SCRIPT"}, "action"),
        ({"command": "INSERT_PLAY_SCRIPT", "action": "confirm"}, "command"),
        ({"command": "REWRITE_PLAY_SCRIPT", "action": "maybe"}, "action"),
    ],
)
async def test_a_wrong_confirmation_is_named(
    client: HuaweiClient, job: str, body: object, field: str
) -> None:
    code, message = await client.refused("POST", f"{job}/batch-commands-confirm", body)

    assert code == "MSS.00000003"
    assert message.startswith(f"Invalid parameter: {field}")


class TestEventReports:
    async def test_a_signed_report_is_taken(self, client: HuaweiClient, job: str) -> None:
        assert await client.create(f"{job}/live-event-report", EVENTS) == {}

    async def test_a_new_address_is_given_on_request(self, client: HuaweiClient, job: str) -> None:
        path = f"{job}/live-event-report"

        answer = json_of(await client.call("POST", path, EVENTS, refresh_url="true"))

        assert f"{path}?auth_key=" in answer["live_event_report_url"]

    async def test_the_address_alone_is_enough(self, client: HuaweiClient, job: str) -> None:
        url = (await client.get(job))["live_event_report_url"]

        answer = await client.http.post(url, json=EVENTS)

        assert json_of(answer) == {}

    async def test_the_key_may_be_in_headers(self, client: HuaweiClient, job: str) -> None:
        url = urlsplit((await client.get(job))["live_event_report_url"])
        given = dict(pair.split("=") for pair in url.query.split("&"))

        answer = await client.http.post(
            f"http://server{url.path}",
            json=EVENTS,
            headers={
                "x-mss-auth-key": given["auth_key"],
                "x-mss-expires-time": given["expires_time"],
            },
        )

        assert json_of(answer) == {}

    async def test_another_key_is_refused(self, client: HuaweiClient, job: str) -> None:
        url = (await client.get(job))["live_event_report_url"]

        wrong = await client.http.post(url.replace("auth_key=", "auth_key=0"), json=EVENTS)
        later = await client.http.post(f"{url}9", json=EVENTS)

        assert error_of(wrong)[:2] == (401, "MSS.00000001")
        assert error_of(later)[:2] == (401, "MSS.00000001")

    async def test_a_key_expires(
        self, client: HuaweiClient, live: SmartLiveStage, job: str
    ) -> None:
        url = (await client.get(job))["live_event_report_url"]
        live.clock.turn(30 * 86_400)

        assert error_of(await client.http.post(url, json=EVENTS))[:2] == (401, "MSS.00000001")

    async def test_a_key_opens_nothing_else(self, client: HuaweiClient, job: str) -> None:
        url = (await client.get(job))["live_event_report_url"]

        answer = await client.http.post(url.replace("/live-event-report", "/stop"))

        assert error_of(answer)[:2] == (401, "APIGW.0301")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "total"),
            ({"total": 0}, "total"),
            ({"total": 1_001}, "total"),
            ({"total": 1}, "total"),
            ({"total": 1, "events": [{"timestamp": 0}] * 2}, "total"),
            ({"total": 1, "events": [{}]}, "timestamp"),
            ({"total": 1, "events": [{"timestamp": 4_102_415_999_001}]}, "timestamp"),
            ({"total": 1, "events": [{"timestamp": 0, "type": 101}]}, "type"),
            ({"total": 1, "events": [{"timestamp": 0, "type": 1, "content": "x"}]}, "content"),
        ],
    )
    async def test_a_wrong_report_is_named(
        self, client: HuaweiClient, job: str, body: object, field: str
    ) -> None:
        code, message = await client.refused("POST", f"{job}/live-event-report", body)

        assert code == "MSS.00000003"
        assert field in message
