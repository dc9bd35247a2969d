"""Interaction rules and their libraries on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clients.huawei_client import HuaweiClient
from tests.support.stages.smart_live_stage import SmartLiveStage
from tests.support.values.smart_live_bodies import RULE

GROUPS = "/smart-live-interaction-rule-groups"

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
