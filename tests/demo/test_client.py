from __future__ import annotations

import json
import time
from typing import Any

import aiohttp
import pytest

from airslice.demo.client import SliceClient
from airslice.facades.http.signatures import SignedRequest
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


async def test_an_error_is_raised_with_the_servers_words(
    server: Any, session: aiohttp.ClientSession
) -> None:
    error = {"Code": "InvalidParameter", "Message": "RoomId is missing"}
    server.answer = {"ResponseMetadata": {"Error": error}}

    with pytest.raises(RuntimeError, match="StopSegment: InvalidParameter: RoomId is missing"):
        await SliceClient(session, server.url, "AK", "SK").call("StopSegment", {})
