from __future__ import annotations

import re
import socket
from dataclasses import replace
from pathlib import Path

from airslice.config import Address, Settings
from airslice.wiring import running
from tests.support.server.in_process import client_of


async def test_metrics_can_have_an_address_of_their_own(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        metrics = Address(*free.getsockname())
    settings = replace(settings, server=replace(settings.server, metrics=metrics))

    async with running(settings) as server, client_of(server) as http:
        assert (await http.get("/metrics")).status_code == 404
        response = await http.get(f"http://{metrics}/metrics")

    assert "airslice_sessions 0.0" in response.text


async def test_the_document_lists_every_metric(settings: Settings) -> None:
    document = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    rows = [line.split("|")[1] for line in document.splitlines() if line.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    async with running(settings) as server, client_of(server) as http:
        lines = (await http.get("/metrics")).text.splitlines()

    shown = [line.split()[0].removeprefix("airslice_") for line in lines if line[0] != "#"]
    assert sorted(listed) == sorted(shown)
