"""Whatever comes, the answer is an envelope and never the server's fault."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from airslice.facades.volcengine.moderation import BanRoomUser
from airslice.facades.volcengine.operations import OPERATIONS
from airslice.facades.volcengine.requests import (
    Control,
    StartSegment20201201,
    StartSegment20220601,
    StorageConfig,
    Stream,
    TargetStreams,
)
from airslice.facades.volcengine.storage_config import CustomConfig, TosConfig, UserTosConfig
from tests.support.clients.wire_client import authorization
from tests.support.clock import HandClock
from tests.support.stages.volcengine_stage import VolcengineStage
from tests.support.values.wire_accounts import ACCOUNTS, OWNERS

NOW_MS = 1_677_477_732_000
DATE = f"{datetime.fromtimestamp(NOW_MS / 1000, UTC):%Y%m%dT%H%M%SZ}"

APP_ID = next(iter(OWNERS))


SHAPES: tuple[type[msgspec.Struct], ...] = (
    StartSegment20201201,
    StartSegment20220601,
    TargetStreams,
    Stream,
    Control,
    StorageConfig,
    TosConfig,
    UserTosConfig,
    CustomConfig,
    BanRoomUser,
)
FIELDS = sorted({field.encode_name for shape in SHAPES for field in msgspec.structs.fields(shape)})

numbers = st.integers() | st.integers(-2, 30) | st.floats(allow_nan=False)
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""

texts = st.text() | st.sampled_from([APP_ID, "a", "cn-beijing"])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS), below, max_size=4)
        | st.dictionaries(st.text(), below, max_size=2)
    ),
    max_leaves=12,
)
bodies = st.dictionaries(st.sampled_from(FIELDS), values, max_size=12)
VALID: dict[str, Any] = {
    "AppId": APP_ID,
    "RoomId": "r",
    "TaskId": "t",
    "StorageConfig": {"TosConfig": {"AccountId": "1", "Bucket": "b"}},
}


def ask(
    *,
    method: str = "POST",
    query_string: bytes = b"Action=StartSegment&Version=2023-11-01",
    headers: list[tuple[bytes, bytes]] | None = None,
    body: bytes = b"",
) -> tuple[int, dict[str, Any]]:
    """Send one request to a fresh façade; return status and body."""
    facade = VolcengineStage(HandClock(utc_ms=NOW_MS)).facade
    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": query_string,
        "headers": headers or [],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(facade(scope, receive, send))
    answer: dict[str, Any] = json.loads(sent[1]["body"])
    assert len(answer["ResponseMetadata"]["RequestId"]) == 34
    return sent[0]["status"], answer


def ask_signed(
    method: str, query: dict[str, str], body: bytes, content_type: bytes
) -> tuple[int, dict[str, Any]]:
    keys = (ACCOUNTS[0].access_key, ACCOUNTS[0].secret_key)
    signed = authorization(method=method, query=query, date=DATE, body=body, keys=keys)
    return ask(
        method=method,
        query_string=urlencode(query).encode(),
        headers=[
            (b"x-date", DATE.encode()),
            (b"authorization", signed.encode()),
            (b"content-type", content_type),
        ],
        body=body,
    )


def is_documented(status: int, answer: dict[str, Any]) -> bool:
    """Whether it is a success, or a failure of the caller with a code."""
    if status == 200:
        return "Result" in answer
    return 400 <= status < 500 and bool(answer["ResponseMetadata"]["Error"]["Code"])


@PATIENT
@given(operation=st.sampled_from(list(OPERATIONS)), body=bodies, base=st.sampled_from([{}, VALID]))
@example(operation=("StartSegment", "2023-11-01"), body={}, base=VALID)
def test_any_fields(operation: tuple[str, str], body: dict[str, Any], base: dict[str, Any]) -> None:
    action, version = operation
    text = json.dumps({**base, **body}).encode()

    status, answer = ask_signed(
        "POST", {"Action": action, "Version": version}, text, b"application/json"
    )

    assert is_documented(status, answer)


@PATIENT
@given(body=st.binary(max_size=200), content_type=st.sampled_from([b"", b"application/json"]))
def test_any_bytes(body: bytes, content_type: bytes) -> None:
    query = {"Action": "UpdateSegment", "Version": "2022-06-01"}

    assert is_documented(*ask_signed("POST", query, body, content_type))


names = st.lists(st.sampled_from([*FIELDS, "1", "2", "x"]), min_size=1, max_size=4).map(".".join)


@PATIENT
@given(form=st.dictionaries(names, st.text(max_size=5) | st.sampled_from(["1", "{}"])))
def test_any_form(form: dict[str, str]) -> None:
    query = {"Action": "StartSegment", "Version": "2023-11-01"}
    body = urlencode(form).encode()

    assert is_documented(*ask_signed("POST", query, body, b"application/x-www-form-urlencoded"))


@PATIENT
@given(query=st.dictionaries(st.sampled_from(FIELDS) | st.text(), st.text()))
def test_any_signed_query(query: dict[str, str]) -> None:
    named = {**query, "Action": "GetSegmentTask", "Version": "2022-06-01"}

    status, answer = ask_signed("GET", named, b"", b"")

    assert is_documented(status, answer)
    assert status != 401


@PATIENT
@given(query_string=st.binary(max_size=200), method=st.sampled_from(["GET", "POST", "PUT", "HEAD"]))
def test_any_query(query_string: bytes, method: str) -> None:
    assert is_documented(*ask(method=method, query_string=query_string))


SIGNING = [
    "X-Algorithm",
    "X-Credential",
    "X-Date",
    "X-Expires",
    "X-SignedHeaders",
    "X-SignedQueries",
    "X-Signature",
]
snippets = st.text(max_size=20) | st.sampled_from(
    ["HMAC-SHA256", "AKTEST/20230227/cn-north-1/rtc/request", DATE, "Action;X-Date", "0" * 64]
)


@PATIENT
@given(query=st.dictionaries(st.sampled_from(SIGNING), snippets))
def test_any_query_signature(query: dict[str, str]) -> None:
    named = {"Action": "GetSegmentTask", "Version": "2022-06-01", **query}

    status, answer = ask(method="GET", query_string=urlencode(named).encode())

    assert status in (400, 401)
    assert is_documented(status, answer)


header_names = st.sampled_from([b"authorization", b"x-date", b"x-content-sha256", b"host"])


@PATIENT
@given(
    headers=st.lists(st.tuples(header_names, st.binary(max_size=80))),
    credential=snippets,
    signed_headers=snippets,
    signature=snippets,
)
def test_any_headers(
    headers: list[tuple[bytes, bytes]], credential: str, signed_headers: str, signature: str
) -> None:
    authorization_like = (
        f"HMAC-SHA256 Credential={credential}, SignedHeaders={signed_headers}, "
        f"Signature={signature}"
    )

    status, answer = ask(headers=[*headers, (b"authorization", authorization_like.encode())])

    assert status in (400, 401)
    assert is_documented(status, answer)
