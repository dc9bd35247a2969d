"""No operation reaches another account, and none of the admin API is open to strangers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from airslice.config import load
from airslice.facades.volcengine.operations import OPERATIONS
from airslice.wiring import running
from tests.facades.volcengine.wire_client import authorization

OWN_APP, FOREIGN_APP = "1" * 24, "2" * 24
OWN_KEYS, FOREIGN_KEYS = ("AKOWN", "SKOWN"), ("AKFOREIGN", "SKFOREIGN")
PASSWORD = "open sesame"
TOS = {"Type": 0, "TosConfig": {"AccountId": "1", "Region": 0, "Bucket": "b"}}
EVERY_FIELD = {
    "AppId": FOREIGN_APP,
    "RoomId": "room",
    "TaskId": "task",
    "UserId": "user",
    "StorageConfig": TOS,
    "TosConfig": {
        "UserAccountId": "1",
        "Region": "cn-beijing",
        "EndPoint": "https://tos.example.com",
        "Bucket": "b",
    },
    "Identifier": "prefix",
    "ForbiddenInterval": 60,
    "URL": "https://example.com/",
    "SecretKey": "secret",
    "EventList": ["SegmentRealTimeData"],
}
"""Enough for each operation: what is missing must not be the reason of a refusal."""


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    config = tmp_path / "airslice.toml"
    config.write_text(
        f"""
[server]
http = "127.0.0.1:0"
media = "127.0.0.1:0"
master_key = "{base64.b64encode(bytes(32)).decode()}"
admin_password = "{PASSWORD}"

[[accounts]]
id = "1"
access_key = "{OWN_KEYS[0]}"
secret_key = "{OWN_KEYS[1]}"

[[accounts]]
id = "2"
access_key = "{FOREIGN_KEYS[0]}"
secret_key = "{FOREIGN_KEYS[1]}"

[[apps]]
app_id = "{OWN_APP}"
app_key = "own"
account = "1"

[[apps]]
app_id = "{FOREIGN_APP}"
app_key = "foreign"
account = "2"
"""
    )
    settings = load(config, {"AIRSLICE_SERVER__DATA_DIR": str(tmp_path / "data")})
    async with (
        running(settings) as server,
        httpx.AsyncClient(base_url=f"http://{server.http}") as http,
    ):
        yield http


async def call(
    http: httpx.AsyncClient, action: str, version: str, keys: tuple[str, str], **changes: Any
) -> httpx.Response:
    """Send an operation with every field, signed with `keys`."""
    fields = {**EVERY_FIELD, **changes}
    method = OPERATIONS[action, version].method
    query = {"Action": action, "Version": version}
    body = b""
    if method == "GET":
        query |= {name: str(fields[name]) for name in ("AppId", "RoomId", "TaskId", "UserId")}
    else:
        body = json.dumps(fields).encode()
    date = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    signed = authorization(method=method, query=query, date=date, body=body, keys=keys)
    headers = {"X-Date": date, "Authorization": signed, "Content-Type": "application/json"}
    return await http.request(method, f"/?{urlencode(query)}", content=body, headers=headers)


async def test_no_operation_reaches_another_accounts_application(http: httpx.AsyncClient) -> None:
    start = ("StartSegment", "2023-11-01")
    create = ("CreateCallback", "2020-12-01")
    for prepared in (start, create):
        assert (await call(http, *prepared, FOREIGN_KEYS)).status_code == 200

    for operation in OPERATIONS:
        refused = await call(http, *operation, OWN_KEYS)
        error = refused.json()["ResponseMetadata"]["Error"]
        assert (refused.status_code, error["Code"]) == (403, "Unauthorized"), operation
        assert "Result" not in refused.json()

    # Its owner finds everything as it was: task, setting, and nobody banned.
    task = await call(http, "GetSegmentTask", "2023-11-01", FOREIGN_KEYS)
    setting = await call(http, "GetCallback", "2020-12-01", FOREIGN_KEYS)
    assert task.json()["Result"]["SegmentTask"]["Status"] == 2
    assert setting.json()["Result"]["URL"] == "https://example.com/"
    for operation in OPERATIONS:
        answer = await call(http, *operation, FOREIGN_KEYS)
        assert answer.status_code != 403, operation
    print(f"{len(OPERATIONS)} operations")


async def test_an_application_that_is_not_there_looks_the_same_to_everybody(
    http: httpx.AsyncClient,
) -> None:
    for operation in OPERATIONS:
        answers = [
            await call(http, *operation, keys, AppId="nowhere") for keys in (OWN_KEYS, FOREIGN_KEYS)
        ]
        codes = {answer.json()["ResponseMetadata"]["Error"]["Code"] for answer in answers}
        assert codes == {"InvalidParameter.NotExistAppId"}, operation


async def test_the_admin_api_answers_nobody_who_has_not_signed_in(http: httpx.AsyncClient) -> None:
    await http.post("/api/session", json={"password": PASSWORD})
    document = (await http.get("/api/openapi.json")).json()
    http.cookies.clear()
    asked = 0

    for path, methods in document["paths"].items():
        target = re.sub(r"\{\w+\}", "1", path.replace("{app_id}", OWN_APP))
        for method in methods:
            if path == "/api/session" or method == "parameters":
                continue
            for cookie in ({}, {"Cookie": f"session={'0' * 10}.{'0' * 64}"}):
                answer = await http.request(method, target, json={}, headers=cookie)
                assert answer.status_code == 401, (method, path)
                asked += 1

    assert asked >= 2 * 9
    print(f"{asked // 2} operations")


async def test_an_accounts_keys_do_not_open_the_admin_api(http: httpx.AsyncClient) -> None:
    date = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    signed = authorization(method="GET", query={}, date=date, body=b"", keys=OWN_KEYS)

    answer = await http.get("/api/apps", headers={"X-Date": date, "Authorization": signed})

    assert answer.status_code == 401
