"""Live platforms on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clients.huawei_client import HuaweiClient
from tests.support.stages.smart_live_stage import SmartLiveStage
from tests.support.values.smart_live_bodies import PLATFORM

PLATFORMS = "/live-platforms/platforms"


async def replaced(client: HuaweiClient, path: str, body: object) -> Any:
    answer = await client.call("PUT", path, body)
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.content else None


async def removed(client: HuaweiClient, path: str) -> None:
    answer = await client.call("DELETE", path)
    assert (answer.status_code, answer.content) == (200, b"")


class TestPlatforms:
    @pytest.fixture
    async def platform(self, client: HuaweiClient) -> str:
        """Path of a platform."""
        return f"{PLATFORMS}/{(await client.create(PLATFORMS, PLATFORM))['platform_id']}"

    async def test_a_platform_is_shown_as_it_was_given(
        self, client: HuaweiClient, platform: str
    ) -> None:
        shown = await client.get(platform)

        assert shown == {
            "platform_id": platform.rpartition("/")[2],
            "access_type": "MSS_STANDARD",
            "authorization_info": {"authorize_state": "AUTHORIZED"},
            **PLATFORM,
        }

    async def test_platforms_are_listed_without_a_count(
        self, client: HuaweiClient, platform: str
    ) -> None:
        shown = await client.get(platform)

        assert await client.get(PLATFORMS) == {"live_platforms": [shown]}
        standard = await client.get(PLATFORMS, access_type="MSS_STANDARD")
        assert standard == {"live_platforms": [shown]}
        meituan = await client.get(PLATFORMS, access_type="MEITUAN_OFFICIAL")
        assert meituan == {"live_platforms": []}
        assert await client.get(PLATFORMS, offset=1) == {"live_platforms": []}

    async def test_an_update_without_a_key_keeps_it(
        self, client: HuaweiClient, platform: str
    ) -> None:
        body = {"name": "tea shop", "callback_config": PLATFORM["callback_config"][:1]}

        answer = await replaced(client, platform, body)

        assert answer == {"platform_id": platform.rpartition("/")[2]}
        shown = await client.get(platform)
        assert shown["name"] == "tea shop"
        assert shown["callback_config"] == PLATFORM["callback_config"][:1]
        assert shown["auth_config"] == PLATFORM["auth_config"]

    async def test_a_new_key_takes_the_olds_place(
        self, client: HuaweiClient, platform: str
    ) -> None:
        await replaced(client, platform, {**PLATFORM, "auth_config": {"key": "new"}})

        assert (await client.get(platform))["auth_config"] == {"key": "new"}

    async def test_access_types_are_listed(self, client: HuaweiClient, platform: str) -> None:
        path = "/live-platforms/access-types"

        assert await client.get(path) == {"access_types": ["MEITUAN_OFFICIAL", "MSS_STANDARD"]}
        assert await client.get(path, limit=1) == {"access_types": ["MEITUAN_OFFICIAL"]}
        assert await client.get(path, used="true") == {"access_types": ["MSS_STANDARD"]}

    async def test_products_are_asked_for(self, client: HuaweiClient, platform: str) -> None:
        path, known = "/live-platforms/products", {"platform_id": platform.rpartition("/")[2]}

        first = await client.get(path, **known, live_id="111", limit=1)
        second = await client.get(path, **known, live_id="111", limit=1, offset=1)

        assert first == {
            "count": 25,
            "products": [{"product_id": "111-0", "product_title": "tea 0"}],
        }
        assert second == {"products": [{"product_id": "111-1", "product_title": "tea 1"}]}

    @pytest.mark.parametrize("query", [{"platform_id": "x"}, {"live_id": "x"}])
    async def test_products_need_platform_and_broadcast(
        self, client: HuaweiClient, query: dict[str, str]
    ) -> None:
        code, message = await client.refused("GET", "/live-platforms/products", **query)

        assert code == "MSS.00000003"
        [missing] = {"platform_id", "live_id"} - query.keys()
        assert message == f"Invalid parameter: {missing}: must be given"

    async def test_a_removed_platform_is_gone(
        self, client: HuaweiClient, live: SmartLiveStage, platform: str
    ) -> None:
        await removed(client, platform)
        live.clock.turn(1)

        for method, body in [("GET", None), ("PUT", PLATFORM), ("DELETE", None)]:
            code, message = await client.refused(method, platform, body)
            assert code == "MSS.00000003"
            assert "platform_id" in message

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": ""}, "name"),
            ({"auth_config": {}}, "auth_config.key"),
            ({"auth_config": {"key": ""}}, "auth_config.key"),
            ({"callback_config": [{"api_type": "X", "url": "https://x"}]}, "api_type"),
            ({"callback_config": [{"api_type": "PRODUCT_QUERY", "url": "x"}]}, "url"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, client: HuaweiClient, change: dict[str, object], field: str
    ) -> None:
        code, message = await client.refused("POST", PLATFORMS, {**PLATFORM, **change})

        assert code == "MSS.00000003"
        assert field in message
