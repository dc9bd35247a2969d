"""How long the fault tests are, and what they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.support.server.callback_sink import CallbackSink
from tests.support.server.fault_lengths import IS_LONG, KILLS
from tests.support.server.mortal_server import MortalServer
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def kills() -> int:
    """How often the server is killed."""
    return KILLS


@pytest.fixture
def is_long() -> bool:
    """Whether the long forms run."""
    return IS_LONG


@pytest.fixture
def sink() -> Iterator[CallbackSink]:
    """Takes callbacks; every signature must have been right."""
    sink = CallbackSink()
    yield sink
    sink.close()
    assert not sink.problems


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Talks HTTP."""
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture
def make_server(tmp_path: Path, sink: CallbackSink) -> Iterator[Callable[..., MortalServer]]:
    """Configures a server in a folder of its own; what still runs at the end is killed."""
    with ExitStack() as stack:

        def make(folder: Path = tmp_path / "server", **environment: str) -> MortalServer:
            folder.mkdir(exist_ok=True)
            server = MortalServer(folder, sink, environment)
            stack.callback(server.end)
            return server

        yield make
