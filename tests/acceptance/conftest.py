"""One server for all tests that do no harm to it, and others of their own for the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clients.slicing_client import SlicingClient, order_slicing
from tests.support.server.callback_sink import CallbackSink
from tests.support.server.running_server import RunningServer
from tests.support.stages.publishing_stage import PublishingStage
from tests.support.waiting import PATIENCE_S


@pytest.fixture(scope="session")
def sink() -> Iterator[CallbackSink]:
    """Takes the callbacks of all servers; every signature must have been right."""
    sink = CallbackSink()
    yield sink
    sink.close()
    assert not sink.problems


@pytest.fixture(scope="session")
def make_server(
    sink: CallbackSink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RunningServer]]:
    """Starts a server; all are closed at the end."""
    with ExitStack() as stack:

        def make(**environment: str) -> RunningServer:
            server = RunningServer(tmp_path_factory.mktemp("server"), sink.url, environment)
            sink.secrets |= {app.app_id: app.callback_secret for app in server.apps.values()}
            server.start()
            stack.callback(server.close)
            return server

        yield make


@pytest.fixture(scope="session")
def server(make_server: Callable[..., RunningServer]) -> RunningServer:
    """The server that tests share: each has rooms of its own."""
    return make_server()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Talks HTTP."""
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture
def client(server: RunningServer, http: httpx.AsyncClient) -> SlicingClient:
    """Signs requests to the shared server."""
    return SlicingClient(server, http)


@pytest.fixture
def order(client: SlicingClient, sink: CallbackSink, server: RunningServer) -> Any:
    """Starts a task on the shared server: `await order(room=…, **fields)`."""
    return partial(order_slicing, client, sink, server)


@pytest.fixture
async def stage(server: RunningServer, http: httpx.AsyncClient) -> AsyncIterator[PublishingStage]:
    """Publishers of the shared server."""
    stage = PublishingStage(server, http)
    yield stage
    await stage.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where browsers leave pictures, for whoever wants to look."""
    folder = Path("/tmp/airslice-screenshots")
    folder.mkdir(exist_ok=True)
    return folder
