"""What projects set for all their broadcasts."""

from __future__ import annotations

import asyncio

import pytest

from airslice.application.catalogue.live_user_config import LiveUserConfigs
from airslice.domain.live_user_config import (
    LiveUserConfig,
    NotifyAction,
    NotifyChange,
    NotifyEvent,
)
from airslice.domain.script import LiveExit
from tests.support.memory.live_resources import MemoryLiveUserConfigStore
from tests.support.values.live_values import CALLBACK, PROJECT

ALL = frozenset(NotifyEvent)


class SlowConfigs(MemoryLiveUserConfigStore):
    """Lets others in while a setting is looked up."""

    async def find_config(self, project_id: str) -> LiveUserConfig | None:
        found = await super().find_config(project_id)
        await asyncio.sleep(0)
        return found


@pytest.fixture
def configs() -> LiveUserConfigs:
    return LiveUserConfigs(configs=SlowConfigs())


async def test_a_project_begins_with_nothing_set(configs: LiveUserConfigs) -> None:
    assert await configs.show(PROJECT) == LiveUserConfig(project_id=PROJECT)


async def test_what_is_not_given_is_kept_even_by_changes_at_once(configs: LiveUserConfigs) -> None:
    await asyncio.gather(
        configs.update(PROJECT, live_exit=LiveExit(max_live_h=3)),
        configs.update(PROJECT, callback=CALLBACK),
        configs.update(PROJECT, notify=NotifyChange(action=NotifyAction.ADD, events=ALL)),
    )

    assert await configs.show(PROJECT) == LiveUserConfig(
        project_id=PROJECT, exit=LiveExit(max_live_h=3), callback=CALLBACK, notify_events=ALL
    )
    assert await configs.show("other") == LiveUserConfig(project_id="other")


@pytest.mark.parametrize(
    ("action", "events", "become"),
    [
        (NotifyAction.ADD, frozenset(), ALL),
        (NotifyAction.DELETE, ALL, frozenset()),
        (NotifyAction.DELETE, frozenset(), ALL),
        (NotifyAction.REPLACE, frozenset(), frozenset()),
        (NotifyAction.REPLACE, ALL, ALL),
    ],
)
async def test_the_list_of_notifications_is_changed_as_asked(
    configs: LiveUserConfigs,
    action: NotifyAction,
    events: frozenset[NotifyEvent],
    become: frozenset[NotifyEvent],
) -> None:
    await configs.update(PROJECT, notify=NotifyChange(action=NotifyAction.REPLACE, events=ALL))

    config = await configs.update(PROJECT, notify=NotifyChange(action=action, events=events))

    assert config.notify_events == become
