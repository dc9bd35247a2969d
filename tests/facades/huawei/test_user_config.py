"""A project's configuration on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clients.huawei_client import HuaweiClient

USER_CONFIG = "/smart-live-configs/user-config"


async def replaced(client: HuaweiClient, path: str, body: object) -> Any:
    answer = await client.call("PUT", path, body)
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.content else None


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
