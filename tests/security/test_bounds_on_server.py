"""Each bound of the whole server gives its documented answer, and what is there goes on."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from airslice.config import Settings, load
from airslice.domain import room_token
from airslice.domain.room_token import Privilege
from airslice.facades.volcengine.facade import MAX_BODY_BYTES
from airslice.wiring import running
from tests.support.clients.raw_publisher import RawPublisher
from tests.support.clients.wire_client import authorization
from tests.support.waiting import PATIENCE_S

APP_ID = "1" * 24
KEYS = ("AK", "SK")
TOS = {"Type": 0, "TosConfig": {"AccountId": "1", "Region": 0, "Bucket": "b"}}
MAX_TASKS = 3
MAX_STREAMS = 3
MAX_IN_ROOM = 2


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    config = tmp_path / "airslice.toml"
    config.write_text(
        f"""
[server]
http = "127.0.0.1:0"
media = "127.0.0.1:0"
master_key = "{base64.b64encode(bytes(32)).decode()}"
max_tasks = {MAX_TASKS}
max_streams = {MAX_STREAMS}
max_publishers_per_room = {MAX_IN_ROOM}

[[accounts]]
id = "1"
access_key = "{KEYS[0]}"
secret_key = "{KEYS[1]}"

[[apps]]
app_id = "{APP_ID}"
app_key = "key"
account = "1"
"""
    )
    return load(config, {"AIRSLICE_SERVER__DATA_DIR": str(tmp_path / "data")})


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running(settings) as server,
        httpx.AsyncClient(base_url=f"http://{server.http}", timeout=PATIENCE_S) as http,
    ):
        yield http


async def call(
    http: httpx.AsyncClient, action: str, fields: dict[str, Any], *, padding: int = 0
) -> tuple[int, str]:
    """Return status and error code of a signed request."""
    method = "GET" if action.startswith("Get") else "POST"
    query = {"Action": action, "Version": "2023-11-01", **(fields if method == "GET" else {})}
    body = b"" if method == "GET" else json.dumps(fields).encode() + b" " * padding
    date = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    signed = authorization(method=method, query=query, date=date, body=body, keys=KEYS)
    headers = {"X-Date": date, "Authorization": signed, "Content-Type": "application/json"}
    answer = await http.request(method, f"/?{urlencode(query)}", content=body, headers=headers)
    error = answer.json()["ResponseMetadata"].get("Error", {})
    return answer.status_code, error.get("Code", "")


def task(number: int, **fields: Any) -> dict[str, Any]:
    key = {"AppId": APP_ID, "RoomId": "room", "TaskId": f"task{number}"}
    return {**key, "StorageConfig": TOS, **fields}


async def publish(http: httpx.AsyncClient, room: str, user: str) -> tuple[int, str]:
    """Return status and error code of an offer; its media never comes."""
    token = room_token.mint(
        room_token.RoomClaims(
            room_id=room,
            user_id=user,
            privileges={Privilege.PUBLISH_STREAM: 0},
            issued_at_s=0,
            expires_at_s=0,
        ),
        app_id=APP_ID,
        app_key="key",
        nonce=1,
    )
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
    with RawPublisher() as peer:
        offer = peer.offer()
    answer = await http.post(f"/whip/{APP_ID}/{room}", content=offer, headers=headers)
    return answer.status_code, answer.json()["code"] if answer.is_error else ""


async def test_tasks(http: httpx.AsyncClient) -> None:
    started = [await call(http, "StartSegment", task(number)) for number in range(MAX_TASKS)]
    refused = await call(http, "StartSegment", task(MAX_TASKS))
    again = await call(http, "StartSegment", task(0))
    await call(http, "StopSegment", task(0))
    after = await call(http, "StartSegment", task(MAX_TASKS))

    assert started == [(200, "")] * MAX_TASKS
    assert refused == (429, "FlowLimitExceeded.TaskNumberOverLimit")
    assert again == (200, "")  # it runs
    assert after == (200, "")


@pytest.mark.parametrize(("over", "answer"), [(0, 200), (1, 413)])
async def test_bodies(http: httpx.AsyncClient, over: int, answer: int) -> None:
    padding = MAX_BODY_BYTES - len(json.dumps(task(0))) + over

    status, code = await call(http, "StartSegment", task(0), padding=padding)

    assert (status, code) == (answer, "InvalidParameter.SizeOverLimit" if over else "")


async def test_listed_streams(http: httpx.AsyncClient) -> None:
    listed = {"StreamList": [{"UserId": f"u{number}"} for number in range(18)]}

    status, code = await call(http, "StartSegment", task(0, TargetStreams=listed))

    assert (status, code) == (400, "InvalidParameter")


async def test_publishers_in_a_room(http: httpx.AsyncClient) -> None:
    inside = [await publish(http, "room", f"u{number}") for number in range(MAX_IN_ROOM)]

    assert [status for status, _ in inside] == [201] * MAX_IN_ROOM
    assert await publish(http, "room", "one more") == (401, "token_refused")
    assert await publish(http, "room", "another") == (503, "room_full")
    assert (await publish(http, "elsewhere", "another"))[0] == 201


async def test_publishers_in_all(http: httpx.AsyncClient) -> None:
    for number in range(MAX_STREAMS):
        assert (await publish(http, f"room{number}", "u"))[0] == 201

    assert await publish(http, "another", "u") == (503, "server_full")


async def test_what_the_spool_may_hold(settings: Settings) -> None:
    settings = replace(settings, server=replace(settings.server, spool_quota_gb=1e-6))
    spool = settings.server.data_dir / "spool"
    spool.mkdir(parents=True)
    (spool / "left over.wav").write_bytes(bytes(800))

    async with (
        running(settings) as server,
        httpx.AsyncClient(base_url=f"http://{server.http}", timeout=PATIENCE_S) as http,
    ):
        refused = await call(http, "StartSegment", task(0))
        ready = await http.get("/readyz")

    assert refused == (429, "FlowLimitExceeded.TaskNumberOverLimit")
    assert ready.status_code == 503
    assert "storage is behind" in ready.text
