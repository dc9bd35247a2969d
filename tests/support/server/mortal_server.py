"""A server that can be left alone while it starts, and killed at any instant."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.support.server.callback_sink import CallbackSink
from tests.support.server.ports import lasting_port
from tests.support.server.running_server import RunningServer


class MortalServer(RunningServer):
    """`airslice serve`, started without waiting for it."""

    def __init__(
        self, folder: Path, sink: CallbackSink, environment: Mapping[str, str] | None = None
    ) -> None:
        addresses = {
            "AIRSLICE_SERVER__HTTP": f"127.0.0.1:{lasting_port()}",
            "AIRSLICE_SERVER__MEDIA": f"127.0.0.1:{lasting_port(socket.SOCK_DGRAM)}",
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

    def launch(self, *, environment: Mapping[str, str] | None = None) -> None:
        """Start the process; `environment` is of this start alone."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airslice", "serve", "--config", str(self._config)],
                env={**os.environ, **self._environment, **(environment or {})},
                stdout=log,
                stderr=log,
            )

    async def ready(self, http: httpx.AsyncClient, *, timeout_s: float = 30) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + timeout_s
        while True:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, "the server does not become ready"
            try:
                if (await http.get(f"{self.base_url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)

    def end(self) -> None:
        """Kill it if it runs."""
        if self._process is not None:
            self.kill()
