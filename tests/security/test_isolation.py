"""No operation of either wire reaches another account, nor is the admin API open to strangers."""

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
from airslice.facades.huawei.calls import Operation
from airslice.facades.huawei.operations import OPERATIONS as SMART_LIVE
from airslice.facades.volcengine.operations import OPERATIONS
from airslice.wiring import running
from tests.support.clients.huawei_tenant import Tenant
from tests.support.clients.wire_client import authorization
from tests.support.values.smart_live_bodies import SAMPLES
from tests.support.waiting import PATIENCE_S

OWN_APP, FOREIGN_APP = "1" * 24, "2" * 24
OWN_PROJECT, FOREIGN_PROJECT = "p" * 32, "q" * 32
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


NOT_THERE = re.compile("MSS.20010045|MSS.20010074|MSS.00000003.*(group_id|rule_id|platform_id): ")
"""No such room, no such job, and nothing else of this id."""


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

[[projects]]
project_id = "{OWN_PROJECT}"
account = "1"
app_id = "{OWN_APP}"
users = [{{ name = "operator", password = "{PASSWORD}" }}]

[[projects]]
project_id = "{FOREIGN_PROJECT}"
account = "2"
app_id = "{FOREIGN_APP}"
users = [{{ name = "operator", password = "another" }}]
"""
    )
    settings = load(config, {"AIRSLICE_SERVER__DATA_DIR": str(tmp_path / "data")})
    async with (
        running(settings) as server,
        httpx.AsyncClient(base_url=f"http://{server.http}", timeout=PATIENCE_S) as http,
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


def sample_of(operation: Operation) -> Any:
    """A right body."""
    return SAMPLES[operation.shapes.body.__name__][0]


async def test_no_operation_reaches_another_accounts_project(http: httpx.AsyncClient) -> None:
    ours = Tenant(http, OWN_PROJECT, OWN_KEYS)
    theirs = Tenant(http, FOREIGN_PROJECT, FOREIGN_KEYS)
    ids = await theirs.one_of_each()
    before = await theirs.everything(ids)
    user = {"name": "operator", "password": PASSWORD}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": {"project": {"id": OWN_PROJECT}}}}
    token = (await http.post("/v3/auth/tokens", json=body)).headers["X-Subject-Token"]

    for operation in SMART_LIVE:
        method, path = operation.method, operation.path.format(**ids)
        body, foreign = sample_of(operation), f"/v1/{FOREIGN_PROJECT}{path}"
        refusals = [
            await ours.ask(method, path, body, project_id=FOREIGN_PROJECT),
            await http.request(method, foreign, json=body, headers={"X-Auth-Token": token}),
        ]
        for refused in refusals:
            told = (refused.status_code, refused.json()["error_code"])
            assert told == (400, "MSS.00010009"), operation.name
        unsigned = await http.request(method, foreign, json=body)
        assert (unsigned.status_code, unsigned.json()["error_code"]) == (401, "APIGW.0301")

    assert await theirs.everything(ids) == before
    print(f"{len(SMART_LIVE)} operations")


async def test_what_another_project_has_is_not_there(http: httpx.AsyncClient) -> None:
    ours = Tenant(http, OWN_PROJECT, OWN_KEYS)
    theirs = Tenant(http, FOREIGN_PROJECT, FOREIGN_KEYS)
    ids = await theirs.one_of_each()
    before = await theirs.everything(ids)
    named = 0

    for operation in SMART_LIVE:
        path = operation.path.format(**ids)
        query = {"platform_id": ids["platform_id"], "live_id": "1", "job_id": ids["job_id"]}
        answer = await ours.ask(operation.method, path, sample_of(operation), **query)
        if operation.path == path and not operation.path.endswith("/products"):
            assert all(its_id not in answer.text for its_id in ids.values()), operation.name
        elif answer.is_success:
            assert answer.json()["count"] == 0, operation.name
        else:
            assert answer.status_code == 400
            assert NOT_THERE.search(answer.text), operation.name
            named += 1

    assert named >= 20
    assert await theirs.everything(ids) == before


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
