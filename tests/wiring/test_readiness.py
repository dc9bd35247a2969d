"""What `/readyz` says while the whole server starts, and while its disk fails."""

from __future__ import annotations

import asyncio
import base64
import errno
import os
import socket
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from airslice.config import Address, Settings, load
from airslice.wiring import running
from airslice.wiring import server as server_module
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    config = tmp_path / "airslice.toml"
    config.write_text(
        f"""
[server]
http = "127.0.0.1:0"
media = "127.0.0.1:0"
master_key = "{base64.b64encode(bytes(32)).decode()}"
"""
    )
    return load(config, {"AIRSLICE_SERVER__DATA_DIR": str(tmp_path / "data")})


def on_a_free_port(settings: Settings) -> Settings:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = Address("127.0.0.1", probe.getsockname()[1])
    return replace(settings, server=replace(settings.server, http=address))


async def test_a_server_that_is_starting_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovering, recovered = asyncio.Event(), asyncio.Event()

    async def recover(*_: object) -> None:
        recovering.set()
        await recovered.wait()

    monkeypatch.setattr(server_module, "recover", recover)
    settings = on_a_free_port(settings)
    ready = asyncio.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        async with running(settings):
            ready.set()
            await stop.wait()

    async with httpx.AsyncClient(
        base_url=f"http://{settings.server.http}", timeout=PATIENCE_S
    ) as http:
        serving = asyncio.create_task(serve())
        await recovering.wait()
        starting = [
            await http.get(path) for path in ("/readyz", "/healthz", "/?Action=X", "/whip/a/b")
        ]
        recovered.set()
        await ready.wait()
        started = await http.get("/readyz")
    stop.set()
    await serving

    assert [(answer.status_code, answer.text) for answer in starting] == [
        (503, "starting\n"),
        (200, "ok\n"),
        (503, "starting\n"),
        (503, "starting\n"),
    ]
    assert (started.status_code, started.text) == (200, "ready\n")


async def test_a_server_whose_journal_fails_says_so_until_it_is_written_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with (
        running(settings) as server,
        httpx.AsyncClient(base_url=f"http://{server.http}", timeout=PATIENCE_S) as http,
    ):

        async def until_ready(ready: bool) -> httpx.Response:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    answer = await http.get("/readyz")
                    if (answer.status_code == 200) == ready:
                        return answer
                    await asyncio.sleep(0.05)

        await until_ready(True)
        with monkeypatch.context() as patched:
            patched.setattr("airslice.storage.journal._write_at", full)
            refused = await until_ready(False)
            metrics = (await http.get("/metrics")).text
        await until_ready(True)

    assert refused.status_code == 503
    assert refused.text.startswith("the journal cannot be written")
    assert "airslice_journal_failing 1.0" in metrics
