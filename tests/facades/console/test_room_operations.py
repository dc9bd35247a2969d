"""Rooms in the admin API: who is in, and slicing them."""

from __future__ import annotations

from dataclasses import replace

import httpx

from airslice.domain.room import RoomKey
from airslice.domain.slice_record import SliceState
from tests.support.stages.console_stand_ins import ACCOUNT, APP_ID, Tasks

ROOM = f"/api/rooms/{APP_ID}/lobby"


async def start(client: httpx.AsyncClient, **order: object) -> httpx.Response:
    return await client.put(f"{ROOM}/slicing", json=order)


async def test_apps_are_listed_without_their_secrets(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/apps")

    assert response.json() == {
        "apps": [
            {
                "app_id": APP_ID,
                "account_id": ACCOUNT.id,
                "slice_format": "wav",
                "sample_rate_hz": 16_000,
            }
        ]
    }


async def test_a_token_is_minted_for_the_room_and_user(client: httpx.AsyncClient) -> None:
    response = await client.post(f"{ROOM}/tokens", json={"user_id": "alice"})

    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "token": "token-of-alice-for-lobby",
        "whip_path": f"/whip/{APP_ID}/lobby",
    }


async def test_slicing_starts_with_what_was_asked(client: httpx.AsyncClient, tasks: Tasks) -> None:
    response = await start(client, duration_s=7, align=True, mixed=True, ignore_silence=True)

    assert (response.status_code, response.json()) == (201, {"started": True})
    [(account, order)] = tasks.ordered
    assert account == ACCOUNT
    assert order.key.room == RoomKey(APP_ID, "lobby")
    assert order.duration_s == 7
    assert (order.control.align, order.control.mixed, order.control.ignore_silence) == (True,) * 3
    assert order.targets == ()
    assert order.storage.account_id == ACCOUNT.id


async def test_starting_again_changes_nothing(client: httpx.AsyncClient) -> None:
    await start(client)

    response = await start(client)

    assert (response.status_code, response.json()) == (200, {"started": False})


async def test_the_room_tells_its_streams_and_whether_it_is_sliced(
    client: httpx.AsyncClient,
) -> None:
    streams = [
        {"user_id": "alice", "stream_type": "main"},
        {"user_id": "alice", "stream_type": "screen"},
    ]

    before = await client.get(ROOM)
    await start(client)
    during = await client.get(ROOM)
    stopped = await client.delete(f"{ROOM}/slicing")
    after = await client.get(ROOM)

    assert before.json() == {"streams": streams, "slicing": False, "problems": []}
    assert during.json() == {"streams": streams, "slicing": True, "problems": []}
    assert stopped.status_code == 204
    assert after.json() == {"streams": streams, "slicing": False, "problems": []}


async def test_the_room_tells_which_task_has_a_problem(
    client: httpx.AsyncClient, tasks: Tasks
) -> None:
    await start(client)
    [key] = tasks.running
    tasks.running[key] = replace(tasks.running[key], problem="there is no such bucket")

    response = await client.get(ROOM)

    assert response.json()["problems"] == [
        {"task_id": "console", "problem": "there is no such bucket"}
    ]


async def test_slices_are_listed_newest_first_and_can_be_heard_once_stored(
    client: httpx.AsyncClient, tasks: Tasks
) -> None:
    await start(client)
    [task] = tasks.running.values()
    tasks.land(task, "alice", 0, SliceState.ANNOUNCED)
    newest = tasks.land(task, "alice", 1, SliceState.SPOOLED)

    slices = (await client.get(f"{ROOM}/slices")).json()["slices"]

    assert [piece["index"] for piece in slices] == [1, 0]
    assert slices[0] == {
        "task_id": task.key.task_id,
        "user_id": "alice",
        "stream_type": "main",
        "index": 1,
        "start_ms": newest.start_ms,
        "duration_ms": 5_000,
        "size_bytes": 160_044,
        "sha256": newest.sha256,
        "state": "spooled",
        "bucket": "console",
        "object_key": newest.object_key,
        "url": None,
    }
    assert slices[1]["url"] == f"/objects/console/{slices[1]['object_key']}?signature=s"


async def test_the_number_of_slices_can_be_limited(client: httpx.AsyncClient, tasks: Tasks) -> None:
    await start(client)
    [task] = tasks.running.values()
    for index in range(60):
        tasks.land(task, "alice", index, SliceState.STORED)

    assert len((await client.get(f"{ROOM}/slices")).json()["slices"]) == 50
    assert len((await client.get(f"{ROOM}/slices?limit=3")).json()["slices"]) == 3
