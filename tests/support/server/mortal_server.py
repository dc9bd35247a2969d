"""A server that can be left alone while it starts, and killed at any instant."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.support.server.callback_sink import CallbackSink
from tests.support.server.ports import free_port
from tests.support.server.running_server import RunningServer
from tests.support.waiting import PATIENCE_S


class MortalServer(RunningServer):
    """`airslice serve`, started without waiting for it."""

    def __init__(
        self, folder: Path, sink: CallbackSink, environment: Mapping[str, str] | None = None
    ) -> None:
        addresses = {
            "AIRSLICE_SERVER__HTTP": f"127.0.0.1:{free_port()}",
            "AIRSLICE_SERVER__MEDIA": f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        }
        super().__init__(folder, sink.url, {**addresses, **(environment or {})})
        self.bucket_folder: Path | None = None
        """Where its objects are, if they are not in its own store."""
        sink.secrets |= {app.app_id: app.callback_secret for app in self.apps.values()}

    def object_path(self, bucket: str, key: str) -> Path:
        """Where an object is kept."""
        if self.bucket_folder is not None:
            return self.bucket_folder / bucket / key
        return super().object_path(bucket, key)

    async def ready(self, http: httpx.AsyncClient) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self._answers(http):
                assert self.process.poll() is None, self.log
                await asyncio.sleep(0.02)

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.base_url}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    def end(self) -> None:
        """Kill it if it runs."""
        if self._process is not None:
            self.kill()
