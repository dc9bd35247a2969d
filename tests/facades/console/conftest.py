"""The console in front of stand-ins, and a client on the same machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from airslice.domain.room import StreamKey, StreamType
from airslice.facades.console.access import AdminAccess
from airslice.facades.console.facade import ConsoleFacade
from tests.support.clock import HandClock
from tests.support.stages.console_stand_ins import Connect, Tasks, services

MASTER_KEY = bytes(32)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tasks() -> Tasks:
    return Tasks()


@pytest.fixture
def connect(clock: HandClock, tasks: Tasks) -> Connect:
    """Return a function that makes a client of a console, by password and peer address."""
    consoles: dict[str | None, Starlette] = {}

    def connect(
        *, password: str | None = None, peer: str = "127.0.0.1", host: str = "localhost"
    ) -> httpx.AsyncClient:
        if password not in consoles:
            access = AdminAccess(password=password, master_key=MASTER_KEY, clock=clock)
            streams = [StreamKey("alice"), StreamKey("alice", StreamType.SCREEN)]
            consoles[password] = Starlette(
                routes=ConsoleFacade(services(tasks, streams), access).routes()
            )
        transport = httpx.ASGITransport(consoles[password], client=(peer, 50_000))
        return httpx.AsyncClient(transport=transport, base_url=f"http://{host}:8080")

    return connect


@pytest.fixture
async def client(connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    """A client on this machine, of a console without a password."""
    async with connect() as client:
        yield client
