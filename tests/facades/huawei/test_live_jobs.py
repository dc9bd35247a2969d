"""Live jobs on the wire."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from airslice.domain.live_job import FaultKind, JobEvent, JobFault, JobOrder, LiveJob
from airslice.domain.projects import Project
from airslice.domain.script import AutoStop
from tests.support.clients.huawei_client import HuaweiClient
from tests.support.stages.smart_live_stage import PROJECT, SmartLiveStage
from tests.support.values.sample_rooms import ROOM, SMALL

P = PROJECT.project_id
CALLBACK = {
    "live_event_type_callback_url": "https://cb.example.com/job",
    "auth_type": "MSS_A",
    "key": "secret",
    "callback_event_type": ["SHOOT_SCRIPT_SWITCH"],
}


@pytest.fixture
async def room(client: HuaweiClient) -> str:
    """Path of a small room."""
    return f"/smart-live-rooms/{(await client.create('/smart-live-rooms', SMALL))['room_id']}"


async def started(client: HuaweiClient, room: str, **body: object) -> str:
    """Start a job; return its path."""
    answer = await client.create(f"{room}/smart-live-jobs", body, 202)
    return f"{room}/smart-live-jobs/{answer['job_id']}"


def ids(path: str) -> tuple[str, str, str]:
    """Project, room and job of a job's path."""
    steps = path.split("/")
    return P, steps[2], steps[4]


async def test_a_start_tells_where_the_job_is_heard(client: HuaweiClient, room: str) -> None:
    answer = await client.create(
        f"{room}/smart-live-jobs",
        {
            "live_event_callback_config": CALLBACK,
            "play_policy": {
                "need_independent_capture_client": True,
                "live_exit_config": {"max_live_duration": 7},
            },
        },
        202,
    )

    job_id, room_id = answer["job_id"], room.rpartition("/")[2]
    assert answer["rtc_room_info"]["app_id"] == PROJECT.app_id
    users = {user["user_type"]: user for user in answer["rtc_room_info"]["users"]}
    assert users.keys() == {"RENDER", "PLAYER", "CAPTURE"}
    assert users["PLAYER"]["signature"] == "token of PLAYER"
    assert users["PLAYER"]["ctime"] == 1_642_523_376 + 86_400
    assert answer["live_event_callback_config"] == CALLBACK
    assert {"warning_type": "TOO_SHORT_SCRIPT_TIME"} in answer["live_warning_info"]
    assert answer["limit_duration"] == 7
    url = urlsplit(answer["live_event_report_url"])
    assert f"{url.scheme}://{url.netloc}" == "http://server"
    assert url.path == (
        f"/v1/{P}/smart-live-rooms/{room_id}/smart-live-jobs/{job_id}/live-event-report"
    )
    assert parse_qs(url.query).keys() == {"auth_key", "expires_time"}


async def test_a_temporary_room_may_be_gone_before_its_start_is_answered(
    client: HuaweiClient, live: SmartLiveStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {**SMALL, "room_type": "TEMP"}
    room_id = (await client.create("/smart-live-rooms", body))["room_id"]
    start = live.jobs.start

    async def start_and_end(project: Project, room_id: str, order: JobOrder) -> LiveJob:
        job = await start(project, room_id, order)
        await live.jobs.rooms.remove_room(room_id)
        return job

    monkeypatch.setattr(live.jobs, "start", start_and_end)

    answer = await client.create(f"/smart-live-rooms/{room_id}/smart-live-jobs", {}, 202)

    assert len(answer["live_warning_info"]) > 0


async def test_an_order_reaches_the_use_case(
    client: HuaweiClient, live: SmartLiveStage, room: str
) -> None:
    extras = {
        "video_config": ROOM["video_config"],
        "output_urls": ["rtmp://b/live"],
        "stream_keys": ["k"],
        "interaction_callback_url": "https://cb.example.com/reply?auth=1",
        "view_mode": "LANDSCAPE",
        "co_streamer_config": {"streamer_action": "VOLUME_DOWN"},
        "job_run_config": {"allow_resource_type": "ONDEMAND", "single_job_in_room": True},
    }
    policy = {"repeat_count": 3, "live_exit_config": {"auto_stop_mode": "SCRIPT_END"}}
    rtc = {"rtc_callback_event_type": ["REPLY_COMMAND_FINISH", "LIVE_PROGRESS"]}

    await started(client, room, **extras, play_policy=policy, rtc_callback_config=rtc)

    [order] = live.jobs.orders
    assert order.extras == extras
    assert order.single_job_in_room
    assert order.callback is None
    assert order.rtc_notices == ("REPLY_COMMAND_FINISH", "LIVE_PROGRESS")
    assert order.program is not None
    assert order.program.scenes == ()
    assert order.program.policy.repeat_count == 3
    assert order.program.policy.exit is not None
    assert order.program.policy.exit.auto_stop is AutoStop.SCRIPT_END


@pytest.mark.parametrize("body", [b"", b"{}", b" \n"])
async def test_an_empty_order_keeps_the_rooms_values(
    client: HuaweiClient, live: SmartLiveStage, room: str, body: bytes
) -> None:
    answer = await client.send("POST", f"/v1/{P}{room}/smart-live-jobs", body)

    assert answer.status_code == 202
    [order] = live.jobs.orders
    assert order.program is None
    assert order.callback is None
    assert order.rtc_notices is None
    assert not order.single_job_in_room
    assert answer.json()["limit_duration"] == 0


async def test_a_job_is_shown_with_every_field(client: HuaweiClient, live: SmartLiveStage) -> None:
    room_id = (await client.create("/smart-live-rooms", ROOM))["room_id"]
    path = await started(client, f"/smart-live-rooms/{room_id}")
    live.clock.turn(1)
    job = await live.jobs.happens(await live.jobs.show(*ids(path)), JobEvent.WENT_ON_AIR)
    live.clock.turn(2.5)

    shown = await client.get(path)

    assert len(shown.pop("live_event_report_url")) > 100
    assert len(shown.pop("rtc_room_info")["users"]) == 3
    assert shown == {
        "job_id": job.job_id,
        "room_id": room_id,
        "room_name": "直播间1",
        "state": "PROCESSING",
        "duration": 2.5,
        "start_time": "2022-01-18T16:29:37Z",
        "create_time": "2022-01-18T16:29:36Z",
        "lastupdate_time": "2022-01-18T16:29:37Z",
        "live_event_callback_config": {
            name: value
            for name, value in ROOM["live_event_callback_config"].items()
            if name != "is_inheritance_platform_callback"
        },
        "rtc_callback_config": {"rtc_callback_event_type": ["LIVE_PROGRESS"]},
        "stream_duration": 2.5,
        "co_streamer_config": ROOM["co_streamer_config"],
        "relation_live_platform_info": ROOM["relation_live_platform_info"],
        "used_resource_type": "UNKNOW",
        "is_ai_mark_on": False,
    }


async def test_a_waiting_job_has_not_started(client: HuaweiClient, room: str) -> None:
    shown = await client.get(await started(client, room))

    assert shown["state"] == "WAITING"
    assert shown["duration"] == 0
    assert not {"start_time", "end_time", "error_info", "block_reason"} & shown.keys()


async def test_a_failed_job_says_why(client: HuaweiClient, live: SmartLiveStage, room: str) -> None:
    path = await started(client, room)
    fault = JobFault(kind=FaultKind.NO_SPEECH, message="no speech")
    await live.jobs.happens(await live.jobs.show(*ids(path)), JobEvent.BROKE, fault=fault)

    shown = await client.get(path)

    assert shown["state"] == "FAILED"
    assert shown["error_info"] == {"error_code": "MSS.47000029", "error_msg": "no speech"}
    assert shown["end_time"] == "2022-01-18T16:29:36Z"


async def test_a_blocked_job_says_why(
    client: HuaweiClient, live: SmartLiveStage, room: str
) -> None:
    path = await started(client, room)
    job = await live.jobs.show(*ids(path))
    await live.jobs.happens(job, JobEvent.BLOCKED, block_reason="indecent")

    shown = await client.get(path)

    assert (shown["state"], shown["block_reason"]) == ("BLOCKED", "indecent")


async def test_a_stop_answers_with_an_empty_body(client: HuaweiClient, room: str) -> None:
    path = await started(client, room)

    answer = await client.call("POST", f"{path}/stop")

    assert (answer.status_code, answer.content) == (200, b"")
    shown = await client.get(path)
    assert shown["state"] == "SUCCEED"
    assert "live_event_report_url" not in shown
    assert all("signature" not in user for user in shown["rtc_room_info"]["users"])
    assert (await client.refused("POST", f"{path}/stop"))[0] == "MSS.20010066"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "/stop", None),
        ("POST", "/command", {"command": "GET_CURRENT_PLAYING_SCRIPTS"}),
        ("GET", "/command/insert-commands", None),
        (
            "POST",
            "/batch-commands-confirm",
            {"command": "REWRITE_PLAY_SCRIPT", "action": "confirm"},
        ),
        ("POST", "/live-event-report", {"total": 1, "events": [{"timestamp": 0}]}),
    ],
)
async def test_an_unknown_job_is_named_so(
    client: HuaweiClient, room: str, method: str, path: str, body: object
) -> None:
    answer = await client.refused(method, f"{room}/smart-live-jobs/unknown{path}", body)

    assert answer == ("MSS.20010074", "The job does not exist.")


async def test_a_job_belongs_to_its_room(client: HuaweiClient, room: str) -> None:
    path = await started(client, room)
    other = (await client.create("/smart-live-rooms", SMALL))["room_id"]

    code, _ = await client.refused("GET", path.replace(room, f"/smart-live-rooms/{other}"))

    assert code == "MSS.20010074"


@pytest.mark.parametrize(
    "body",
    [
        {"video_config": {"bitrate": 1000, "width": 1}},
        {"job_run_config": {"allow_resource_type": "UNKNOW"}},
        {"interaction_callback_url": "x" * 2_049},
        {"output_urls": ["a", "b"]},
        {"live_event_callback_config": {"key": "x" * 33}},
    ],
)
async def test_a_wrong_order_is_named(
    client: HuaweiClient, room: str, body: dict[str, Any]
) -> None:
    code, message = await client.refused("POST", f"{room}/smart-live-jobs", body)

    assert code == "MSS.00000003"
    assert next(iter(body)) in message


class TestLists:
    @pytest.fixture
    async def jobs(self, client: HuaweiClient, live: SmartLiveStage, room: str) -> list[str]:
        """Paths of five jobs, made a second apart, of which the second has ended."""
        paths = []
        for _ in range(5):
            paths.append(await started(client, room))
            live.clock.turn(1)
        await client.create(f"{paths[1]}/stop", None)
        return paths

    @pytest.mark.parametrize(
        ("query", "count", "places"),
        [
            ({}, 5, [0, 1, 2, 3, 4]),
            ({"sort_dir": "asc"}, 5, [0, 1, 2, 3, 4]),
            ({"sort_dir": "desc"}, 5, [4, 3, 2, 1, 0]),
            ({"sort_key": "create_time", "sort_dir": "desc"}, 5, [4, 3, 2, 1, 0]),
            ({"sort_key": "update_time"}, 5, [0, 2, 3, 4, 1]),
            ({"sort_key": "asset_order"}, 5, [0, 1, 2, 3, 4]),
            ({"offset": 1, "limit": 2}, 5, [1, 2]),
            ({"offset": 9}, 5, []),
            ({"state": "WAITING"}, 4, [0, 2, 3, 4]),
            ({"state": "SUCCEED,BLOCKED"}, 1, [1]),
            ({"state": "WAITING, SUCCEED"}, 5, [0, 1, 2, 3, 4]),
            ({"state": ""}, 5, [0, 1, 2, 3, 4]),
            ({"state": "FAILED"}, 0, []),
            ({"create_since": "2022-01-18T16:29:38Z"}, 3, [2, 3, 4]),
            ({"create_until": "2022-01-18T16:29:38Z"}, 3, [0, 1, 2]),
            ({"create_until": "2022-01-19T00:29:37+08:00"}, 2, [0, 1]),
            ({"create_since": "2022-01-18T16:29:36.4Z"}, 4, [1, 2, 3, 4]),
        ],
    )
    async def test_jobs_of_a_room_are_found(
        self,
        client: HuaweiClient,
        room: str,
        jobs: list[str],
        query: dict[str, object],
        count: int,
        places: list[int],
    ) -> None:
        for path in (f"{room}/smart-live-jobs", "/smart-live-jobs"):
            listed = await client.get(path, **query)

            assert listed["count"] == count
            found = [job["job_id"] for job in listed["smart_live_jobs"]]
            assert found == [jobs[place].rpartition("/")[2] for place in places]

    async def test_listed_jobs_have_every_field(
        self, client: HuaweiClient, jobs: list[str]
    ) -> None:
        listed = await client.get("/smart-live-jobs")

        for job, path in zip(listed["smart_live_jobs"], jobs, strict=True):
            assert job.keys() == (await client.get(path)).keys()

    async def test_a_room_has_its_own_jobs(self, client: HuaweiClient, jobs: list[str]) -> None:
        other = (await client.create("/smart-live-rooms", {**SMALL, "room_name": "tea"}))["room_id"]

        assert await client.get(f"/smart-live-rooms/{other}/smart-live-jobs") == {
            "count": 0,
            "smart_live_jobs": [],
        }

    async def test_jobs_are_found_by_their_rooms_name(
        self, client: HuaweiClient, jobs: list[str]
    ) -> None:
        assert (await client.get("/smart-live-jobs", room_name="mal"))["count"] == 5
        assert (await client.get("/smart-live-jobs", room_name="tea"))["count"] == 0

    @pytest.mark.parametrize(
        "query",
        [
            {"state": "CREATING,PUBLISHED"},
            {"state": "CANCELED"},
            {"sort_key": "name"},
            {"sort_dir": "up"},
            {"limit": 101},
            {"limit": 0},
            {"limit": "ten"},
            {"offset": -1},
            {"create_since": "yesterday"},
            {"create_until": "2022-01-18 16:29:38"},
            {"create_since": "1969-12-31T23:59:59Z"},
        ],
    )
    async def test_a_wrong_parameter_is_named(
        self, client: HuaweiClient, room: str, query: dict[str, object]
    ) -> None:
        for path in (f"{room}/smart-live-jobs", "/smart-live-jobs"):
            code, message = await client.refused("GET", path, **query)

            assert code == "MSS.00000003"
            assert message.startswith(f"Invalid parameter: {next(iter(query))}")
