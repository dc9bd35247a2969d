"""What every store of rule groups, live platforms, settings and commands does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from airslice.application.ports.live import (
    CommandQuery,
    GroupQuery,
    LiveCommandStore,
    LivePlatformStore,
    LiveUserConfigStore,
    RuleGroupStore,
    Window,
)
from airslice.domain.live_command import (
    INSERTS,
    REWRITES,
    AudienceEvent,
    CommandName,
    CommandSource,
    CommandState,
    LiveCommand,
)
from airslice.domain.live_user_config import LiveUserConfig, NotifyEvent
from airslice.domain.script import LiveExit
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.live_commands import SqliteLiveCommandStore
from airslice.persistence.sqlite.live_resources import (
    SqliteLivePlatformStore,
    SqliteLiveUserConfigStore,
    SqliteRuleGroupStore,
)
from tests.support.memory.live_commands import MemoryLiveCommandStore
from tests.support.memory.live_resources import (
    MemoryLivePlatformStore,
    MemoryLiveUserConfigStore,
    MemoryRuleGroupStore,
)
from tests.support.values.live_values import CALLBACK, PROJECT, T0, a_group, a_platform, a_rule


@dataclass
class Stores:
    groups: RuleGroupStore
    platforms: LivePlatformStore
    configs: LiveUserConfigStore
    commands: LiveCommandStore

    async def queued(
        self,
        names: frozenset[CommandName] = INSERTS,
        *,
        job_id: str | None = "job",
        project_id: str = PROJECT,
    ) -> list[str]:
        page = await self.commands.queued_commands(
            project_id, CommandQuery(names=names, job_id=job_id)
        )
        assert page.count == len(page.items)
        return [command.command_id for command in page.items]


@pytest.fixture(params=["memory", "sqlite"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    if request.param == "memory":
        yield Stores(
            MemoryRuleGroupStore(),
            MemoryLivePlatformStore(),
            MemoryLiveUserConfigStore(),
            MemoryLiveCommandStore(),
        )
        return
    database = await SqliteDatabase.open(tmp_path / "airslice.db", bytes(32))
    yield Stores(
        SqliteRuleGroupStore(database),
        SqliteLivePlatformStore(database),
        SqliteLiveUserConfigStore(database),
        SqliteLiveCommandStore(database),
    )
    await database.close()


def a_command(
    command_id: str,
    name: CommandName = CommandName.INSERT_PLAY_SCRIPT,
    *,
    job_id: str = "job",
    project_id: str = PROJECT,
) -> LiveCommand:
    return LiveCommand(
        command_id=command_id,
        project_id=project_id,
        room_id="room",
        job_id=job_id,
        name=name,
        params={"text_config": {"text": "hello"}},
        created_at_ms=T0,
        source=CommandSource.AUTO,
    )


async def test_a_group_comes_back_with_its_rules(stores: Stores) -> None:
    group = a_group(rules=(a_rule("1"), a_rule("2")))
    await stores.groups.save_group(group)
    changed = replace(group, name="other", rules=(a_rule("2"),), updated_at_ms=T0 + 1)

    await stores.groups.save_group(changed)

    assert await stores.groups.find_group(PROJECT, "group-1") == changed
    assert await stores.groups.find_group("other", "group-1") is None


async def test_groups_are_listed_without_rules_the_earliest_first(stores: Stores) -> None:
    await stores.groups.save_group(a_group("b", created_at_ms=T0 + 1, rules=(a_rule(),)))
    await stores.groups.save_group(a_group("a", created_at_ms=T0 + 2, name="Ähnlich"))
    await stores.groups.save_group(a_group("c", created_at_ms=T0))
    await stores.groups.save_group(a_group("d", project_id="other"))

    async def listed(query: GroupQuery) -> tuple[int, list[str]]:
        page = await stores.groups.groups(PROJECT, query)
        assert all(group.rules == () for group in page.items)
        return page.count, [group.group_id for group in page.items]

    assert await listed(GroupQuery()) == (3, ["c", "b", "a"])
    assert await listed(GroupQuery(name="äh")) == (1, ["a"])
    assert await listed(GroupQuery(window=Window(offset=1, limit=1))) == (3, ["b"])
    assert await listed(GroupQuery(window=Window(offset=9))) == (3, [])
    times = Window(created_since_ms=T0 + 1, created_until_ms=T0 + 1)
    assert await listed(GroupQuery(window=times)) == (1, ["b"])


async def test_a_group_is_removed_from_its_project_only(stores: Stores) -> None:
    await stores.groups.save_group(a_group())

    await stores.groups.remove_group("other", "group-1")
    assert await stores.groups.find_group(PROJECT, "group-1") is not None

    await stores.groups.remove_group(PROJECT, "group-1")
    assert await stores.groups.find_group(PROJECT, "group-1") is None


async def test_a_platform_comes_back_as_it_was_saved(stores: Stores) -> None:
    await stores.platforms.save_platform(a_platform("b"))
    await stores.platforms.save_platform(a_platform("a", created_at_ms=T0 - 1))
    changed = replace(a_platform("b"), name="other", key="new", callbacks=(), updated_at_ms=T0 + 1)

    await stores.platforms.save_platform(changed)

    assert await stores.platforms.find_platform(PROJECT, "b") == changed
    assert await stores.platforms.find_platform("other", "b") is None
    listed = await stores.platforms.platforms(PROJECT)
    assert listed == [a_platform("a", created_at_ms=T0 - 1), changed]


async def test_a_platform_is_removed_from_its_project_only(stores: Stores) -> None:
    await stores.platforms.save_platform(a_platform())

    await stores.platforms.remove_platform("other", "platform-1")
    assert len(await stores.platforms.platforms(PROJECT)) == 1

    await stores.platforms.remove_platform(PROJECT, "platform-1")
    assert await stores.platforms.platforms(PROJECT) == []


async def test_a_setting_comes_back_as_it_was_saved(stores: Stores) -> None:
    config = LiveUserConfig(
        project_id=PROJECT,
        exit=LiveExit(max_live_h=5, max_exception_min=0),
        callback=CALLBACK,
        notify_events=frozenset({NotifyEvent.AUTO_EXIT}),
    )
    await stores.configs.save_config(LiveUserConfig(project_id=PROJECT))

    await stores.configs.save_config(config)

    assert await stores.configs.find_config(PROJECT) == config
    assert await stores.configs.find_config("other") is None


async def test_a_command_comes_back_as_it_was_added(stores: Stores) -> None:
    await stores.commands.add_command(a_command("c"))

    page = await stores.commands.queued_commands(PROJECT, CommandQuery(names=INSERTS))

    assert page.items == (a_command("c"),)


async def test_queued_commands_are_filtered_and_come_in_order(stores: Stores) -> None:
    script = CommandName.REWRITE_PLAY_SCRIPT
    for command in (
        a_command("b"),
        a_command("a", CommandName.INSERT_PLAY_AUDIO),
        a_command("other job", job_id="other"),
        a_command("other project", project_id="other"),
        a_command("script", script),
    ):
        await stores.commands.add_command(command)

    assert await stores.queued() == ["b", "a"]
    assert await stores.queued(job_id=None) == ["b", "a", "other job"]
    assert await stores.queued(frozenset({script})) == ["script"]
    assert await stores.queued(project_id="other") == ["other project"]
    page = await stores.commands.queued_commands(
        PROJECT, CommandQuery(names=INSERTS, offset=1, limit=1)
    )
    assert (page.count, [command.command_id for command in page.items]) == (3, ["a"])
    assert await stores.commands.count_commands("job") == 4


async def test_settled_commands_are_queued_no_more(stores: Stores) -> None:
    script, rules = CommandName.REWRITE_PLAY_SCRIPT, CommandName.REWRITE_INTERACTION_RULES
    for command_id, name in (("1", script), ("2", script), ("3", rules), ("4", rules)):
        await stores.commands.add_command(a_command(command_id, name))

    await stores.commands.settle_commands(
        "job", frozenset({script}), frozenset({"1", "3", "unknown"}), CommandState.CONFIRMED
    )
    assert await stores.queued(REWRITES) == ["2", "3", "4"]

    await stores.commands.settle_commands(
        "other", frozenset({rules}), frozenset(), CommandState.REJECTED
    )
    assert await stores.queued(REWRITES) == ["2", "3", "4"]

    await stores.commands.settle_commands(
        "job", frozenset({rules}), frozenset(), CommandState.REJECTED
    )
    assert await stores.queued(REWRITES) == ["2"]
    assert await stores.commands.count_commands("job") == 4


async def test_queued_commands_can_be_removed(stores: Stores) -> None:
    for command_id in "123":
        await stores.commands.add_command(a_command(command_id))
    await stores.commands.add_command(a_command("r", CommandName.REWRITE_PLAY_SCRIPT))
    await stores.commands.settle_commands("job", INSERTS, frozenset({"1"}), CommandState.DONE)

    await stores.commands.remove_queued_commands("job", INSERTS, frozenset({"1", "2"}))
    assert await stores.queued() == ["3"]

    await stores.commands.remove_queued_commands("job", INSERTS, frozenset())
    assert await stores.queued() == []
    assert await stores.queued(REWRITES) == ["r"]
    assert await stores.commands.count_commands("job") == 2


async def test_only_the_latest_events_of_a_job_are_kept(stores: Stores) -> None:
    events = [
        AudienceEvent(timestamp_ms=T0 - n, type=n % 7, content=f'{{"n":{n}}}') for n in range(9)
    ]
    other = AudienceEvent(timestamp_ms=1, type=1, content="{}")
    await stores.commands.add_events("other", (other,), keep=5)

    await stores.commands.add_events("job", tuple(events[:4]), keep=5)
    assert await stores.commands.events("job") == events[:4]

    await stores.commands.add_events("job", tuple(events[4:]), keep=5)
    assert await stores.commands.events("job") == events[-5:]
    assert await stores.commands.events("other") == [other]
    assert await stores.commands.events("unknown") == []
