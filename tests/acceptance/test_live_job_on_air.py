"""What is heard of a live job, over WHEP and in slices, is its script."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.audio.slice_audio import joined, read_wav
from tests.support.clients.live_jobs import PAUSE_S, LiveClient, Played, played, write_tones
from tests.support.clients.whep_player import RATE, WhepPlayer, whep_url
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S, until

LENGTHS_S = [0.7, 1.4, 0.5, 2.2, 0.9, 1.1]
MP3_S = 0.08
"""What an MP3 encoder may add around a recording."""


class Owner:
    """Receives the events of live jobs on loopback."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.events.append({**json.loads(body), "headers": dict(self.headers)})
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def owner() -> Iterator[Owner]:
    owner = Owner()
    yield owner
    owner.server.shutdown()
    owner.server.server_close()


@pytest.fixture
def live(server: RunningServer, http: httpx.AsyncClient) -> LiveClient:
    folder = server.settings.server.data_dir / "assets" / server.project.project_id
    write_tones(folder, LENGTHS_S)
    return LiveClient(server, http)


def check_script(heard: list[Played]) -> None:
    """Every recording was played whole, once, in order, with a pause between."""
    assert [tone.number for tone in heard] == list(range(len(LENGTHS_S)))
    for tone, length_s in zip(heard, LENGTHS_S, strict=True):
        assert abs(tone.length_s - length_s) <= MP3_S, tone
    for before, after in itertools.pairwise(heard):
        pause_s = after.start_s - before.start_s - before.length_s
        assert PAUSE_S - 0.04 <= pause_s <= PAUSE_S + 0.2


async def test_a_job_is_heard_as_its_script_and_progress_say(
    live: LiveClient,
    server: RunningServer,
    http: httpx.AsyncClient,
    order: Any,
    owner: Owner,
) -> None:
    callback = {
        "live_event_type_callback_url": owner.url,
        "auth_type": "MSS_A_HEAD",
        "key": "GCTbw44s6MPLh4GqgDpnfuFHgy25Enly",
        "callback_event_type": ["SHOOT_SCRIPT_SWITCH"],
    }
    job = await live.start(len(LENGTHS_S), auto_play=False, callback=callback)
    task = await order(room=job.rtc_room_id)
    player = WhepPlayer(whep_url(server, job.rtc_room_id), job.tokens["PLAYER"])
    await player.start(http)
    messages: list[tuple[float, dict[str, Any]]] = []

    async def listen() -> None:
        async with http.stream("GET", player.events, timeout=2 * PATIENCE_S) as response:
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    messages.append((time.monotonic(), json.loads(line[5:])))

    listening = asyncio.create_task(listen())
    await until(lambda: any(m.get("state") == "PLAY_READY" for _, m in messages))
    assert (await live.show(job))["state"] == "WAITING"
    command = {"message_type": "live_control", "command": "play_start"}
    response = await http.post(f"{player.resource}/commands", json=command)
    assert response.status_code == 200, response.text
    shown = await live.ended(job)
    slices = await task.stop()
    await until(lambda: len(owner.events) == len(LENGTHS_S))
    await until(lambda: any(m.get("state") == "PLAY_END" for _, m in messages))
    listening.cancel()
    await player.stop(http)

    assert shown["state"] == "SUCCEED"
    check_script(played(player.heard().samples, len(LENGTHS_S), rate=RATE))
    assert {one.user for one in slices} == {job.users["RENDER"]}
    sliced = joined(read_wav(task.path(one)) for one in slices)
    check_script(played(sliced, len(LENGTHS_S), rate=16_000))
    assert abs(shown["duration"] - sliced.size / 16_000) <= 0.1

    progress = [(at, m["data"]) for at, m in messages if m["message_type"] != "state_notify"]
    assert [data["shoot_script_sequence_no"] for _, data in progress] == list(range(6))
    tones = played(player.heard().samples, len(LENGTHS_S), rate=RATE)
    told_s = np.array([at for at, _ in progress])
    heard_s = np.array([player.heard_at_s(round(tone.start_s * RATE)) for tone in tones])
    assert np.ptp(told_s - heard_s) <= min(LENGTHS_S)  # each is told when it begins
    states = [m["state"] for _, m in messages if m["message_type"] == "state_notify"]
    assert states[-3:] == ["PLAY_READY", "PROCESSING", "PLAY_END"]
    reported = [json.loads(event["message"]) for event in owner.events]
    assert [m["shoot_script_sequence_no"] for m in reported] == [str(n) for n in range(6)]
    assert all("x-hw-mss-secret" in event["headers"] for event in owner.events)


async def test_the_rooms_platform_is_told_with_its_own_key(live: LiveClient, owner: Owner) -> None:
    platform = {
        "name": "shop",
        "auth_config": {"key": "the shop's key"},
        "callback_config": [{"api_type": "LIVE_EVENT_CALLBACK", "url": f"{owner.url}?b=2&a=1"}],
    }
    made = await live.call("POST", "live-platforms/platforms", platform)

    job = await live.start(
        1,
        live_event_callback_config={"is_inheritance_platform_callback": True},
        relation_live_platform_info={**made, "live_id": "live_1"},
    )
    await until(lambda: owner.events)
    await live.ended(job)

    [event] = owner.events
    headers = {name.lower(): value for name, value in event["headers"].items()}
    place = owner.url.removeprefix("http://")
    signed = f"{place}?a=1&b=2{headers['x-hw-mss-time']}"
    mac = hmac.new(b"the shop's key", signed.encode(), hashlib.sha256)
    assert headers["x-hw-mss-secret"] == mac.hexdigest()
    assert json.loads(event["message"])["live_id"] == "live_1"


async def test_a_stop_is_heard_at_once(
    live: LiveClient, server: RunningServer, http: httpx.AsyncClient
) -> None:
    job = await live.start(len(LENGTHS_S))
    player = WhepPlayer(whep_url(server, job.rtc_room_id), job.tokens["PLAYER"])
    await player.start(http)
    await until(lambda: len(player.got) > 50)

    await live.stop(job)
    heard = len(player.got)
    await asyncio.sleep(1)

    assert len(player.got) - heard < 25  # of 50 a second
    assert (await live.show(job))["state"] == "SUCCEED"
    await player.stop(http)
