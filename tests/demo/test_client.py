from __future__ import annotations

import json
import time
from typing import Any

import aiohttp
import pytest

from airslice.demo.client import LiveClient, SliceClient
from airslice.facades.http.signatures import SignedRequest
from airslice.facades.huawei.signature import check, claim_of
from airslice.facades.volcengine.signature import verify


async def test_an_action_is_signed_as_the_server_wants_it(
    server: Any, session: aiohttp.ClientSession
) -> None:
    server.answer = {"ResponseMetadata": {}, "Result": "Success"}
    client = SliceClient(session, server.url, "AK", "SK")

    assert await client.call("StartSegment", {"RoomId": "room"}) == "Success"

    (asked,) = server.asked
    request = SignedRequest(
        method=asked.method,
        path=asked.path,
        query=asked.query,
        headers=asked.headers,
        body=asked.body,
    )
    caller = verify(request, secret_keys={"AK": "SK"}, now_s=int(time.time()))
    assert caller.access_key == "AK"
    assert dict(asked.query) == {"Action": "StartSegment", "Version": "2023-11-01"}
    assert json.loads(asked.body) == {"RoomId": "room"}


async def test_a_slicing_error_is_raised_with_the_servers_words(
    server: Any, session: aiohttp.ClientSession
) -> None:
    error = {"Code": "InvalidParameter", "Message": "RoomId is missing"}
    server.answer = {"ResponseMetadata": {"Error": error}}

    with pytest.raises(RuntimeError, match="StopSegment: InvalidParameter: RoomId is missing"):
        await SliceClient(session, server.url, "AK", "SK").call("StopSegment", {})


@pytest.mark.parametrize("body", [None, {"room_name": "demo"}])
async def test_a_live_request_is_signed_as_the_server_wants_it(
    server: Any, session: aiohttp.ClientSession, body: dict[str, str] | None
) -> None:
    server.answer = {"room_id": "1"}
    client = LiveClient(session, server.url, "AK", "SK", "project")

    assert await client.call("POST", "smart-live-rooms", body) == {"room_id": "1"}

    (asked,) = server.asked
    assert asked.path == "/v1/project/smart-live-rooms"
    assert (json.loads(asked.body) if asked.body else None) == body
    claim = claim_of(asked.headers, secret_keys={"AK": "SK"}, now_s=int(time.time()))
    request = SignedRequest(
        method=asked.method,
        path=asked.path.encode(),
        query=asked.query,
        headers=asked.headers,
        body=asked.body,
    )
    check(claim, request)  # raises if the signature is wrong
    assert claim.access_key == "AK"


async def test_a_live_answer_without_a_body_is_none(
    server: Any, session: aiohttp.ClientSession
) -> None:
    client = LiveClient(session, server.url, "AK", "SK", "project")

    assert await client.call("DELETE", "smart-live-rooms/1") is None


async def test_a_live_error_is_raised_with_the_servers_words(
    server: Any, session: aiohttp.ClientSession
) -> None:
    server.status, server.answer = 404, {"error_code": "MSS.20"}

    with pytest.raises(RuntimeError, match=r"/v1/project/jobs: 404 .*MSS\.20"):
        await LiveClient(session, server.url, "AK", "SK", "project").call("GET", "jobs")
