"""The servers that are measured, each a process of its own on free ports of this machine."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

import aiohttp

from airslice.config import Settings, fresh_config, load
from airslice.demo.client import LiveClient, SliceClient
from airslice.demo.receiver import CallbackReceiver
from airslice.domain import room_token
from airslice.domain.room_token import Privilege
from benchmarks.support.load import Place

STREAMS_PER_ROOM = 15
"""A task takes at most 17."""

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 60
TOKEN_S = 86_400


JITTER_BUFFER_PACKETS = 16
"""What aiortc may still hold of a stream when the load ends."""


class SpawnedServer(ABC):
    """A process with an HTTP address, from `async with` to its end."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.base_url = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession()
        command, environment = await self.command()
        with (self.directory / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, env={**os.environ, **environment}, stdout=log, stderr=log
            )
        try:
            await self._ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the process; it may finish what it has."""
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.process.wait, STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        await self.http.close()

    @abstractmethod
    async def command(self) -> tuple[list[str], dict[str, str]]:
        """Return what to start, and the environment variables to add."""

    @abstractmethod
    async def prepare(self, publishers: int) -> list[Place]:
        """Order what is to be done with their audio; return where they publish."""

    @abstractmethod
    async def lost_frames(self, sent: int, publishers: int) -> int:
        """How many of the `sent` frames of 20 ms have not come through."""

    async def reading(self, name: str) -> int:
        """Return one figure of the server's metrics."""
        async with self.http.get(f"{self.base_url}/metrics") as response:
            found = re.search(rf"^{name} (\S+)$", await response.text(), re.MULTILINE)
        if found is None:
            raise RuntimeError(f"the server has no metric {name}")
        return int(float(found[1]))

    async def _ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                async with self.http.get(f"{self.base_url}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
        log = (self.directory / "server.log").read_text()
        raise RuntimeError(f"the server did not start:\n{log}")


class AirsliceServer(SpawnedServer):
    """airslice as it is run: HTTP, database, spool, local objects, signed callbacks."""

    def __init__(
        self, directory: Path, slice_format: str, slice_s: int, *, journal: bool = True
    ) -> None:
        super().__init__(directory)
        self._journal = journal
        self.callbacks = CallbackReceiver()
        self._slice_format = slice_format
        self._slice_s = slice_s
        config = directory / "airslice.toml"
        config.write_text(fresh_config())
        self._settings: Settings = load(config)

    async def command(self) -> tuple[list[str], dict[str, str]]:
        """See `SpawnedServer`."""
        self.callbacks.secret = self._settings.apps[0].callback_secret
        environment = {
            "AIRSLICE_SERVER__HTTP": self.base_url.removeprefix("http://"),
            "AIRSLICE_SERVER__MEDIA": f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
            "AIRSLICE_SERVER__DATA_DIR": str(self.directory / "data"),
            "AIRSLICE_SERVER__JOURNAL": str(self._journal).lower(),
            "AIRSLICE_SERVER__MAX_STREAMS": "10000",
            "AIRSLICE_SERVER__MAX_TASKS": "10000",
            "AIRSLICE_APPS__0__SLICE_FORMAT": self._slice_format,
            "AIRSLICE_APPS__0__CALLBACK_URL": await self.callbacks.start(),
            "AIRSLICE_SECURITY__PRIVATE_NETWORKS": '["127.0.0.0/8"]',
        }
        config = str(self.directory / "airslice.toml")
        return [sys.executable, "-m", "airslice", "serve", "--config", config], environment

    async def close(self) -> None:
        """See `SpawnedServer`."""
        await super().close()
        await self.callbacks.close()

    async def prepare(self, publishers: int) -> list[Place]:
        """See `SpawnedServer`: one task per room."""
        rooms = -(-publishers // STREAMS_PER_ROOM)
        for room in range(rooms):
            await self.order_slices(f"room{room}")
        app_id = self._settings.apps[0].app_id
        return [
            Place(
                f"{self.base_url}/whip/{app_id}/room{number % rooms}",
                self._token(f"room{number % rooms}", f"user{number}"),
            )
            for number in range(publishers)
        ]

    async def order_slices(self, room_id: str) -> None:
        """Start a slice task for a room."""
        account, app = self._settings.accounts[0], self._settings.apps[0]
        client = SliceClient(self.http, self.base_url, account.access_key, account.secret_key)
        tos = {"AccountId": account.id, "Region": 0, "Bucket": "benchmark"}
        order: dict[str, Any] = {
            "AppId": app.app_id,
            "RoomId": room_id,
            "TaskId": "task",
            "Duration": self._slice_s,
            "StorageConfig": {"Type": 0, "TosConfig": tos},
        }
        await client.call("StartSegment", order)

    def live_client(self) -> LiveClient:
        """Return a client of the smart live API."""
        account, project = self._settings.accounts[0], self._settings.projects[0]
        return LiveClient(
            self.http, self.base_url, account.access_key, account.secret_key, project.project_id
        )

    async def lost_frames(self, sent: int, publishers: int) -> int:
        """See `SpawnedServer`."""
        return await self.reading("airslice_lost_packets")

    def _token(self, room_id: str, user_id: str) -> str:
        app = self._settings.apps[0]
        now_s = int(time.time())
        return room_token.mint(
            room_token.RoomClaims(
                room_id=room_id,
                user_id=user_id,
                privileges={Privilege.PUBLISH_STREAM: now_s + TOKEN_S},
                issued_at_s=now_s,
                expires_at_s=now_s + TOKEN_S,
            ),
            app_id=app.app_id,
            app_key=app.app_key,
            nonce=secrets.randbits(32),
        )


class AiortcServer(SpawnedServer):
    """The peer, see `benchmarks.support.peer`."""

    def __init__(self, directory: Path, slice_s: int) -> None:
        super().__init__(directory)
        self._slice_s = slice_s

    async def command(self) -> tuple[list[str], dict[str, str]]:
        """See `SpawnedServer`."""
        module = [sys.executable, "-m", "benchmarks.support.peer"]
        port = self.base_url.rpartition(":")[2]
        files = ["--directory", str(self.directory), "--slice-seconds", str(self._slice_s)]
        return [*module, "--port", port, *files], {}

    async def prepare(self, publishers: int) -> list[Place]:
        """See `SpawnedServer`: it has neither rooms nor tasks."""
        return [Place(f"{self.base_url}/whip/any/room", "none")] * publishers

    async def lost_frames(self, sent: int, publishers: int) -> int:
        """See `SpawnedServer`."""
        return max(0, sent - await self.reading("frames") - publishers * JITTER_BUFFER_PACKETS)


def free_port(kind: socket.SocketKind) -> int:
    """Return a port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
