"""What a bucket that refuses means to StartSegment and GetSegmentTask, on the whole server."""

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
from airslice.wiring import running
from tests.support.clients.wire_client import authorization
from tests.support.stages.scripted_store import ScriptedStore
from tests.support.waiting import PATIENCE_S

APP_ID = "123456781234567812345678"
KEY = {"AppId": APP_ID, "RoomId": "room", "TaskId": "task"}
START = {
    **KEY,
    "StorageConfig": {"Type": 0, "TosConfig": {"AccountId": "1", "Region": 0, "Bucket": "b"}},
}


@pytest.fixture
async def bucket() -> AsyncIterator[ScriptedStore]:
    async with ScriptedStore() as bucket:
        yield bucket


@pytest.fixture
def settings(tmp_path: Path, bucket: ScriptedStore) -> Settings:
    config = tmp_path / "airslice.toml"
    config.write_text(
        f"""
[server]
http = "127.0.0.1:0"
media = "127.0.0.1:0"
master_key = "{base64.b64encode(bytes(32)).decode()}"

[[accounts]]
id = "2100000000"
access_key = "AK"
secret_key = "SK"

[[apps]]
app_id = "{APP_ID}"
app_key = "app key"
account = "2100000000"
"""
    )
    settings = load(config, {"AIRSLICE_SERVER__DATA_DIR": str(tmp_path / "data")})
    return replace(settings, storage=replace(settings.storage, endpoints=(bucket.override(),)))


async def call(http: httpx.AsyncClient, action: str, body: dict[str, Any]) -> httpx.Response:
    """Send a signed request."""
    is_get = action.startswith("Get")
    query = {"Action": action, "Version": "2023-11-01", **(body if is_get else {})}
    content = b"" if is_get else json.dumps(body).encode()
    date = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    method = "GET" if is_get else "POST"
    signed = authorization(method=method, query=query, date=date, body=content, keys=("AK", "SK"))
    headers = {"X-Date": date, "Authorization": signed, "Content-Type": "application/json"}
    return await http.request(method, f"/?{urlencode(query)}", content=content, headers=headers)


async def test_a_bucket_that_refuses_is_told_at_the_start(
    settings: Settings, bucket: ScriptedStore
) -> None:
    bucket.scripts = [bucket.says(404, "NoSuchBucket")]

    async with (
        running(settings) as server,
        httpx.AsyncClient(base_url=f"http://{server.http}", timeout=PATIENCE_S) as http,
    ):
        refused = await call(http, "StartSegment", START)
        shown = await call(http, "GetSegmentTask", KEY)

    error = refused.json()["ResponseMetadata"]["Error"]
    task = shown.json()["Result"]["SegmentTask"]
    assert (refused.status_code, error["Code"]) == (400, "InvalidParameter")
    assert "there is no such bucket" in error["Message"]
    assert (task["Status"], task["StopReason"]) == (4, "StartTaskFailed")
    assert task["EndTime"] >= task["StartTime"] > 0


@pytest.mark.parametrize("probe", [True, False])
async def test_a_bucket_is_tried_only_where_that_is_wanted(
    settings: Settings, bucket: ScriptedStore, probe: bool
) -> None:
    settings = replace(settings, storage=replace(settings.storage, probe=probe))

    async with (
        running(settings) as server,
        httpx.AsyncClient(base_url=f"http://{server.http}", timeout=PATIENCE_S) as http,
    ):
        started = await call(http, "StartSegment", START)

    assert started.json()["Result"] == "ok"
    assert bucket.methods == (["PUT", "DELETE"] if probe else [])
