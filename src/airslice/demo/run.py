"""The demonstration, step by step, on a terminal."""

from __future__ import annotations

import array
import asyncio
import json
import os
import secrets
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
from airslice.demo.publisher import Publisher
from airslice.demo.receiver import CallbackReceiver
from airslice.domain import room_token
from airslice.domain.room_token import Privilege

ROOM = "demo"
USER = "alice"
BUCKET = "demo"
DURATION_S = 4
SLICES = 6
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
            f"2. A task is ordered with a signed StartSegment: {DURATION_S} s a slice.", flush=True
        )
        client = SliceClient(session, base_url, account.access_key, account.secret_key)
        task = {"AppId": app.app_id, "RoomId": ROOM, "TaskId": "demo"}
        storage = {"Type": 0, "TosConfig": {"AccountId": account.id, "Region": 0, "Bucket": BUCKET}}
        order = {"Duration": DURATION_S, "Control": {"Align": True}, "Identifier": "demo"}
        await client.call("StartSegment", {**task, **order, "StorageConfig": storage})

        print(f"3. {USER} publishes over WebRTC into room {ROOM!r}; slices land as he speaks:")
        print(flush=True)
        token = _token(app.app_id, app.app_key)
        publisher = Publisher(session, f"{base_url}/whip/{app.app_id}/{ROOM}", token)
        stack.push_async_callback(publisher.close)
        await publisher.start()
        folder = settings.server.data_dir / "objects"
        for _ in range(SLICES):
            async with asyncio.timeout(SLICE_TIMEOUT_S):
                announced = await receiver.slices.get()
            print(_checked_line(announced, folder, receiver), flush=True)
        slices = SLICES
        await publisher.close()
        # The last period ends without him; on the grid its slice is as long as the others.
        async with asyncio.timeout(SLICE_TIMEOUT_S):
            announced = await receiver.slices.get()
        print(_checked_line(announced, folder, receiver), flush=True)
        slices += 1

        await client.call("StopSegment", task)
        print()
        print("4. He left, the task was stopped with StopSegment.", flush=True)
        if receiver.refused:
            raise DemoFailed(f"{receiver.refused} callbacks had a wrong signature")
        return _Outcome(slices=slices, verified=receiver.verified)


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


def _token(app_id: str, app_key: str) -> str:
    now_s = int(time.time())
    return room_token.mint(
        app_id=app_id,
        app_key=app_key,
        room_id=ROOM,
        user_id=USER,
        privileges={Privilege.PUBLISH_STREAM: now_s + 600},
        issued_at_s=now_s,
        expires_at_s=now_s + 600,
        nonce=secrets.randbits(32),
    )


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
