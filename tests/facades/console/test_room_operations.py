from __future__ import annotations

from dataclasses import replace

import httpx
import msgspec
import pytest

from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.domain.room import RoomKey
from airslice.domain.slice_record import SliceState
from airslice.facades.console.problems import STATUSES
from tests.support.stages.console_stand_ins import ACCOUNT, APP_ID, Tasks

ROOM = f"/api/rooms/{APP_ID}/lobby"


def subclasses(error: type[AirsliceError]) -> set[type[AirsliceError]]:
    below = set(error.__subclasses__())
    return below.union(*(subclasses(child) for child in below))


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


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/rooms/nobody/lobby", None, 404),
        ("GET", f"/api/rooms/{APP_ID}/a%20b", None, 400),
        ("GET", f"/api/rooms/{APP_ID}/{'x' * 129}", None, 400),
        ("GET", f"{ROOM}/slices?limit=0", None, 400),
        ("GET", f"{ROOM}/slices?limit=201", None, 400),
        ("GET", f"{ROOM}/slices?limit={'9' * 99}", None, 400),
        ("GET", f"{ROOM}/slices?limit=000000001{'9' * 5_000}", None, 400),
        ("GET", f"{ROOM}/slices?limit=²", None, 400),
        ("GET", "/api/nothing", None, 404),
        ("PATCH", "/api/apps", None, 405),
        ("DELETE", f"{ROOM}/slicing", None, 404),
        ("POST", f"{ROOM}/tokens", {"user_id": "a b"}, 400),
        ("POST", f"{ROOM}/tokens", {}, 400),
        ("POST", f"{ROOM}/tokens", {"user_id": "x", "more": 1}, 400),
        ("PUT", f"{ROOM}/slicing", {"duration_s": 0}, 400),
        ("PUT", f"{ROOM}/slicing", {"duration_s": 601}, 400),
        ("PUT", f"{ROOM}/slicing", {"duration_s": "5"}, 400),
        ("PUT", f"{ROOM}/slicing", {"x": "y" * 20_000}, 413),
    ],
)
async def test_bad_requests_are_told_as_problem_details(
    client: httpx.AsyncClient, method: str, path: str, body: object, status: int
) -> None:
    response = await client.request(method, path, json=body)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:airslice:problem:")
    assert problem["title"]
    assert problem["detail"]


async def test_a_wrong_method_is_told_the_right_ones(client: httpx.AsyncClient) -> None:
    response = await client.request("PATCH", "/api/session")

    assert response.headers["allow"] == "GET, POST, DELETE"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_form_of_another_site_is_no_request(
    client: httpx.AsyncClient, content_type: str
) -> None:
    response = await client.put(
        f"{ROOM}/slicing", content=b"{}", headers={"Content-Type": content_type}
    )

    assert response.status_code == 415


async def test_a_refusal_of_the_use_case_keeps_its_code(
    client: httpx.AsyncClient, tasks: Tasks
) -> None:
    tasks.failure = errors.TooManyTasks("the server takes no more tasks now")

    response = await start(client)

    assert response.status_code == 503
    assert response.json() == {
        "type": "urn:airslice:problem:too_many_tasks",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "the server takes no more tasks now",
    }


async def test_a_fault_of_ours_is_logged_and_not_told(
    client: httpx.AsyncClient, tasks: Tasks, caplog: pytest.LogCaptureFixture
) -> None:
    tasks.failure = RuntimeError("secret-key")

    response = await start(client)

    assert response.status_code == 500
    assert "secret-key" not in response.text
    assert "RuntimeError" in caplog.text


def test_every_error_has_its_status() -> None:
    assert set(STATUSES) == subclasses(AirsliceError)


async def test_the_openapi_document_describes_what_is_there(client: httpx.AsyncClient) -> None:
    document = (await client.get("/api/openapi.json")).json()

    assert document["openapi"].startswith("3.1")
    names = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert names == {
        "show_session", "sign_in", "sign_out", "list_apps", "mint_token", "show_room",
        "start_slicing", "stop_slicing", "list_slices",
        "list_deliveries", "show_delivery", "retry_delivery", "retry_dead",
        "list_live_jobs", "block_live_job",
    }  # fmt: skip
    references = set(_references(document))
    assert references == {
        f"#/components/schemas/{name}" for name in document["components"]["schemas"]
    }
    for path, operations in document["paths"].items():
        for method in operations:
            concrete = path.format(app_id=APP_ID, room_id="lobby", delivery_id=1, job_id="job")
            response = await client.request(method, concrete, content=b"")
            assert str(response.status_code) in operations[method]["responses"], (method, path)


def _references(node: object) -> list[str]:
    text = msgspec.json.encode(node).decode()
    return [piece.partition('"')[0] for piece in text.split('"$ref":"')[1:]]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("", "text/html; charset=utf-8"),
        ("console/console.js", "text/javascript; charset=utf-8"),
        ("console/whip.js", "text/javascript; charset=utf-8"),
        ("console/console.css", "text/css; charset=utf-8"),
        ("console/icon.svg", "image/svg+xml"),
    ],
)
async def test_the_page_is_served_with_a_policy_against_foreign_code(
    client: httpx.AsyncClient, name: str, content_type: str
) -> None:
    response = await client.get(f"/{name}")

    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    assert b"http://" not in response.content.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"https://" not in response.content


async def test_other_files_are_not_served(client: httpx.AsyncClient) -> None:
    for name in ("facade.py", "..%2Ffacade.py", "%2e%2e/facade.py", "nothing"):
        assert (await client.get(f"/console/{name}")).status_code == 404
