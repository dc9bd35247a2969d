"""Orders slicing over the signed API, and waits for what comes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.support.clients.wire_client import authorization
from tests.support.server.callback_sink import Announced, CallbackSink
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S, until

VERSION = "2023-11-01"
BUCKET = "moderation"


class SlicingClient:
    """Signs requests as the first account of the configuration."""

    def __init__(self, server: RunningServer, http: httpx.AsyncClient) -> None:
        self._server = server
        self._http = http

    async def call(self, action: str, body: dict[str, Any]) -> Any:
        """Return the Result of an action that must succeed."""
        if action.startswith("Get"):
            response = await self.send("GET", {"Action": action, "Version": VERSION, **body})
        else:
            query = {"Action": action, "Version": VERSION}
            response = await self.send("POST", query, json.dumps(body).encode())
        answer = response.json()
        assert response.status_code == 200, answer
        assert not self._server.secrets_in(response.text)
        return answer["Result"]

    async def send(
        self,
        method: str,
        query: dict[str, str],
        body: bytes = b"",
        *,
        keys: tuple[str, str] | None = None,
        at: datetime | None = None,
    ) -> httpx.Response:
        """Send a request signed with `keys` at the time `at`; the account's own, and now."""
        account = self._server.settings.accounts[0]
        date = f"{at or datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        signed = authorization(
            method=method,
            query=query,
            date=date,
            body=body,
            keys=keys or (account.access_key, account.secret_key),
        )
        headers = {"X-Date": date, "Authorization": signed, "Content-Type": "application/json"}
        url = f"{self._server.base_url}/?{urlencode(query)}"
        return await self._http.request(method, url, content=body, headers=headers)


@dataclass(frozen=True, kw_only=True)
class OrderedTask:
    """A task that was started."""

    client: SlicingClient
    sink: CallbackSink
    server: RunningServer
    key: dict[str, str]
    waiting_before: float = 0
    """What others had on its way for somebody who does not take it."""

    def slices(self, user: str | None = None) -> list[Announced]:
        """What was announced so far, of one user or of all."""
        return self.sink.slices(self.key["AppId"], self.key["RoomId"], self.key["TaskId"], user)

    async def wait_for(
        self, count: int, user: str | None = None, timeout_s: float = PATIENCE_S
    ) -> list[Announced]:
        """Wait until at least `count` slices have been announced; return them all."""
        await until(lambda: len(self.slices(user)) >= count, timeout_s)
        return self.slices(user)

    async def state(self) -> dict[str, Any]:
        """GetSegmentTask."""
        answer = await self.client.call("GetSegmentTask", self.key)
        state: dict[str, Any] = answer["SegmentTask"]
        return state

    async def update(self, **changes: Any) -> None:
        """UpdateSegment."""
        assert await self.client.call("UpdateSegment", {**self.key, **changes}) == "ok"

    async def stop(self) -> list[Announced]:
        """StopSegment; return all slices once every one of them has been announced."""
        assert await self.client.call("StopSegment", self.key) == "ok"
        await until(lambda: self.server.metric("waiting_slices") <= self.waiting_before)
        return self.slices()

    def path(self, announced: Announced) -> Path:
        """The stored file of a slice."""
        return self.server.object_path(announced.bucket, announced.key)


async def order_slicing(
    client: SlicingClient,
    sink: CallbackSink,
    server: RunningServer,
    *,
    kind: str = "wav",
    room: str,
    task: str = "task",
    **fields: Any,
) -> OrderedTask:
    """StartSegment with a period of 2 s, unless `fields` say otherwise."""
    key = {"AppId": server.apps[kind].app_id, "RoomId": room, "TaskId": task}
    tos = {"AccountId": server.settings.accounts[0].id, "Region": 0, "Bucket": BUCKET}
    body = {**key, "Duration": 2, "StorageConfig": {"Type": 0, "TosConfig": tos}, **fields}
    assert await client.call("StartSegment", body) == "ok"
    return OrderedTask(
        client=client,
        sink=sink,
        server=server,
        key=key,
        waiting_before=server.metric("waiting_slices"),
    )
