"""The whole server, in this process and on ports that the system chooses."""

from __future__ import annotations

import asyncio
import json
import time
import wave
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from airslice.config import Address, ConfigError, Settings
from airslice.domain import room_token
from airslice.domain.room_token import Privilege
from airslice.wiring import running
from tests.support.clients.raw_publisher import RawPublisher, rtp
from tests.support.clients.wire_client import authorization
from tests.support.server.in_process import client_of

SILENCE_20_MS = b"\xf8\xff\xfe"
"""An Opus packet."""


async def serves(settings: Settings) -> bool:
    """Whether a server with these settings starts and answers."""
    async with running(settings) as server, client_of(server) as http:
        return (await http.get("/readyz")).status_code == 200


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def test_two_servers_cannot_use_one_data_directory(settings: Settings) -> None:
    async with running(settings):
        with pytest.raises(ConfigError, match=r"server\.data_dir: another server uses"):
            await serves(settings)

    assert await serves(settings)


@pytest.mark.parametrize("listener", ["http", "media", "metrics"])
async def test_an_address_in_use_is_named_and_everything_let_go(
    settings: Settings, taken: Address, listener: str
) -> None:
    change: dict[str, Any] = {listener: taken}
    server = replace(settings.server, **change)

    with pytest.raises(ConfigError, match=rf"server\.{listener}: {taken} cannot be bound"):
        await serves(replace(settings, server=server))

    assert await serves(settings)


async def test_a_stopped_server_has_let_its_ports_go(settings: Settings) -> None:
    async with running(settings) as server:
        pass

    again = replace(settings.server, http=server.http, media=server.media)
    assert await serves(replace(settings, server=again))


async def test_a_server_leaves_no_task_behind(settings: Settings) -> None:
    before = asyncio.all_tasks()

    assert await serves(settings)

    assert asyncio.all_tasks() == before


async def start_task(http: httpx.AsyncClient, settings: Settings) -> None:
    account, app = settings.accounts[0], settings.apps[0]
    query = {"Action": "StartSegment", "Version": "2023-11-01"}
    order = {
        "AppId": app.app_id,
        "RoomId": "room",
        "TaskId": "task",
        "StorageConfig": {"TosConfig": {"AccountId": "1", "Region": 0, "Bucket": "bucket"}},
    }
    body = json.dumps(order).encode()
    date = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    keys = (account.access_key, account.secret_key)
    signed = authorization(method="POST", query=query, date=date, body=body, keys=keys)
    headers = {"X-Date": date, "Authorization": signed, "Content-Type": "application/json"}
    response = await http.post(f"/?{urlencode(query)}", content=body, headers=headers)
    assert response.status_code == 200, response.text


async def publish(http: httpx.AsyncClient, settings: Settings, peer: RawPublisher) -> None:
    (app,) = settings.apps
    now_s = int(time.time())
    token = room_token.mint(
        room_token.RoomClaims(
            room_id="room",
            user_id="ann",
            privileges={Privilege.PUBLISH_STREAM: 0},
            issued_at_s=now_s,
            expires_at_s=now_s + 60,
        ),
        app_id=app.app_id,
        app_key=app.app_key,
        nonce=1,
    )
    response = await http.post(
        f"/whip/{app.app_id}/room",
        content=peer.offer(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"},
    )
    assert response.status_code == 201, response.text
    await peer.connect(response.text)


async def metric(http: httpx.AsyncClient, name: str) -> float:
    lines = (await http.get("/metrics")).text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"airslice_{name} "))


async def metric_reaches(http: httpx.AsyncClient, name: str, value: float) -> None:
    async with asyncio.timeout(60):
        while await metric(http, name) < value:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("frames", [5, 40])
async def test_what_was_received_before_a_stop_is_stored_after_the_next_start(
    settings: Settings, frames: int
) -> None:
    with RawPublisher() as peer:
        async with running(settings) as server, client_of(server) as http:
            await start_task(http, settings)
            await publish(http, settings, peer)
            datagrams = await metric(http, "datagrams_total")
            for number in range(frames):
                peer.send_rtp(rtp(number, payload=SILENCE_20_MS))
            await metric_reaches(http, "datagrams_total", datagrams + frames)

    bucket = settings.server.data_dir / "objects" / "bucket"
    spool = settings.server.data_dir / "spool"
    async with running(settings):
        await eventually(lambda: bucket.is_dir() and not list(spool.iterdir()))

    (stored,) = bucket.iterdir()
    with wave.open(str(stored)) as audio:
        assert audio.getnframes() == frames * 320
