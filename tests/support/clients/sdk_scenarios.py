"""What a user of the vendor's SDKs does, with the real SDKs, unmodified, against any server.

Each scenario takes a client and nothing of the server's insides, so that it runs the same against
a façade in this process and against a whole server.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from volcengine.ApiInfo import ApiInfo
from volcengine.base.Service import Service
from volcengine.Credentials import Credentials
from volcengine.ServiceInfo import ServiceInfo
from volcenginesdkcore import ApiClient, Configuration, UniversalApi, UniversalInfo
from volcenginesdkcore.rest import ApiException

from tests.support.waiting import PATIENCE_S

NODE_SDK = "@volcengine/openapi@1.36.2"
ALREADY_STARTED = (
    "The task has been started. Please do not call the startup task interface repeatedly"
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A server and what it is configured with."""

    host: str
    """Host and port; plain HTTP."""
    access_key: str
    secret_key: str
    app_id: str
    """Belongs to the keys' account."""


class ApiFailure(Exception):
    """An error as an SDK shows it; `status` is None where it shows none."""

    def __init__(self, status: int | None, error: dict[str, Any]) -> None:
        super().__init__(f"{status} {error}")
        self.status = status
        self.code: str = error["Code"]
        self.message: str = error["Message"]


class SdkClient(Protocol):
    """One SDK, set up for one server."""

    def call(self, method: str, action: str, version: str, params: dict[str, Any]) -> Any:
        """Return the Result.

        Raises:
            ApiFailure: the SDK shows an error.
        """


class UniversalClient:
    """volcengine-python-sdk, `UniversalApi`."""

    def __init__(self, target: Target) -> None:
        configuration = Configuration()
        configuration.host = target.host
        configuration.scheme = "http"
        configuration.ak = target.access_key
        configuration.sk = target.secret_key
        configuration.region = "cn-north-1"
        self._api = UniversalApi(ApiClient(configuration))
        self.content_type: str | None = "application/json"

    def call(self, method: str, action: str, version: str, params: dict[str, Any]) -> Any:
        info = UniversalInfo(
            method=method,
            service="rtc",
            version=version,
            action=action,
            content_type=self.content_type,
        )
        try:
            return self._api.do_call(info, params)
        except ApiException as failure:
            body = json.loads(failure.body)
            raise ApiFailure(failure.status, body["ResponseMetadata"]["Error"]) from failure


class ServiceClient:
    """volcengine, `Service`."""

    def __init__(self, target: Target) -> None:
        credentials = Credentials(target.access_key, target.secret_key, "rtc", "cn-north-1")
        info = ServiceInfo(
            target.host, {"Accept": "application/json"}, credentials, PATIENCE_S, PATIENCE_S, "http"
        )
        self._service = Service(info, {})
        # A developer's own ~/.volc or environment would win otherwise.
        self._service.set_ak(target.access_key)
        self._service.set_sk(target.secret_key)

    def call(self, method: str, action: str, version: str, params: dict[str, Any]) -> Any:
        query = {"Action": action, "Version": version}
        self._service.api_info[action] = ApiInfo(method, "/", query, {}, {})
        try:
            if method == "GET":
                text = self._service.get(action, params)
            else:
                text = self._service.json(action, {}, json.dumps(params))
        except Exception as failure:
            body = json.loads(failure.args[0])
            raise ApiFailure(None, body["ResponseMetadata"]["Error"]) from failure
        return json.loads(text)["Result"]


class NodeClient:
    """@volcengine/openapi, `Service`; the package is in `modules`, see `install_node_sdk`."""

    def __init__(self, target: Target, modules: Path) -> None:
        self._target = target
        self._environment = {**os.environ, "NODE_PATH": str(modules)}

    def call(self, method: str, action: str, version: str, params: dict[str, Any]) -> Any:
        request = {
            "host": self._target.host,
            "accessKeyId": self._target.access_key,
            "secretKey": self._target.secret_key,
            "method": method,
            "action": action,
            "version": version,
            "params": params,
        }
        done = subprocess.run(
            ["node", str(Path(__file__).with_name("node_client.js"))],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
            env=self._environment,
        )
        body = json.loads(done.stdout)
        if "Error" in body["ResponseMetadata"]:
            raise ApiFailure(None, body["ResponseMetadata"]["Error"])
        return body["Result"]


def install_node_sdk(folder: Path) -> Path:
    """Install the pinned package into `folder`; return where its modules are.

    Raises:
        RuntimeError: there is no Node.js, no npm, or no registry.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise RuntimeError("node and npm are not installed")
    command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit"]
    done = subprocess.run(
        [*command, "--no-fund", "--no-save", NODE_SDK],
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * PATIENCE_S,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm cannot install {NODE_SDK}: {done.stderr[-500:]}")
    return folder / "node_modules"


def start_body(app_id: str, **fields: Any) -> dict[str, Any]:
    """A StartSegment body for a fresh room and task."""
    return {
        "AppId": app_id,
        "RoomId": f"room-{uuid.uuid4()}",
        "TaskId": f"task.{uuid.uuid4()}@x",
        "Duration": 20,
        "TargetStreams": {"StreamList": [{"Index": 0, "UserId": "user1", "StreamType": 0}]},
        "StorageConfig": {
            "Type": 0,
            "TosConfig": {"AccountId": "2100000000", "Region": 0, "Bucket": "moderation"},
        },
        "Control": {"Align": True, "Mixed": True, "RedundantDuration": 2, "IgnoreSilence": True},
        "Identifier": "first",
        **fields,
    }


def life_of_a_task(client: SdkClient, target: Target, version: str = "2023-11-01") -> None:
    """Start, start again, look, update, look, stop, and look until it has ended."""
    body = start_body(target.app_id)
    key = {name: body[name] for name in ("AppId", "RoomId", "TaskId")}

    assert client.call("POST", "StartSegment", version, body) == "ok"
    assert client.call("POST", "StartSegment", version, body) == ALREADY_STARTED

    task = client.call("GET", "GetSegmentTask", version, key)["SegmentTask"]
    assert task["Status"] in (1, 2)
    assert (task["StopReason"], task["EndTime"]) == ("", 0)
    assert abs(task["StartTime"] / 1000 - time.time()) < 60
    for name in ("Duration", "TargetStreams", "Control", "Identifier"):
        assert task[name] == body[name]
    assert task["StorageConfig"] == {
        **body["StorageConfig"],
        "VodConfig": {"Region": 0},
        "VeImageXConfig": {"Region": 0},
        "CustomConfig": {"Vendor": 0, "Region": 0},
    }

    change = {"Duration": 30, "Identifier": "second", "Handle": False}
    assert client.call("POST", "UpdateSegment", version, {**key, **change}) == "ok"
    task = client.call("GET", "GetSegmentTask", version, key)["SegmentTask"]
    assert {name: task[name] for name in change} == change

    assert client.call("POST", "StopSegment", version, key) == "ok"
    deadline = time.monotonic() + PATIENCE_S
    while task["Status"] != 3:
        assert time.monotonic() < deadline, task
        task = client.call("GET", "GetSegmentTask", version, key)["SegmentTask"]
    assert task["StopReason"] == "StopByAPI"
    assert task["EndTime"] >= task["StartTime"]


def refusals(connect: Callable[[Target], SdkClient], target: Target) -> None:
    """Each mistake of a caller, as the SDK shows it."""
    client = connect(target)
    body = start_body(target.app_id)
    key = {name: body[name] for name in ("AppId", "RoomId", "TaskId")}

    not_found = (400, "InvalidParameter.ErrorActiveTaskNotFound")
    for method, action in [
        ("POST", "StopSegment"),
        ("POST", "UpdateSegment"),
        ("GET", "GetSegmentTask"),
    ]:
        _expect(not_found, client, method, action, key)
    mistakes: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"AppId": "f" * 24}, (400, "InvalidParameter.NotExistAppId")),
        ({"RoomId": ""}, (400, "MissingParameter.NoRoomId")),
        ({"RoomId": "a b"}, (400, "InvalidParameter.IllegalRoomID")),
        ({"Duration": 601}, (400, "InvalidParameter")),
        ({"StorageConfig": {"Type": 1}}, (400, "InvalidParameter")),
    ]
    for changes, expected in mistakes:
        _expect(expected, client, "POST", "StartSegment", {**body, **changes})
    _expect((404, "InvalidActionOrVersion"), client, "POST", "StartSegments", body)

    forger = connect(replace(target, secret_key="wrong"))
    _expect((401, "SignatureDoesNotMatch"), forger, "POST", "StartSegment", body)
    stranger = connect(replace(target, access_key="AKNOBODY"))
    _expect((401, "InvalidAccessKey"), stranger, "GET", "GetSegmentTask", key)


def _expect(
    expected: tuple[int, str],
    client: SdkClient,
    method: str,
    action: str,
    params: dict[str, Any],
) -> None:
    with pytest.raises(ApiFailure) as shown:
        client.call(method, action, "2023-11-01", params)
    status, code = expected
    assert shown.value.code == code
    assert shown.value.status in (status, None)
