"""Moderation by the wire, on the whole server: who is sent out, who stays out, who is told."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airslice.config import Settings, load
from airslice.domain import room_token
from airslice.domain.room import RoomKey
from airslice.domain.room_event import Presence
from airslice.domain.room_token import Privilege
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.presences import SqlitePresences
from airslice.wiring import running
from tests.support.clients.raw_publisher import RawPublisher
from tests.support.clients.wire_client import authorization
from tests.support.waiting import PATIENCE_S

APP_ID = "123456781234567812345678"
EVENTS = [
    "RoomCreate",
    "UserJoinRoom",
    "UserAudioStreamStart",
    "UserAudioStreamStop",
    "UserLeaveRoom",
    "RoomDestroy",
]
ANN = {"AppId": APP_ID, "RoomId": "room", "UserId": "ann"}


class Receiver:
    """Keeps the events that are called back."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    async def take(self, request: Request) -> Response:
        event = await request.json()
        self.events.append((event["EventType"], json.loads(event["EventData"])))
        return Response()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        app = Starlette(routes=[Route("/", self.take, methods=["POST"])])
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
        listener = config.bind_socket()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with receiver.listening():
        yield receiver


@pytest.fixture
def settings(tmp_path: Path, receiver: Receiver) -> Settings:
    config = tmp_path / "airslice.toml"
    config.write_text(
        f"""
[server]
http = "127.0.0.1:0"
media = "127.0.0.1:0"
master_key = "{base64.b64encode(bytes(32)).decode()}"

[security]
private_networks = ["127.0.0.0/8"]

[[accounts]]
id = "2100000000"
access_key = "AK"
secret_key = "SK"

[[apps]]
app_id = "{APP_ID}"
app_key = "app key"
account = "2100000000"
callback_url = "{receiver.url}"
callback_secret = "callback secret"
callback_events = {json.dumps(EVENTS)}
"""
    )
    return load(config, {"AIRSLICE_SERVER__DATA_DIR": str(tmp_path / "data")})


class Client:
    """Ann, who publishes, and her application's owner."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def publish(self, peer: RawPublisher) -> httpx.Response:
        now_s = int(time.time())
        token = room_token.mint(
            room_token.RoomClaims(
                room_id="room",
                user_id="ann",
                privileges={Privilege.PUBLISH_STREAM: 0},
                issued_at_s=now_s,
                expires_at_s=now_s + 60,
            ),
            app_id=APP_ID,
            app_key="app key",
            nonce=1,
        )
        return await self._http.post(
            f"/whip/{APP_ID}/room",
            content=peer.offer(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"},
        )

    async def ask(self, method: str, query: dict[str, str], body: object = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        date = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        signed = authorization(
            method=method, query=query, date=date, body=content, keys=("AK", "SK")
        )
        response = await self._http.request(
            method,
            f"/?{urlencode(query)}",
            content=content,
            headers={"X-Date": date, "Authorization": signed},
        )
        assert response.status_code == 200, response.text
        return response.json()["Result"]

    async def ban(self, seconds: int) -> Any:
        query = {"Action": "BanRoomUser", "Version": "2023-11-01"}
        return await self.ask("POST", query, {**ANN, "ForbiddenInterval": seconds})

    async def online_users(self) -> Any:
        query = {"Action": "GetRoomOnlineUsers", "Version": "2023-11-01"}
        return await self.ask("GET", {**query, "AppId": APP_ID, "RoomId": "room"})


@asynccontextmanager
async def client_of(settings: Settings) -> AsyncIterator[Client]:
    async with (
        running(settings) as server,
        httpx.AsyncClient(
            base_url=f"http://{server.http}", trust_env=False, timeout=PATIENCE_S
        ) as http,
    ):
        yield Client(http)


async def test_a_banned_user_is_out_at_once_stays_out_over_a_restart_and_the_owner_is_told(
    settings: Settings, receiver: Receiver
) -> None:
    with RawPublisher() as peer:
        async with client_of(settings) as client:
            opened = await client.publish(peer)
            await peer.connect(opened.text)
            before = await client.online_users()
            assert await client.ban(600) == {"Message": "success"}
            after = await client.online_users()
            refused = await client.publish(peer)
            async with asyncio.timeout(PATIENCE_S):
                while len(receiver.events) < len(EVENTS):
                    await asyncio.sleep(0.01)

        assert (before["VisibleUserList"], after) == (["ann"], {"RoomExists": False})
        assert (refused.status_code, refused.json()["code"]) == (403, "user_banned")
        async with client_of(settings) as client:
            assert (await client.publish(peer)).status_code == 403
            await client.ban(0)
            assert (await client.publish(peer)).status_code == 201

    told = receiver.events[: len(EVENTS)]
    assert [event_type for event_type, _ in told] == EVENTS
    assert [data.get("Reason") for _, data in told[3:5]] == ["BannedByAdmin", "kickedByAdmin"]
    assert all(data["RoomId"] == "room" for _, data in told)


async def test_whoever_was_in_a_room_when_a_server_died_has_left_after_the_next_start(
    settings: Settings, receiver: Receiver
) -> None:
    room, since_ms = RoomKey(APP_ID, "room"), 1_700_000_000_000
    database = await SqliteDatabase.open(
        settings.server.data_dir / "airslice.db", settings.server.master_key
    )
    left_behind = SqlitePresences(database)
    await left_behind.note(
        entered=[
            Presence(room=room, since_ms=since_ms),
            Presence(room=room, user_id="ann", since_ms=since_ms),
        ]
    )
    await left_behind.sign(since_ms + 5_000)
    await database.close()

    async with running(settings), asyncio.timeout(PATIENCE_S):
        while len(receiver.events) < 2:
            await asyncio.sleep(0.01)

    assert [event_type for event_type, _ in receiver.events] == ["UserLeaveRoom", "RoomDestroy"]
    _, left = receiver.events[0]
    assert (left["UserId"], left["Reason"]) == ("ann", "other")
    assert left["Timestamp"] == since_ms + 5_000
