"""The vendor's own SDKs against the façade on a real socket."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import uvicorn

from tests.support.clients.sdk_scenarios import (
    NodeClient,
    ServiceClient,
    Target,
    UniversalClient,
    install_node_sdk,
    life_of_a_task,
    refusals,
    start_body,
)
from tests.support.clients.wire_client import authorization
from tests.support.stages.volcengine_stage import VolcengineStage
from tests.support.values.wire_accounts import ACCOUNTS, OWNERS


class MachineClock:
    """The machine's clocks: SDKs sign with the time of day."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        return time.time_ns()


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """A façade over stand-ins, served by uvicorn in a thread."""
    facade = VolcengineStage(MachineClock()).facade
    server = uvicorn.Server(uvicorn.Config(facade, ws="none", lifespan="off", log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        port = listener.getsockname()[1]
        yield Target(
            host=f"127.0.0.1:{port}",
            access_key=ACCOUNTS[0].access_key,
            secret_key=ACCOUNTS[0].secret_key,
            app_id=next(iter(OWNERS)),
        )
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Node.js SDK, from the registry."""
    try:
        return install_node_sdk(tmp_path_factory.mktemp("node"))
    except RuntimeError as missing:
        if "CI" in os.environ:
            raise
        pytest.skip(str(missing))


@pytest.mark.parametrize("version", ["2022-06-01", "2023-11-01"])
@pytest.mark.parametrize("client", [UniversalClient, ServiceClient])
def test_python_sdks_run_a_task(
    target: Target, client: type[UniversalClient | ServiceClient], version: str
) -> None:
    life_of_a_task(client(target), target, version)


@pytest.mark.parametrize("client", [UniversalClient, ServiceClient])
def test_python_sdks_show_every_mistake(
    target: Target, client: type[UniversalClient | ServiceClient]
) -> None:
    refusals(client, target)


def test_the_universal_client_may_send_forms(target: Target) -> None:
    client = UniversalClient(target)
    client.content_type = "application/x-www-form-urlencoded"

    assert client.call("POST", "StartSegment", "2023-11-01", start_body(target.app_id)) == "ok"


def test_the_node_sdk_runs_a_task(target: Target, node_modules: Path) -> None:
    life_of_a_task(NodeClient(target, node_modules), target)


def test_the_node_sdk_shows_every_mistake(target: Target, node_modules: Path) -> None:
    refusals(partial(NodeClient, modules=node_modules), target)


def test_a_chunked_body_is_read_as_the_go_sdk_sends_it(target: Target) -> None:
    body = b'{"AppId":"661e0000000000000005543c","RoomId":"Room1","TaskId":"Task1"}'
    date = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    query = {"Action": "StopSegment", "Version": "2023-11-01"}
    signed = authorization(
        method="POST",
        query=query,
        date=date,
        body=body,
        keys=(target.access_key, target.secret_key),
    )
    connection = http.client.HTTPConnection(target.host, timeout=60)

    connection.request(
        "POST",
        "/?Action=StopSegment&Version=2023-11-01",
        body=iter([body[:10], body[10:]]),
        headers={"X-Date": date, "Authorization": signed, "Transfer-Encoding": "chunked"},
        encode_chunked=True,
    )
    answer = connection.getresponse().read()
    connection.close()

    assert b"ErrorActiveTaskNotFound" in answer
