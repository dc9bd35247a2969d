"""Huawei's own SDK against a whole server, with nothing changed but the endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import huaweicloudsdkmetastudio.v1 as sdk
import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkmetastudio.v1.region.metastudio_region import MetaStudioRegion

from airslice.facades.huawei.operations import OPERATIONS
from tests.support.clients import huawei_scenarios as scenarios
from tests.support.clients.huawei_scenarios import Recorder
from tests.support.clients.slicing_client import SlicingClient
from tests.support.server.running_server import REGION, RunningServer
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home for the file that the SDK writes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


class Shop(BaseHTTPRequestHandler):
    """A live platform that sells tea."""

    def do_GET(self) -> None:
        is_signed = "x-hw-mss-secret" in self.headers and "live_id=111" in self.path
        products = [{"product_id": "1", "product_title": "tea"}] if is_signed else []
        body = json.dumps({"count": len(products), "products": products}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def products_url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Shop) as shop:
        thread = threading.Thread(target=shop.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{shop.server_port}/products"
        shop.shutdown()
        thread.join()


def credentials(server: RunningServer, *, secret_key: str = "") -> BasicCredentials:
    account = server.settings.accounts[0]
    return BasicCredentials(
        account.access_key, secret_key or account.secret_key, server.project.project_id
    )


def client_of(server: RunningServer, keys: BasicCredentials | None = None) -> Any:
    """A client by endpoint."""
    builder = sdk.MetaStudioClient.new_builder().with_credentials(keys or credentials(server))
    return builder.with_endpoint(server.base_url).build()


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Recorder:
    return Recorder(client_of(server))


def test_every_operation_is_answered(client: Recorder, products_url: str) -> None:
    scenarios.rooms(client)
    scenarios.jobs(client)
    scenarios.commands(client)
    scenarios.rule_groups(client)
    scenarios.platforms(client, products_url)
    scenarios.user_config(client)

    called = {name.replace("_", "") for name in client.called}
    assert called == {operation.name.lower() for operation in OPERATIONS}


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (
            lambda client: client.create_smart_live_room(body=scenarios.room_body("x" * 257)),
            "MSS.00000003",
            "room_name",
        ),
        (
            lambda client: client.list_smart_live(room_id="r", limit=101),
            "MSS.00000003",
            "limit",
        ),
        (
            lambda client: client.show_smart_live_room(room_id="a b/c"),
            "MSS.20010045",
            "roomInfo not found.",
        ),
        (
            lambda client: client.show_smart_live(room_id="r", job_id="j"),
            "MSS.20010074",
            "",
        ),
        (
            lambda client: client.show_interaction_rule_group(group_id="g"),
            "MSS.00000003",
            "group_id",
        ),
    ],
)
def test_a_mistake_is_told(
    client: Recorder, call: Callable[[Recorder], object], code: str, words: str
) -> None:
    with pytest.raises(ClientRequestException) as caught:
        call(client)

    assert caught.value.status_code == 400
    assert caught.value.error_code == code
    assert words in caught.value.error_msg
    assert len(caught.value.request_id) == 32


def test_a_wrong_key_is_told(server: RunningServer) -> None:
    client = Recorder(client_of(server, credentials(server, secret_key="SKWRONG")))

    with pytest.raises(ClientRequestException) as caught:
        client.list_smart_live_rooms()

    assert caught.value.status_code == 401
    assert caught.value.error_code == "APIGW.0301"
    assert "verify aksk signature fail" in caught.value.error_msg


def test_an_api_that_is_not_smart_lives_is_told(client: Recorder) -> None:
    with pytest.raises(ClientRequestException) as caught:
        client.list_assets()

    assert (caught.value.status_code, caught.value.error_code) == (404, "APIGW.0101")
    assert len(caught.value.request_id) == 32


def test_another_accounts_project_is_told(server: RunningServer) -> None:
    account = server.settings.accounts[1]
    keys = BasicCredentials(account.access_key, account.secret_key, server.project.project_id)

    with pytest.raises(ClientRequestException) as caught:
        Recorder(client_of(server, keys)).list_smart_live_rooms()

    assert (caught.value.status_code, caught.value.error_code) == (400, "MSS.00010009")


def test_too_many_requests_are_told(server: RunningServer, products_url: str) -> None:
    client = client_of(server)
    request = sdk.UpdateLivePlatformRequest(
        platform_id="p", body=sdk.UpdateLivePlatformReq(name="n", callback_config=[])
    )

    codes = []
    for _ in range(4):
        with pytest.raises(ClientRequestException) as caught:
            client.update_live_platform(request)
        codes.append(caught.value.status_code)

    assert 429 in codes


def test_the_async_client_is_answered(server: RunningServer) -> None:
    builder = sdk.MetaStudioAsyncClient.new_builder().with_credentials(credentials(server))
    client = builder.with_endpoint(server.base_url).build()

    answers = [
        client.list_smart_live_rooms_async(sdk.ListSmartLiveRoomsRequest(limit=1)) for _ in range(3)
    ]

    assert all(answer.result().count >= 0 for answer in answers)


def test_a_region_can_be_led_here_by_the_environment(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_METASTUDIO_CN_NORTH_4", server.base_url)
    builder = sdk.MetaStudioClient.new_builder().with_credentials(credentials(server))
    client = builder.with_region(MetaStudioRegion.value_of(REGION)).build()

    assert Recorder(client).list_smart_live_rooms().count >= 0


def test_the_project_is_looked_up_through_iam(server: RunningServer) -> None:
    account = server.settings.accounts[0]
    keys = BasicCredentials(account.access_key, account.secret_key)
    keys.with_iam_endpoint(server.base_url)
    builder = sdk.MetaStudioClient.new_builder().with_credentials(keys)
    client = builder.with_region(Region(REGION, server.base_url)).build()

    assert Recorder(client).list_smart_live_rooms().count >= 0
    assert keys.project_id == server.project.project_id


def test_an_administrator_blocks_a_job(server: RunningServer, client: Recorder) -> None:
    room_id = client.create_smart_live_room(body=scenarios.room_body("indecent")).room_id
    job_id = client.start_smart_live(room_id=room_id, body=sdk.StartSmartLiveReq()).job_id
    admin = requests.Session()
    password = {"password": server.settings.server.admin_password}
    assert admin.post(f"{server.base_url}/api/session", json=password, timeout=PATIENCE_S).ok

    blocked = admin.post(
        f"{server.base_url}/api/live-jobs/{job_id}/block",
        json={"reason": "bad"},
        timeout=PATIENCE_S,
    )

    assert blocked.status_code == 200
    shown = client.show_smart_live(room_id=room_id, job_id=job_id)
    assert (shown.state, shown.block_reason) == ("BLOCKED", "bad")


async def test_a_ban_on_the_other_clouds_wire_blocks_the_job(
    server: RunningServer, client: Recorder, http: httpx.AsyncClient
) -> None:
    room_id = client.create_smart_live_room(body=scenarios.room_body("banned")).room_id
    place = client.start_smart_live(room_id=room_id, body=sdk.StartSmartLiveReq()).rtc_room_info
    [presenter] = [user.user_id for user in place.users if user.user_type == "RENDER"]
    user = {"AppId": place.app_id, "RoomId": place.room_id, "UserId": presenter}

    def blocked() -> list[Any]:
        listed: list[Any] = client.list_smart_live(room_id=room_id, state="BLOCKED").smart_live_jobs
        return listed

    assert not blocked()
    await SlicingClient(server, http).call("BanRoomUser", {**user, "ForbiddenInterval": 60})

    [job] = await until(blocked)
    assert "banned" in job.block_reason
    assert job.error_info is None


async def test_a_token_stands_for_a_signature(server: RunningServer) -> None:
    [user] = server.project.users
    given = {"name": user.name, "password": user.password}
    identity = {
        "methods": ["password"],
        "password": {"user": {**given, "domain": {"name": server.project.account_id}}},
    }
    body = {"auth": {"identity": identity, "scope": {"project": {"name": REGION}}}}

    async with aiohttp.ClientSession(server.base_url) as session:
        async with session.post("/v3/auth/tokens?nocatalog=true", json=body) as answer:
            assert answer.status == 201
            token = answer.headers["X-Subject-Token"]
            told = (await answer.json())["token"]
        path = f"/v1/{told['project']['id']}/smart-live-jobs"
        async with session.get(path, headers={"X-Auth-Token": token}) as answer:
            assert answer.status == 200
            assert (await answer.json()).keys() == {"count", "smart_live_jobs"}
        async with session.get(path, headers={"X-Auth-Token": f"{token}x"}) as answer:
            assert answer.status == 401


def test_no_secret_is_logged(server: RunningServer, client: Recorder, tmp_path: Path) -> None:
    server.check_log()
    assert str(scenarios.CALLBACK["key"]) not in server.log
