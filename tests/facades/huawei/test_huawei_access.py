"""Who is let in on Huawei's wire, with what, and what the gateway says to the others."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from airslice.domain.projects import Project, ProjectUser
from airslice.facades.huawei import HuaweiFacade
from airslice.facades.huawei.arrived import MAX_BODY_BYTES
from airslice.facades.huawei.errors import Refusal
from airslice.facades.huawei.tokens import VALID_S, ProjectTokens
from tests.support.clients.huawei_client import HuaweiClient, error_of, json_of
from tests.support.stages.smart_live_stage import FOREIGN, PROJECT, SECOND, SmartLiveStage

P = PROJECT.project_id
ROOMS = f"/v1/{P}/smart-live-rooms"
ACCOUNT = {"name": PROJECT.account_id}
USER = {"name": "operator", "password": "hush", "domain": ACCOUNT}


def auth(user: object = USER, scope: object = {"project": {"name": "cn-north-4"}}) -> Any:
    """Body of a request for a token."""
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, "scope": scope}}


async def fetch(client: HuaweiClient, body: object, query: str = "") -> httpx.Response:
    """Ask for a token."""
    return await client.http.post(f"http://server/v3/auth/tokens{query}", json=body)


async def with_token(client: HuaweiClient, token: str, path: str = ROOMS) -> httpx.Response:
    return await client.http.get(f"http://server{path}", headers={"X-Auth-Token": token})


class TestSignatures:
    async def test_an_unsigned_request_is_refused(self, client: HuaweiClient) -> None:
        status, code, message = error_of(await client.http.get(f"http://server{ROOMS}"))

        assert (status, code) == (401, "APIGW.0301")
        assert message == "Incorrect IAM authentication information: x-auth-token not found"

    async def test_a_wrong_key_is_refused(self, client: HuaweiClient) -> None:
        client.keys = ("AKTEST", "SKWRONG")

        status, code, message = error_of(await client.call("GET", "/smart-live-rooms"))

        assert (status, code) == (401, "APIGW.0301")
        assert "verify aksk signature fail, canonicalRequest:GET|/v1/" in message
        assert "SKTEST" not in message

    async def test_the_project_must_be_the_accounts(self, client: HuaweiClient) -> None:
        for project_id in (FOREIGN.project_id, "nobodys"):
            client.project_id = project_id
            code, _ = await client.refused("GET", "/smart-live-rooms")
            assert code == "MSS.00010009"

    async def test_the_header_must_name_the_paths_project(self, client: HuaweiClient) -> None:
        answer = await client.send("GET", ROOMS, headers={"X-Project-Id": SECOND.project_id})

        assert error_of(answer)[:2] == (400, "MSS.00010009")

    async def test_the_header_may_be_missing(self, client: HuaweiClient) -> None:
        assert json_of(await client.send("GET", ROOMS))["count"] == 0

    async def test_an_account_has_several_projects(self, client: HuaweiClient) -> None:
        await client.create("/smart-live-rooms", {"room_name": "r"})
        client.project_id = SECOND.project_id

        assert (await client.get("/smart-live-rooms"))["count"] == 0

    async def test_query_values_are_signed_as_they_are(self, client: HuaweiClient) -> None:
        assert (await client.get("/smart-live-rooms", room_name="a b+c/直播:,~"))["count"] == 0


class TestTokens:
    async def test_a_token_stands_for_a_user(self, client: HuaweiClient) -> None:
        answer = await fetch(client, auth())

        token = json_of(answer, 201)["token"]
        assert token["methods"] == ["password"]
        assert token["issued_at"] == "2022-01-18T16:29:36.000000Z"
        assert token["expires_at"] == "2022-01-19T16:29:36.000000Z"
        domain = {"id": "2100000000", "name": "2100000000"}
        assert token["project"] == {"id": P, "name": "cn-north-4", "domain": domain}
        assert token["user"]["name"] == "operator"
        assert token["user"]["domain"] == domain
        assert token["roles"] == [{"id": "0", "name": "te_admin"}]
        [service] = token["catalog"]
        assert service["endpoints"][0]["url"] == "http://server/v1"
        listed = await with_token(client, answer.headers["X-Subject-Token"])
        assert json_of(listed) == {"count": 0, "smart_live_rooms": []}

    @pytest.mark.parametrize("query", ["?nocatalog", "?nocatalog=", "?nocatalog=true"])
    async def test_the_catalog_can_be_left_out(self, client: HuaweiClient, query: str) -> None:
        assert "catalog" not in json_of(await fetch(client, auth(), query), 201)["token"]

    @pytest.mark.parametrize(
        "scope",
        [
            {"project": {"id": P}},
            {"project": {"id": P, "name": "cn-north-4"}},
            {"project": {}},
            {},
        ],
    )
    async def test_the_project_is_found_by_any_of_its_names(
        self, client: HuaweiClient, scope: object
    ) -> None:
        answer = await fetch(client, auth(scope=scope))

        assert json_of(answer, 201)["token"]["project"]["id"] == P

    @pytest.mark.parametrize(
        "body",
        [
            auth({**USER, "password": "wrong"}),
            auth({**USER, "password": ""}),
            auth({**USER, "name": "somebody"}),
            auth({**USER, "domain": {"name": "2100000001"}}),
            auth(scope={"project": {"name": "cn-east-3"}}),
            auth(scope={"project": {"id": SECOND.project_id}}),
            auth({"password": "hush"}),
            {"auth": {"identity": {"methods": ["token"], "password": {"user": USER}}}},
        ],
    )
    async def test_others_get_none(self, client: HuaweiClient, body: object) -> None:
        answer = await fetch(client, body)

        assert answer.status_code == 401
        assert "X-Subject-Token" not in answer.headers
        assert answer.json() == {
            "error": {
                "code": 401,
                "message": "The username or password is wrong.",
                "title": "Unauthorized",
            }
        }

    @pytest.mark.parametrize("body", [{}, {"auth": {}}, auth({"name": "operator"}), []])
    async def test_a_malformed_request_is_refused(self, client: HuaweiClient, body: object) -> None:
        answer = await fetch(client, body)

        assert error_of(answer)[0] == 400

    async def test_passwords_cannot_be_tried_fast(
        self, client: HuaweiClient, live: SmartLiveStage
    ) -> None:
        tries = [await fetch(client, auth({**USER, "password": "x"})) for _ in range(11)]

        assert [answer.status_code for answer in tries] == [401] * 10 + [429]
        live.clock.turn(1)
        assert (await fetch(client, auth())).status_code == 201

    async def test_a_token_expires(self, client: HuaweiClient, live: SmartLiveStage) -> None:
        token = (await fetch(client, auth())).headers["X-Subject-Token"]
        live.clock.turn(VALID_S - 0.501)
        assert (await with_token(client, token)).status_code == 200
        live.clock.turn(0.001)

        status, code, message = error_of(await with_token(client, token))

        assert (status, code) == (401, "APIGW.0301")
        assert message.endswith("token expires")

    async def test_a_token_opens_its_project_alone(self, client: HuaweiClient) -> None:
        token = (await fetch(client, auth())).headers["X-Subject-Token"]

        other = await with_token(client, token, f"/v1/{SECOND.project_id}/smart-live-rooms")

        assert error_of(other)[:2] == (400, "MSS.00010009")

    @pytest.mark.parametrize("token", ["x", "x.y", ".", "e30.e30", "%.%", "é", "x" * 9_999])
    async def test_a_made_up_token_is_refused(self, client: HuaweiClient, token: str) -> None:
        answer = await client.http.get(
            f"http://server{ROOMS}", headers={b"X-Auth-Token": token.encode()}
        )

        assert error_of(answer)[:2] == (401, "APIGW.0301")

    def test_a_changed_claim_is_refused(self) -> None:
        tokens = ProjectTokens([PROJECT, SECOND], bytes(32))
        claim, _, signature = tokens.mint(PROJECT, PROJECT.users[0], now_s=0).partition(".")
        facts = json.loads(base64.urlsafe_b64decode(claim + "=="))
        facts["expires_at_s"] += 1
        longer = base64.urlsafe_b64encode(json.dumps(facts).encode()).decode().rstrip("=")

        with pytest.raises(Refusal, match="decrypt token fail"):
            tokens.verify(f"{longer}.{signature}", now_s=0)

    @pytest.mark.parametrize(
        "users", [(), (ProjectUser(name="operator", password="new"),)], ids=["gone", "changed"]
    )
    def test_a_token_ends_with_its_user_and_password(self, users: tuple[ProjectUser, ...]) -> None:
        token = ProjectTokens([PROJECT], bytes(32)).mint(PROJECT, PROJECT.users[0], now_s=0)
        changed = Project(project_id=P, account_id="a", app_id="b", users=users)

        with pytest.raises(Refusal, match="decrypt token fail"):
            ProjectTokens([changed], bytes(32)).verify(token, now_s=0)

    def test_a_token_ends_with_the_master_key(self) -> None:
        token = ProjectTokens([PROJECT], bytes(32)).mint(PROJECT, PROJECT.users[0], now_s=0)

        with pytest.raises(Refusal, match="decrypt token fail"):
            ProjectTokens([PROJECT], b"x" * 32).verify(token, now_s=0)


class TestProjects:
    @pytest.mark.parametrize(
        ("query", "ids"),
        [
            ({}, [P, SECOND.project_id]),
            ({"name": "cn-north-4"}, [P]),
            ({"name": "cn-east-3"}, [SECOND.project_id]),
        ],
    )
    async def test_an_account_sees_its_own(
        self, client: HuaweiClient, query: dict[str, Any], ids: list[str]
    ) -> None:
        found = json_of(await client.send("GET", "/v3/projects", **query))["projects"]

        assert [project["id"] for project in found] == ids
        assert {project["domain_id"] for project in found} == {"2100000000"}
        if query:
            assert {project["name"] for project in found} == {query["name"]}

    async def test_they_are_told_to_nobody_else(self, client: HuaweiClient) -> None:
        assert error_of(await client.http.get("http://server/v3/projects"))[0] == 401
        client.keys = ("AKOTHER", "SKOTHER")

        found = json_of(await client.send("GET", "/v3/projects"))["projects"]

        assert [project["id"] for project in found] == [FOREIGN.project_id]

    async def test_a_token_will_do(self, client: HuaweiClient) -> None:
        token = (await fetch(client, auth())).headers["X-Subject-Token"]

        assert len(json_of(await with_token(client, token, "/v3/projects"))["projects"]) == 2


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
        token = (await fetch(client, auth())).headers["X-Subject-Token"]

        answer = await with_token(client, token, f"{ROOMS}?room_name=%ff")

        assert error_of(answer) == (
            400,
            "MSS.00000003",
            "Invalid parameter: room_name: must be UTF-8",
        )

    async def test_a_query_has_a_bound(self, client: HuaweiClient) -> None:
        token = (await fetch(client, auth())).headers["X-Subject-Token"]

        answer = await with_token(client, token, f"{ROOMS}?{'&'.join('a' * 65)}")

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
