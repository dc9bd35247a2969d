"""What a presenter says, and how it is played, on the wire."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.support.clients.huawei_client import HuaweiClient
from tests.support.values.sample_rooms import ROOM, SMALL

ROOMS = "/smart-live-rooms"


async def made(client: HuaweiClient, **changes: object) -> str:
    """Make a small room; return its id."""
    room_id: str = (await client.create(ROOMS, {**SMALL, **changes}))["room_id"]
    return room_id


def changed(path: str, value: object) -> dict[str, Any]:
    """A room with one field changed; numbers in `path` are places in lists."""
    room: Any = copy.deepcopy(ROOM)
    steps = [int(step) if step.isdigit() else step for step in path.split(".")]
    parent: Any = room
    for step in steps[:-1]:
        parent = parent[step]
    parent[steps[-1]] = value
    result: dict[str, Any] = room
    return result


@pytest.mark.parametrize("policy", [{}, {"repeat_count": None, "auto_play_script": None}])
async def test_a_policy_has_the_same_defaults(client: HuaweiClient, policy: object) -> None:
    given = await client.get(f"{ROOMS}/{await made(client, play_policy=policy)}")
    none = await client.get(f"{ROOMS}/{await made(client)}")

    assert given["play_policy"] == none["play_policy"]


async def test_markup_does_not_count_as_text(client: HuaweiClient) -> None:
    text = "<break time='1s'/>" * 1_000 + "x" * 10_000

    await client.create(ROOMS, changed("scene_scripts.0.shoot_scripts.0.text_config.text", text))


async def test_a_room_has_at_most_so_much_text(client: HuaweiClient) -> None:
    paragraph = {"text_config": {"text": "字" * 9_999}}
    room = changed("scene_scripts.0.shoot_scripts", [paragraph] * 31)

    code, message = await client.refused("POST", ROOMS, room)

    assert code == "MSS.00000003"
    assert message.startswith("Invalid parameter: scene_scripts: ")
    assert "300000" in message
