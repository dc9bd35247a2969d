"""Rule libraries, live platforms and a project's configuration on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clients.huawei_client import HuaweiClient
from tests.support.stages.smart_live_stage import SmartLiveStage
from tests.support.values.huawei_bodies import PLATFORM, RULE

GROUPS = "/smart-live-interaction-rule-groups"
PLATFORMS = "/live-platforms/platforms"
USER_CONFIG = "/smart-live-configs/user-config"
NOW = "2022-01-18T16:29:36Z"


async def replaced(client: HuaweiClient, path: str, body: object) -> Any:
    answer = await client.call("PUT", path, body)
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.content else None


async def removed(client: HuaweiClient, path: str) -> None:
    answer = await client.call("DELETE", path)
    assert (answer.status_code, answer.content) == (200, b"")


class TestRuleGroups:
    @pytest.fixture
    async def group(self, client: HuaweiClient) -> str:
        """Path of a library with a rule."""
        body = {"group_name": "greetings", "interaction_rules": [{**RULE, "enabled": False}]}
        return f"{GROUPS}/{(await client.create(GROUPS, body))['group_id']}"

    async def test_a_library_is_shown(self, client: HuaweiClient, group: str) -> None:
        shown = await client.get(group)

        [rule] = shown.pop("interaction_rules")
        assert shown == {
            "group_id": group.rpartition("/")[2],
            "group_name": "greetings",
            "create_time": NOW,
            "update_time": NOW,
        }
        assert rule.pop("rule_id")
        assert rule.pop("rule_index")
        assert rule == {**RULE, "enabled": False, "create_time": NOW, "update_time": NOW}

    async def test_lists_leave_the_rules_out(self, client: HuaweiClient, group: str) -> None:
        expected = {
            "count": 1,
            "interaction_rule_groups": [
                {
                    "group_id": group.rpartition("/")[2],
                    "group_name": "greetings",
                    "create_time": NOW,
                    "update_time": NOW,
                }
            ],
        }

        assert await client.get(GROUPS) == expected
        assert await client.get(f"{GROUPS}-summary") == expected

    @pytest.mark.parametrize("path", [GROUPS, f"{GROUPS}-summary"])
    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"group_name": "reet"}, 1),
            ({"group_name": "tea"}, 0),
            ({"create_since": "2022-01-18T16:29:37Z"}, 0),
            ({"create_until": NOW}, 1),
        ],
    )
    async def test_libraries_are_filtered(
        self, client: HuaweiClient, group: str, path: str, query: dict[str, str], count: int
    ) -> None:
        assert (await client.get(path, **query))["count"] == count

    async def test_an_update_replaces_name_and_rules(
        self, client: HuaweiClient, live: SmartLiveStage, group: str
    ) -> None:
        [rule] = (await client.get(group))["interaction_rules"]
        live.clock.turn(2)
        kept = {**RULE, "rule_name": "wave", "rule_index": rule["rule_index"]}
        body = {"group_name": "waves", "interaction_rules": [RULE, kept]}

        shown = await replaced(client, group, body)

        assert shown == await client.get(group)
        assert shown["group_name"] == "waves"
        assert shown["interaction_rules"][1] == {
            **kept,
            "rule_id": rule["rule_id"],
            "create_time": NOW,
            "update_time": "2022-01-18T16:29:38Z",
        }

    async def test_rules_come_change_and_go(
        self, client: HuaweiClient, live: SmartLiveStage, group: str
    ) -> None:
        made = await client.create(f"{group}/rules", RULE)
        path = f"{group}/rules/{made['rule_id']}"
        live.clock.turn(2)

        changed = await replaced(client, path, {"rule_name": "wave"})

        assert changed == {
            "rule_id": made["rule_id"],
            "rule_index": made["rule_index"],
            "rule_name": "wave",
            "create_time": NOW,
            "update_time": "2022-01-18T16:29:38Z",
        }
        assert (await client.get(group))["interaction_rules"][1] == changed
        await removed(client, path)
        assert len((await client.get(group))["interaction_rules"]) == 1
        code, message = await client.refused("DELETE", path)
        assert code == "MSS.00000003"
        assert "rule_id" in message

    async def test_a_new_name_leaves_the_rules_and_an_empty_list_takes_them(
        self, client: HuaweiClient, group: str
    ) -> None:
        renamed = await replaced(client, group, {"group_name": "waves"})
        emptied = await replaced(client, group, {"group_name": "waves", "interaction_rules": []})

        assert renamed["group_name"] == "waves"
        assert len(renamed["interaction_rules"]) == 1
        assert not emptied.get("interaction_rules")

    async def test_a_removed_library_is_gone(self, client: HuaweiClient, group: str) -> None:
        await removed(client, group)

        for method, path, body in [
            ("GET", group, None),
            ("PUT", group, {"group_name": "x"}),
            ("DELETE", group, None),
            ("POST", f"{group}/rules", RULE),
            ("PUT", f"{group}/rules/1", RULE),
            ("DELETE", f"{group}/rules/1", None),
        ]:
            code, message = await client.refused(method, path, body)
            assert code == "MSS.00000003"
            assert "group_id" in message

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "group_name"),
            ({"group_name": ""}, "group_name"),
            ({"group_name": "x", "interaction_rules": [{"event_type": -1}]}, "event_type"),
            ({"group_name": "x", "interaction_rules": [{"trigger": []}]}, "trigger"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, client: HuaweiClient, body: object, field: str
    ) -> None:
        code, message = await client.refused("POST", GROUPS, body)

        assert code == "MSS.00000003"
        assert field in message


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


class TestUserConfig:
    async def test_nothing_is_set_at_first(self, client: HuaweiClient) -> None:
        assert await client.get(USER_CONFIG) == {"live_notify_config": {"notify_events": []}}

    async def test_what_is_given_is_set_and_the_rest_stays(self, client: HuaweiClient) -> None:
        callback = {
            "live_event_type_callback_url": "https://cb.example.com/all",
            "auth_type": "NONE",
            "callback_event_type": [],
        }
        first = {"live_exit_config": {"max_live_duration": 5}}
        second = {
            "live_event_callback_config": callback,
            "live_notify_config": {"action": "add", "notify_events": ["AUTO_EXIT"]},
        }

        assert await replaced(client, USER_CONFIG, first) is None
        assert await replaced(client, USER_CONFIG, second) is None

        assert await client.get(USER_CONFIG) == {
            "live_exit_config": {"max_live_duration": 5, "auto_stop_mode": "FORCE_EXIT"},
            "live_event_callback_config": callback,
            "live_notify_config": {"notify_events": ["AUTO_EXIT"]},
        }

    async def test_the_limit_holds_for_rooms_without_their_own(self, client: HuaweiClient) -> None:
        await replaced(client, USER_CONFIG, {"live_exit_config": {"max_live_duration": 5}})
        room_id = (await client.create("/smart-live-rooms", {"room_name": "r"}))["room_id"]

        told = await client.get(f"/smart-live-rooms/{room_id}/live-warning-info")

        assert told["limit_duration"] == 5

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"live_exit_config": {"max_live_duration": -1}}, "max_live_duration"),
            ({"live_notify_config": {"action": "set"}}, "action"),
            ({"live_notify_config": {"notify_events": ["ALL"]}}, "notify_events"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, client: HuaweiClient, body: object, field: str
    ) -> None:
        code, message = await client.refused("PUT", USER_CONFIG, body)

        assert code == "MSS.00000003"
        assert field in message
