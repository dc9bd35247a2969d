"""Who gets a token on Huawei's wire, and sees which projects."""

from __future__ import annotations

from typing import Any

import pytest

from airslice.facades.huawei.tokens import VALID_S
from tests.support.clients.huawei_client import (
    USER,
    HuaweiClient,
    error_of,
    json_of,
    token_request,
)
from tests.support.stages.smart_live_stage import FOREIGN, PROJECT, SECOND, SmartLiveStage

P = PROJECT.project_id

ROOMS = f"/v1/{P}/smart-live-rooms"


class TestTokens:
    async def test_a_token_stands_for_a_user(self, client: HuaweiClient) -> None:
        answer = await client.fetch_token(token_request())

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
        listed = await client.with_token(answer.headers["X-Subject-Token"])
        assert json_of(listed) == {"count": 0, "smart_live_rooms": []}

    @pytest.mark.parametrize("query", ["?nocatalog", "?nocatalog=", "?nocatalog=true"])
    async def test_the_catalog_can_be_left_out(self, client: HuaweiClient, query: str) -> None:
        assert (
            "catalog" not in json_of(await client.fetch_token(token_request(), query), 201)["token"]
        )

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
        answer = await client.fetch_token(token_request(scope=scope))

        assert json_of(answer, 201)["token"]["project"]["id"] == P

    @pytest.mark.parametrize(
        "body",
        [
            token_request({**USER, "password": "wrong"}),
            token_request({**USER, "password": ""}),
            token_request({**USER, "name": "somebody"}),
            token_request({**USER, "domain": {"name": "2100000001"}}),
            token_request(scope={"project": {"name": "cn-east-3"}}),
            token_request(scope={"project": {"id": SECOND.project_id}}),
            token_request({"password": "hush"}),
            {"auth": {"identity": {"methods": ["token"], "password": {"user": USER}}}},
        ],
    )
    async def test_others_get_none(self, client: HuaweiClient, body: object) -> None:
        answer = await client.fetch_token(body)

        assert answer.status_code == 401
        assert "X-Subject-Token" not in answer.headers
        assert answer.json() == {
            "error": {
                "code": 401,
                "message": "The username or password is wrong.",
                "title": "Unauthorized",
            }
        }

    @pytest.mark.parametrize("body", [{}, {"auth": {}}, token_request({"name": "operator"}), []])
    async def test_a_malformed_request_is_refused(self, client: HuaweiClient, body: object) -> None:
        answer = await client.fetch_token(body)

        assert error_of(answer)[0] == 400

    async def test_passwords_cannot_be_tried_fast(
        self, client: HuaweiClient, live: SmartLiveStage
    ) -> None:
        tries = [
            await client.fetch_token(token_request({**USER, "password": "x"})) for _ in range(11)
        ]

        assert [answer.status_code for answer in tries] == [401] * 10 + [429]
        live.clock.turn(1)
        assert (await client.fetch_token(token_request())).status_code == 201

    async def test_a_token_expires(self, client: HuaweiClient, live: SmartLiveStage) -> None:
        token = (await client.fetch_token(token_request())).headers["X-Subject-Token"]
        live.clock.turn(VALID_S - 0.501)
        assert (await client.with_token(token)).status_code == 200
        live.clock.turn(0.001)

        status, code, message = error_of(await client.with_token(token))

        assert (status, code) == (401, "APIGW.0301")
        assert message.endswith("token expires")

    async def test_a_token_opens_its_project_alone(self, client: HuaweiClient) -> None:
        token = (await client.fetch_token(token_request())).headers["X-Subject-Token"]

        other = await client.with_token(token, f"/v1/{SECOND.project_id}/smart-live-rooms")

        assert error_of(other)[:2] == (400, "MSS.00010009")

    @pytest.mark.parametrize("token", ["x", "x.y", ".", "e30.e30", "%.%", "é", "x" * 9_999])
    async def test_a_made_up_token_is_refused(self, client: HuaweiClient, token: str) -> None:
        answer = await client.http.get(
            f"http://server{ROOMS}", headers={b"X-Auth-Token": token.encode()}
        )

        assert error_of(answer)[:2] == (401, "APIGW.0301")


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
        token = (await client.fetch_token(token_request())).headers["X-Subject-Token"]

        assert len(json_of(await client.with_token(token, "/v3/projects"))["projects"]) == 2
