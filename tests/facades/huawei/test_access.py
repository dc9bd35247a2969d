"""Who is let in on Huawei's wire by a signature."""

from __future__ import annotations

from tests.support.clients.huawei_client import (
    HuaweiClient,
    error_of,
    json_of,
)
from tests.support.stages.smart_live_stage import FOREIGN, PROJECT, SECOND

P = PROJECT.project_id

ROOMS = f"/v1/{P}/smart-live-rooms"


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
