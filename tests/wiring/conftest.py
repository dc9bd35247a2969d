"""Fixtures of the wiring's tests: a configuration, and the parts of a server that it makes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from airslice.config import Address, Settings, load
from airslice.wiring.backend import Backend
from airslice.wiring.delivery import open_delivery
from airslice.wiring.environment import Environment
from airslice.wiring.rooms import open_rooms
from airslice.wiring.slicing import open_slicing
from airslice.wiring.storage import open_storage
from tests.support.server.in_process import CONFIG


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    config = tmp_path / "airslice.toml"
    config.write_text(CONFIG)
    return load(config, {"AIRSLICE_SERVER__DATA_DIR": str(tmp_path / "data")})


@pytest.fixture
def taken() -> Iterator[Address]:
    """An address that somebody else uses, for TCP as for UDP."""
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        address = Address(*tcp.getsockname())
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.bind(address)
            yield address


@pytest.fixture
async def backend(settings: Settings) -> AsyncIterator[Backend]:
    """Everything behind the façades, opened but not at work."""
    settings.server.data_dir.mkdir()
    environment = Environment.of(settings)
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        storage = await start(open_storage(environment))
        delivery = await start(open_delivery(environment, storage))
        slicing = await start(open_slicing(environment, storage, delivery))
        rooms = await start(open_rooms(environment, storage, delivery, slicing))
        yield Backend(environment, storage, delivery, slicing, rooms)
