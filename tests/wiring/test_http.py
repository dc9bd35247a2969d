from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse

from airslice.config import Address, ConfigError
from airslice.wiring.http import Gate, start_http

FREE = Address("127.0.0.1", 0)


async def test_a_gate_answers_until_it_is_opened() -> None:
    gate = Gate()
    server = await start_http("server.http", FREE, gate)
    async with httpx.AsyncClient(base_url=f"http://{server.address}", trust_env=False) as http:
        healthy, ready = await http.get("/healthz"), await http.get("/readyz")
        gate.open(PlainTextResponse("open"))
        opened = await http.get("/readyz")
    await server.close()

    assert (healthy.status_code, healthy.text) == (200, "ok\n")
    assert (ready.status_code, ready.text, ready.headers["Retry-After"]) == (503, "starting\n", "1")
    assert opened.text == "open"


async def test_an_address_in_use_is_named_by_its_setting(taken: Address) -> None:
    with pytest.raises(ConfigError, match=rf"server\.metrics: {taken} cannot be bound"):
        await start_http("server.metrics", taken, Gate())


async def test_a_closed_server_has_let_its_port_go_and_may_be_closed_again() -> None:
    server = await start_http("server.http", FREE, Gate())
    await server.close()
    await server.close()

    with pytest.raises(ConnectionError):
        await asyncio.open_connection(*server.address)
    again = await start_http("server.http", server.address, Gate())
    assert again.address == server.address
    await again.close()
