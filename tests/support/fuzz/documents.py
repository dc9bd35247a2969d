"""The API documents that a server gives of itself, and how to be let in by each API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.auth import AuthBase

from airslice.domain.apps import Account
from tests.support.clients.wire_client import authorization
from tests.support.fuzz.huawei_requests import (
    SMART_LIVE_OUT_OF_REACH,
    SignedForProject,
    smart_live_fields,
    smart_live_ids,
)
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One row of the table."""

    name: str
    path: str
    credentials: Callable[[RunningServer], AuthBase]
    """Makes what lets each request in."""
    ids: Callable[[RunningServer], Mapping[str, Any]]
    """Of what the server has, which no generator finds: by the names of fields and parameters."""
    known: Callable[[RunningServer], Mapping[str, Any]]
    """Other fields that must go together, in the same way."""
    out_of_reach: frozenset[str] = frozenset()
    """Operations that succeed only in a state which requests alone do not bring about."""


class SignedByAccount(AuthBase):
    """Signs requests on Volcengine's wire."""

    def __init__(self, account: Account) -> None:
        self._keys = (account.access_key, account.secret_key)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        date = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        body = request.body or b""
        request.headers["X-Date"] = date
        request.headers["Authorization"] = authorization(
            method=str(request.method),
            query=parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True),
            date=date,
            body=body.encode() if isinstance(body, str) else body,
            keys=self._keys,
        )
        return request


class SignedIn(AuthBase):
    """Carries the cookie of a session of the console."""

    def __init__(self, server: RunningServer) -> None:
        password = {"password": server.settings.server.admin_password}
        answer = requests.post(f"{server.base_url}/api/session", json=password, timeout=PATIENCE_S)
        assert answer.status_code == 204
        self._cookie = answer.headers["Set-Cookie"].partition(";")[0]

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Cookie"] = self._cookie
        return request


def _slicing_ids(server: RunningServer) -> Mapping[str, Any]:
    return {"AppId": server.apps["wav"].app_id, "RoomId": "room", "TaskId": "task"}


def _of_slicing(server: RunningServer) -> Mapping[str, Any]:
    del server
    return {
        "Type": 0,
        "TosConfig": {
            "AccountId": "1",
            "UserAccountId": "1",
            "Bucket": "bucket",
            "Region": "cn-beijing",
            "EndPoint": "localhost",
        },
        "StorageConfig": {"Type": 0, "TosConfig": {"AccountId": "1", "Bucket": "bucket"}},
        "Control": {"Align": True},
        "TargetStreams": {"StreamList": [{"UserId": "user"}]},
        "EventList": ["SegmentRealTimeData"],
        "URL": "http://127.0.0.1:9/callback",
    }


def _console_ids(server: RunningServer) -> Mapping[str, Any]:
    return {"app_id": server.apps["wav"].app_id, "room_id": "room", "delivery_id": "1"}


def _of_console(server: RunningServer) -> Mapping[str, Any]:
    return {
        "user_id": "user",
        "password": server.settings.server.admin_password,
    }


DOCUMENTS = (
    Document(
        name="Volcengine's API",
        path="/api/openapi/volcengine.json",
        credentials=lambda server: SignedByAccount(server.settings.accounts[0]),
        ids=_slicing_ids,
        known=_of_slicing,
        out_of_reach=frozenset(  # its oldest version has stopped the task before
            f"POST /?Action=StopSegment&Version={version}"
            for version in ("2022-06-01", "2023-11-01")
        ),
    ),
    Document(
        name="Huawei's API",
        path="/api/openapi/huawei.json",
        credentials=SignedForProject,
        ids=smart_live_ids,
        known=smart_live_fields,
        out_of_reach=SMART_LIVE_OUT_OF_REACH,
    ),
    Document(
        name="admin API",
        path="/api/openapi.json",
        credentials=SignedIn,
        ids=_console_ids,
        known=_of_console,
        out_of_reach=frozenset(
            {
                "GET /api/deliveries/{delivery_id}",  # nothing is sliced, so nothing is delivered
                "POST /api/deliveries/{delivery_id}/retry",
                "POST /api/live-jobs/{job_id}/block",  # nobody talks in a live room
                "POST /api/session",  # after too many wrong passwords
            }
        ),
    ),
)
