"""What the gateway says before an operation is asked, and when one fails."""

from __future__ import annotations

import pytest

from airslice.facades.huawei.exchange import MAX_BODY_BYTES
from airslice.facades.huawei.facade import HuaweiFacade
from tests.support.clients.huawei_client import (
    HuaweiClient,
    error_of,
    token_request,
)
from tests.support.stages.smart_live_stage import PROJECT, SECOND, SmartLiveStage

P = PROJECT.project_id

ROOMS = f"/v1/{P}/smart-live-rooms"


class TestGateway:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", f"/v1/{P}/smart-live-room"),
            ("GET", f"/v1/{P}"),
            ("GET", f"/v1/{P}/smart-live-rooms/"),
            ("GET", f"/v1/{P}/smart-live-rooms/a/b"),
            ("GET", "/v1//smart-live-rooms"),
            ("GET", f"/v1/{P}/smart-live-rooms/%ff"),
            ("PATCH", f"/v1/{P}/smart-live-rooms"),
            ("GET", "/v3/auth/tokens"),
            ("POST", "/v3/projects"),
        ],
    )
    async def test_an_unknown_api_is_told_before_anything_else(
        self, client: HuaweiClient, method: str, path: str
    ) -> None:
        answer = await client.http.request(method, f"http://server{path}")

        assert error_of(answer)[:2] == (404, "APIGW.0101")

    async def test_an_id_may_hold_anything(self, client: HuaweiClient) -> None:
        answer = await client.send("GET", f"{ROOMS}/a%20b%2Fc%3F")

        assert error_of(answer)[1] == "MSS.20010045"

    @pytest.mark.parametrize(
        "body", [b"{", b"[]", b'"x"', b"\xff", b'{"room_name": "\\ud800"}', b"[" * 9_999]
    )
    async def test_a_body_that_is_no_json_object_is_invalid(
        self, client: HuaweiClient, body: bytes
    ) -> None:
        status, code, message = error_of(await client.send("POST", ROOMS, body))

        assert (status, code) == (400, "MSS.00000002")
        assert message.startswith("Invalid body: ")

    async def test_a_large_body_is_refused(self, client: HuaweiClient) -> None:
        fits = await client.send("POST", ROOMS, b" " * (MAX_BODY_BYTES - 1) + b"{")
        large = await client.send("POST", ROOMS, b" " * (MAX_BODY_BYTES + 1))

        assert error_of(fits)[1] == "MSS.00000002"
        assert error_of(large)[:2] == (413, "APIGW.0201")

    async def test_query_values_must_be_text(self, client: HuaweiClient) -> None:
        token = (await client.fetch_token(token_request())).headers["X-Subject-Token"]

        answer = await client.with_token(token, f"{ROOMS}?room_name=%ff")

        assert error_of(answer) == (
            400,
            "MSS.00000003",
            "Invalid parameter: room_name: must be UTF-8",
        )

    async def test_a_query_has_a_bound(self, client: HuaweiClient) -> None:
        token = (await client.fetch_token(token_request())).headers["X-Subject-Token"]

        answer = await client.with_token(token, f"{ROOMS}?{'&'.join('a' * 65)}")

        assert error_of(answer)[:2] == (400, "MSS.00000003")

    @pytest.mark.parametrize(
        ("method", "path", "limit"),
        [
            ("POST", "/smart-live-rooms", 5),
            ("GET", "/smart-live-rooms", 20),
            ("GET", "/smart-live-rooms/r", 20),
            ("PUT", "/smart-live-rooms/r", 5),
            ("DELETE", "/smart-live-rooms/r", 4),
            ("POST", "/smart-live-rooms/r/smart-live-jobs", 4),
            ("GET", "/smart-live-rooms/r/smart-live-jobs", 20),
            ("GET", "/smart-live-jobs", 20),
            ("POST", "/live-platforms/platforms", 1),
            ("GET", "/live-platforms/platforms", 20),
            ("PUT", "/live-platforms/platforms/p", 1),
            ("DELETE", "/live-platforms/platforms/p", 1),
        ],
    )
    async def test_requests_per_second_are_limited(
        self, client: HuaweiClient, live: SmartLiveStage, method: str, path: str, limit: int
    ) -> None:
        codes = [(await client.call(method, path, {})).status_code for _ in range(limit + 1)]

        assert 429 not in codes[:limit]
        assert codes[limit] == 429
        status, code, message = error_of(await client.call(method, path, {}))
        assert (status, code) == (429, "APIGW.0308")
        assert (await client.call(method, path, {})).headers["Retry-After"] == "1"
        assert f"limit:{limit},time:1 second" in message
        client.project_id = SECOND.project_id
        assert (await client.call(method, path, {})).status_code != 429
        client.project_id = P
        live.clock.turn(1)
        assert (await client.call(method, path, {})).status_code != 429

    async def test_what_is_not_authentic_uses_nothing_up(
        self, client: HuaweiClient, live: SmartLiveStage
    ) -> None:
        wrong = HuaweiClient(http=client.http, clock=live.clock, keys=("AKTEST", "SKWRONG"))
        for _ in range(9):
            await wrong.call("POST", "/smart-live-rooms", {})

        await client.create("/smart-live-rooms", {"room_name": "r"})

    async def test_a_mistake_of_the_servers_is_told_as_such(
        self,
        client: HuaweiClient,
        live: SmartLiveStage,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def fail(*_: object) -> None:
            raise RuntimeError("secret detail")

        monkeypatch.setattr(live.jobs, "list", fail)

        answer = await client.call("GET", "/smart-live-jobs")

        assert error_of(answer) == (500, "MSS.00000004", "Internal Error")
        assert answer.headers["X-Request-Id"] in caplog.text


@pytest.mark.parametrize(
    ("path", "is_taken"),
    [
        ("/v1/p/smart-live-rooms", True),
        ("/v1/", True),
        ("/v3/projects", True),
        ("/v3/auth/tokens", True),
        ("/v1", False),
        ("/v3/users", False),
        ("/v10/x", False),
        ("/", False),
    ],
)
def test_paths_that_are_this_wires(path: str, is_taken: bool) -> None:
    assert HuaweiFacade.takes({"path": path}) is is_taken
