"""Which live rooms are listed, and how."""

from __future__ import annotations

import pytest

from airslice.domain.live_job import JobEvent
from tests.support.clients.huawei_client import HuaweiClient
from tests.support.stages.smart_live_stage import PROJECT, SECOND, SmartLiveStage
from tests.support.values.sample_rooms import ROOM, SMALL

ROOMS = "/smart-live-rooms"

SHARED = {"shared_type": "SHARED", "shared_state": "PUBLISHED"}


async def made(client: HuaweiClient, **changes: object) -> str:
    """Make a small room; return its id."""
    room_id: str = (await client.create(ROOMS, {**SMALL, **changes}))["room_id"]
    return room_id


async def test_a_listed_room_has_its_latest_job(client: HuaweiClient, live: SmartLiveStage) -> None:
    room_id = (await client.create(ROOMS, ROOM))["room_id"]
    job = (await client.create(f"{ROOMS}/{room_id}/smart-live-jobs", {}, 202))["job_id"]
    started = await live.jobs.happens(
        await live.jobs.show(PROJECT.project_id, room_id, job), JobEvent.WENT_ON_AIR
    )
    live.clock.turn(60)
    await live.jobs.happens(started, JobEvent.SCRIPT_ENDED)

    listed = await client.get(ROOMS)

    assert listed == {
        "count": 1,
        "smart_live_rooms": [
            {
                "room_id": room_id,
                "project_id": PROJECT.project_id,
                "room_name": "直播间1",
                "room_type": "NORMAL",
                "room_state": "ENABLE",
                "view_mode": "VERTICAL",
                "room_description": "all of it",
                "model_infos": [{"model_asset_id": "m1", "backup_model_asset_ids": ["m2", "m3"]}],
                "create_time": "2022-01-18T16:29:36Z",
                "update_time": "2022-01-18T16:29:36Z",
                "last_job_start_time": "2022-01-18T16:29:36Z",
                "last_job_end_time": "2022-01-18T16:30:36Z",
                "last_job_status": "SUCCEED",
                "priv_data": "mine",
                "confirm_state": "UNCONFIRM",
            }
        ],
    }


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 3),
        ({"room_name": "al"}, 1),
        ({"room_name": ""}, 3),
        ({"room_type": "", "limit": "", "start_time": ""}, 3),
        ({"dh_id": "dh1"}, 1),
        ({"model_name": "m1"}, 1),
        ({"live_state": "NULL"}, 2),
        ({"live_state": "WAITING"}, 1),
        ({"live_state": "WAITING,NULL"}, 3),
        ({"live_state": "SUCCESS,SUCCEED,FAILED,PROCESSING,BLOCKED"}, 0),
        ({"live_state": "CANCELED"}, 0),
        ({"live_state": "CANCELED,NULL"}, 2),
        ({"room_type": "TEMP"}, 1),
        ({"confirm_state": "unconfirm"}, 3),
        ({"confirm_state": "CONFIRMED"}, 0),
        ({"confirm_state": "reject"}, 0),
    ],
)
async def test_rooms_are_filtered(client: HuaweiClient, query: dict[str, str], count: int) -> None:
    await client.create(ROOMS, ROOM)
    await made(client, room_name="other", room_type="TEMP")
    room_id = await made(client)
    await client.create(f"{ROOMS}/{room_id}/smart-live-jobs", {}, 202)

    listed = await client.get(ROOMS, **query)

    assert listed["count"] == count
    assert len(listed["smart_live_rooms"]) == count


async def test_rooms_come_in_pages(client: HuaweiClient, live: SmartLiveStage) -> None:
    for number in range(4):
        live.clock.turn(1)
        await made(client, room_name=f"room {number}")

    page = await client.get(ROOMS, offset=1, limit=2)

    assert page["count"] == 4
    assert [room["room_name"] for room in page["smart_live_rooms"]] == ["room 2", "room 1"]


@pytest.mark.parametrize(
    "query",
    [
        {"offset": -1},
        {"offset": 2**31},
        {"offset": "x"},
        {"limit": 0},
        {"limit": 101},
        {"live_state": "RUNNING"},
        {"room_type": "LARGE"},
        {"template_own_type": "SHARED_TO_OTHERS"},
        {"confirm_state": "maybe"},
        {"start_time": "2022-01-18"},
        {"end_time": "2022-02-30T00:00:00Z"},
    ],
)
async def test_a_wrong_filter_is_named(client: HuaweiClient, query: dict[str, object]) -> None:
    code, message = await client.refused("GET", ROOMS, **query)

    assert code == "MSS.00000003"
    assert next(iter(query)) in message


async def test_a_template_is_shared_without_what_is_its_owners(
    client: HuaweiClient, live: SmartLiveStage
) -> None:
    sharing = {**SHARED, "allowed_project_ids": [SECOND.project_id], "expire_time": ""}
    template = {**ROOM, "room_type": "TEMPLATE", "shared_config": sharing}
    room_id = (await client.create(ROOMS, template))["room_id"]
    other = HuaweiClient(http=client.http, clock=live.clock, project_id=SECOND.project_id)

    shown = await other.get(f"{ROOMS}/{room_id}")

    assert shown["scene_scripts"] == ROOM["scene_scripts"]
    assert shown["shared_config"] == SHARED
    own = {"live_event_callback_config", "stream_keys", "output_urls", "priv_data"}
    assert not own & shown.keys()
    assert (await client.get(f"{ROOMS}/{room_id}"))["shared_config"] == {
        **SHARED,
        "allowed_project_ids": [SECOND.project_id],
    }
    for whose, own_type, count in [
        (client, "OWNED", 1),
        (client, "SHARED_TO_OHTERS", 1),
        (client, "SHARED_FROM_OHTERS", 0),
        (other, "OWNED", 0),
        (other, "SHARED_FROM_OHTERS", 1),
        (other, "PUBLIC", 0),
    ]:
        assert (await whose.get(ROOMS, template_own_type=own_type))["count"] == count


async def test_only_templates_are_shared(client: HuaweiClient) -> None:
    code, message = await client.refused("POST", ROOMS, {**SMALL, "shared_config": SHARED})

    assert code == "MSS.00000003"
    assert "shared_config" in message
