"""The demonstration, step by step, on a terminal."""

from __future__ import annotations

import array
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import wave
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from airslice.config import Settings, fresh_config, load
from airslice.demo.client import SliceClient
from airslice.demo.listener import Listener
from airslice.demo.live_client import LiveClient
from airslice.demo.receiver import CallbackReceiver

SCRIPT = (
    "Welcome to this room. I am a virtual presenter, and what I read was a script a moment ago. "
    "A live job speaks it into the room, as a person would over WebRTC. "
    "At the same time a slice task cuts it into files of four seconds each. "
    "Each file is stored, and announced with a signed callback. "
    "Nothing is lost between two of them, not a single sample."
)
BUCKET = "demo"
DURATION_S = 4
SLICES = 7
START_TIMEOUT_S = 30
SLICE_TIMEOUT_S = 30
CONFIG = "airslice.toml"
BARS = " ▁▂▃▄▅▆▇█"


class DemoFailed(Exception):
    """The server did not do what the demonstration is about."""


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    slices: int
    verified: int


def run(directory: Path = Path("airslice-demo")) -> int:
    """Run the demonstration in `directory`, which it makes anew; return the exit code."""
    try:
        settings = _prepare(directory)
        outcome = asyncio.run(_demonstrate(directory, settings))
    except (DemoFailed, RuntimeError, OSError, aiohttp.ClientError, TimeoutError) as error:
        print(f"demo: failed: {str(error) or type(error).__name__}", file=sys.stderr)
        print(f"      the server's log: {directory / 'server.log'}", file=sys.stderr)
        return 1
    objects = settings.server.data_dir / "objects" / BUCKET
    print()
    print("Next:")
    print(f"  listen       ffplay -nodisp -autoexit {objects}/<file>, or any player")
    print(f"  serve        airslice serve --config {directory / CONFIG}")
    print(f"  your voice   then open http://{settings.server.http}/ and publish the microphone")
    print("               (its password: admin_password in the configuration)")
    print("  your client  change the endpoint of your RTC client to the same address")
    print()
    print(f"demo: {outcome.slices} slices, {outcome.verified} callbacks verified, in {objects}")
    return 0


def _prepare(directory: Path) -> Settings:
    """Write a configuration with fresh keys; what an earlier demonstration left is removed."""
    config = directory / CONFIG
    if directory.exists():
        if not config.is_file() and any(directory.iterdir()):
            raise DemoFailed(f"{directory} is not of an earlier demo; move it away")
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    http = _free_port(socket.SOCK_STREAM, 8080)
    media = _free_port(socket.SOCK_DGRAM, 50000)
    text = (
        fresh_config()
        .replace("127.0.0.1:8080", f"127.0.0.1:{http}")
        .replace("127.0.0.1:50000", f"127.0.0.1:{media}")
        .replace('"./data"', json.dumps(str(directory / "data")))
    )
    config.touch(mode=0o600)
    config.write_text(text)
    return load(config)


def _free_port(kind: socket.SocketKind, preferred: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _demonstrate(directory: Path, settings: Settings) -> _Outcome:
    app, account = settings.apps[0], settings.accounts[0]
    base_url = f"http://{settings.server.http}"
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        receiver = CallbackReceiver()
        receiver.secret = app.callback_secret
        stack.push_async_callback(receiver.close)
        callback_url = await receiver.start()

        print(f"1. A server starts on {base_url}.", flush=True)
        server = _start_server(directory, callback_url)
        stack.callback(_stop_server, server)
        await asyncio.to_thread(_await_ready, base_url, server)

        print(
            "2. A live job starts: a presenter reads a script aloud (StartSmartLive).", flush=True
        )
        live = LiveClient(
            session,
            base_url,
            settings.projects[0].project_id,
            account.access_key,
            account.secret_key,
        )
        jobs, job = await _start_job(live)
        place = job["rtc_room_info"]
        room_id = place["room_id"]

        print(
            f"3. A slice task is ordered for its room: {DURATION_S} s a slice (StartSegment).",
            flush=True,
        )
        client = SliceClient(session, base_url, account.access_key, account.secret_key)
        task = {"AppId": app.app_id, "RoomId": room_id, "TaskId": "demo"}
        storage = {"Type": 0, "TosConfig": {"AccountId": account.id, "Region": 0, "Bucket": BUCKET}}
        order = {"Duration": DURATION_S, "Control": {"Align": True}, "Identifier": "demo"}
        await client.call("StartSegment", {**task, **order, "StorageConfig": storage})

        print("4. A listener joins over WHEP; slices land while the presenter speaks:", flush=True)
        print(flush=True)
        player = next(user for user in place["users"] if user["user_type"] == "PLAYER")
        listener = Listener(session, f"{base_url}/whep/{app.app_id}/{room_id}", player["signature"])
        stack.push_async_callback(listener.close)
        await listener.start()
        told = asyncio.create_task(_tell(listener))
        stack.callback(told.cancel)

        folder = settings.server.data_dir / "objects"
        for number in range(1, SLICES + 1):
            if number == SLICES:
                # The last period ends without him; on the grid it is as long as the others.
                await asyncio.sleep(DURATION_S / 2)
                await live.call("POST", f"{jobs}/{job['job_id']}/stop")
            async with asyncio.timeout(SLICE_TIMEOUT_S):
                announced = await receiver.slices.get()
            print(_checked_line(announced, folder, receiver), flush=True)
        await client.call("StopSegment", task)
        print()
        print("5. The job was stopped, and the task (StopSmartLive, StopSegment).", flush=True)
        print(
            f"   The listener heard {listener.heard_s:.1f} s at {listener.level_dbfs:.0f} dBFS.",
            flush=True,
        )
        if receiver.refused:
            raise DemoFailed(f"{receiver.refused} callbacks had a wrong signature")
        if not listener.heard_s:
            raise DemoFailed("the listener heard nothing")
        return _Outcome(slices=SLICES, verified=receiver.verified)


async def _start_job(live: LiveClient) -> tuple[str, dict[str, Any]]:
    """Make a live room and start a job in it; return the path of its jobs, and the job."""
    scene = {
        "script_name": "welcome",
        "voice_config": {"voice_asset_id": "en-us"},
        "shoot_scripts": [
            {"sequence_no": 1, "title": "what this is", "text_config": {"text": SCRIPT}}
        ],
    }
    room = await live.call(
        "POST",
        "smart-live-rooms",
        {"room_name": "demo", "scene_scripts": [scene], "play_policy": {"repeat_count": -1}},
    )
    jobs = f"smart-live-rooms/{room['room_id']}/smart-live-jobs"
    return jobs, await live.call("POST", jobs, {})


async def _tell(listener: Listener) -> None:
    """Print what the presenter says, sentence by sentence."""
    async for message in listener.messages():
        if message["message_type"] == "live_progress_notify":
            rest = SCRIPT[int(message["data"]["offset"]) :]
            print(f"       “{rest.partition('. ')[0].rstrip('.')}.”", flush=True)


def _start_server(directory: Path, callback_url: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "AIRSLICE_APPS__0__CALLBACK_URL": callback_url,
        "AIRSLICE_SECURITY__PRIVATE_NETWORKS": '["127.0.0.0/8"]',
    }
    command = [sys.executable, "-m", "airslice", "serve", "--config", str(directory / CONFIG)]
    with (directory / "server.log").open("wb") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def _await_ready(base_url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise DemoFailed(f"the server ended with exit code {server.returncode}")
        try:
            with urllib.request.urlopen(f"{base_url}/readyz", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise DemoFailed(f"the server was not ready within {START_TIMEOUT_S} s")


def _stop_server(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()


def _checked_line(announced: dict[str, Any], objects: Path, receiver: CallbackReceiver) -> str:
    """Look into the file that a callback announced; return a line about it.

    Raises:
        DemoFailed: it is not as long as ordered.
    """
    path = objects / announced["Bucket"] / announced["ObjectKey"]
    with wave.open(str(path)) as file:
        rate, frames = file.getframerate(), file.getnframes()
        pcm = array.array("h", file.readframes(frames))
    if frames != DURATION_S * rate:
        raise DemoFailed(f"{path.name} has {frames} samples, not {DURATION_S * rate}")
    start = time.strftime("%H:%M:%S", time.gmtime(announced["StartTime"] / 1000))
    return (
        f"   {receiver.verified - receiver.slices.qsize():2d}  {start}  {frames / rate:.3f} s"
        f"  {path.stat().st_size:7,d} bytes  {_waveform(pcm)}  callback verified  {path.name}"
    )


def _waveform(pcm: array.array[int], columns: int = 24) -> str:
    """Draw levels: a column is a 24th of the slice, a full bar -6 dBFS."""
    step = max(1, len(pcm) // columns)
    peaks = (max(map(abs, pcm[i : i + step]), default=0) for i in range(0, step * columns, step))
    return "".join(BARS[min(len(BARS) - 1, peak * len(BARS) // 16_384)] for peak in peaks)
