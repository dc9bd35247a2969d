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
from airslice.demo.client import LiveClient, SliceClient
from airslice.demo.listener import Listener
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
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        receiver = CallbackReceiver()
        receiver.secret = settings.apps[0].callback_secret
        stack.push_async_callback(receiver.close)
        callback_url = await receiver.start()

        _say(f"1. A server starts on http://{settings.server.http}.")
        server = _start_server(directory, callback_url)
        stack.callback(_stop_server, server)
        await asyncio.to_thread(_await_ready, f"http://{settings.server.http}", server)

        parties = _Parties(settings, session)
        _say("2. A live job starts: a presenter reads a script aloud (StartSmartLive).")
        await parties.start_job()
        _say(f"3. A slice task is ordered for its room: {DURATION_S} s a slice (StartSegment).")
        await parties.order_slices()
        _say("4. A listener joins over WHEP; slices land while the presenter speaks:")
        _say()
        listener = await parties.listen(stack)
        folder = settings.server.data_dir / "objects"
        for _ in range(SLICES - 1):
            await _show_slice(receiver, folder)
        # The last period ends without him; on the grid it is as long as the others.
        await asyncio.sleep(DURATION_S / 2)
        await parties.stop_job()
        await _show_slice(receiver, folder)
        await parties.stop_slices()
        _say()
        _say("5. The job was stopped, and the task (StopSmartLive, StopSegment).")
        _say(f"   The listener heard {listener.heard_s:.1f} s at {listener.level_dbfs:.0f} dBFS.")
        if receiver.refused:
            raise DemoFailed(f"{receiver.refused} callbacks had a wrong signature")
        if not listener.heard_s:
            raise DemoFailed("the listener heard nothing")
        return _Outcome(slices=SLICES, verified=receiver.verified)


class _Parties:
    """A customer of both clouds' APIs, and whoever listens."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._app_id = settings.apps[0].app_id
        self._account = account = settings.accounts[0]
        self._session = session
        self._base_url = f"http://{settings.server.http}"
        keys = account.access_key, account.secret_key
        self._slicing = SliceClient(session, self._base_url, *keys)
        project_id = settings.projects[0].project_id
        self._live = LiveClient(session, self._base_url, *keys, project_id)
        self._job = ""  # its path
        self._place: dict[str, Any] = {}  # its RTC room

    async def start_job(self) -> None:
        """Make a live room and start a job in it."""
        text = {"sequence_no": 1, "title": "what this is", "text_config": {"text": SCRIPT}}
        voice = {"voice_asset_id": "en-us"}
        scene = {"script_name": "welcome", "voice_config": voice, "shoot_scripts": [text]}
        policy = {"repeat_count": -1}
        draft = {"room_name": "demo", "scene_scripts": [scene], "play_policy": policy}
        room = await self._live.call("POST", "smart-live-rooms", draft)
        jobs = f"smart-live-rooms/{room['room_id']}/smart-live-jobs"
        job = await self._live.call("POST", jobs, {})
        self._job = f"{jobs}/{job['job_id']}"
        self._place = job["rtc_room_info"]

    async def stop_job(self) -> None:
        """End the job."""
        await self._live.call("POST", f"{self._job}/stop")

    async def order_slices(self) -> None:
        """Start a slice task for the job's room."""
        tos = {"AccountId": self._account.id, "Region": 0, "Bucket": BUCKET}
        order = {
            "Duration": DURATION_S,
            "Control": {"Align": True},
            "Identifier": "demo",
            "StorageConfig": {"Type": 0, "TosConfig": tos},
        }
        await self._slicing.call("StartSegment", {**self._task, **order})

    async def stop_slices(self) -> None:
        """End the slice task."""
        await self._slicing.call("StopSegment", self._task)

    async def listen(self, stack: AsyncExitStack) -> Listener:
        """Let a listener join until `stack` is closed, and print what the presenter tells him."""
        users = self._place["users"]
        token = next(user["signature"] for user in users if user["user_type"] == "PLAYER")
        endpoint = f"{self._base_url}/whep/{self._app_id}/{self._place['room_id']}"
        listener = Listener(self._session, endpoint, token)
        stack.push_async_callback(listener.close)
        await listener.start()
        stack.callback(asyncio.create_task(_tell(listener)).cancel)
        return listener

    @property
    def _task(self) -> dict[str, str]:
        return {"AppId": self._app_id, "RoomId": self._place["room_id"], "TaskId": "demo"}


async def _tell(listener: Listener) -> None:
    """Print what the presenter says, sentence by sentence."""
    async for message in listener.messages():
        if message["message_type"] == "live_progress_notify":
            rest = SCRIPT[int(message["data"]["offset"]) :]
            _say(f"       “{rest.partition('. ')[0].rstrip('.')}.”")


async def _show_slice(receiver: CallbackReceiver, folder: Path) -> None:
    """Wait for the next slice; look into it and print a line."""
    async with asyncio.timeout(SLICE_TIMEOUT_S):
        announced = await receiver.slices.get()
    _say(_checked_line(announced, folder, receiver))


def _say(line: str = "") -> None:
    print(line, flush=True)


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
