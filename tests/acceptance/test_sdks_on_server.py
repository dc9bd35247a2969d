"""The vendor's own SDKs against a whole server, with nothing changed but the endpoint."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

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
from tests.support.server.running_server import RunningServer

PythonClient = type[UniversalClient | ServiceClient]


@pytest.fixture(scope="module")
def target(server: RunningServer) -> Target:
    account = server.settings.accounts[0]
    return Target(
        host=server.host,
        access_key=account.access_key,
        secret_key=account.secret_key,
        app_id=server.apps["wav"].app_id,
    )


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
def test_python_sdks_run_a_task_on_a_server(
    target: Target, client: PythonClient, version: str
) -> None:
    life_of_a_task(client(target), target, version)


@pytest.mark.parametrize("client", [UniversalClient, ServiceClient])
def test_python_sdks_are_told_every_mistake_by_a_server(
    target: Target, client: PythonClient
) -> None:
    refusals(client, target)


def test_the_oldest_version_starts_updates_and_stops_on_a_server(target: Target) -> None:
    client, version = UniversalClient(target), "2020-12-01"
    body = start_body(target.app_id)
    del body["StorageConfig"]
    body["TosConfig"] = {
        "UserAccountId": "2100000000",
        "Region": "cn-beijing",
        "EndPoint": "tos-s3-cn-beijing.volces.com",
        "Bucket": "moderation",
    }
    key = {name: body[name] for name in ("AppId", "RoomId", "TaskId")}

    assert client.call("POST", "StartSegment", version, body) == "ok"
    assert client.call("POST", "UpdateSegment", version, {**key, "Identifier": "x"}) == "ok"
    assert client.call("POST", "StopSegment", version, key) == "ok"


@pytest.mark.parametrize("version", ["2022-06-01", "2023-11-01"])
def test_the_node_sdk_runs_a_task_on_a_server(
    target: Target, node_modules: Path, version: str
) -> None:
    life_of_a_task(NodeClient(target, node_modules), target, version)


def test_the_node_sdk_is_told_every_mistake_by_a_server(target: Target, node_modules: Path) -> None:
    refusals(partial(NodeClient, modules=node_modules), target)
