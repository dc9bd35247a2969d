"""Libraries of interaction rules."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from airslice.application.catalogue import interaction_rules
from airslice.application.catalogue.interaction_rules import InteractionRules
from airslice.application.ports.live import GroupQuery
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import QuotaExceeded, RuleGroupNotFound, RuleNotFound
from airslice.domain.interaction_rules import RuleDraft, RuleGroup
from tests.support.memory.live_resources import MemoryRuleGroupStore
from tests.support.stages.stage import HandClock
from tests.support.values.live_values import PROJECT


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


A, B = RuleDraft(document={"name": "a"}), RuleDraft(document={"name": "b"})


class SlowGroups(MemoryRuleGroupStore):
    """Lets others in while a group is looked up."""

    async def find_group(self, project_id: str, group_id: str) -> RuleGroup | None:
        found = await super().find_group(project_id, group_id)
        await asyncio.sleep(0)
        return found


@pytest.fixture
def rules(clock: HandClock) -> InteractionRules:
    return InteractionRules(groups=SlowGroups(), wall_clock=WallClock(clock))


async def test_a_group_is_made_with_rules_that_have_ids(rules: InteractionRules) -> None:
    drafts = (
        RuleDraft(document={"name": "a"}),
        RuleDraft(document={"name": "b"}, rule_index="mine"),
    )

    group = await rules.create_group(PROJECT, "greetings", drafts)

    assert await rules.show_group(PROJECT, group.group_id) == group
    assert [rule.document for rule in group.rules] == [{"name": "a"}, {"name": "b"}]
    ids = {rule.rule_id for rule in group.rules} | {rule.rule_index for rule in group.rules}
    assert len(ids - {"mine", ""}) == 4


async def test_a_group_is_replaced_but_its_known_rules_stay_the_same_ones(
    rules: InteractionRules, clock: HandClock
) -> None:
    group = await rules.create_group(PROJECT, "old", (A, B))
    first, second = group.rules
    clock.now_ns += 7_000_000

    changed = await rules.update_group(
        PROJECT,
        group.group_id,
        "new",
        (
            RuleDraft(document={"name": "c"}),
            RuleDraft(document={"name": "b2"}, rule_index=second.rule_index),
            RuleDraft(document={"name": "b3"}, rule_index=second.rule_index),
        ),
    )

    assert changed.name == "new"
    assert changed.updated_at_ms == group.created_at_ms + 7 == changed.rules[1].updated_at_ms
    assert [rule.document["name"] for rule in changed.rules] == ["c", "b2", "b3"]
    assert changed.rules[1].rule_id == second.rule_id
    assert changed.rules[1].created_at_ms == second.created_at_ms
    assert len({rule.rule_id for rule in changed.rules} | {first.rule_id}) == 4
    assert await rules.show_group(PROJECT, group.group_id) == changed


async def test_a_group_can_be_renamed_without_its_rules(rules: InteractionRules) -> None:
    group = await rules.create_group(PROJECT, "old", (A,))

    changed = await rules.update_group(PROJECT, group.group_id, "new", None)

    assert changed.rules == group.rules
    assert (await rules.update_group(PROJECT, group.group_id, "new", ())).rules == ()


async def test_a_rule_is_added_changed_and_removed(
    rules: InteractionRules, clock: HandClock
) -> None:
    draft = RuleDraft(document={"name": "a", "enabled": False, "other": 1})
    group = await rules.create_group(PROJECT, "group", (draft,))
    (first,) = group.rules
    clock.now_ns += 1_000_000

    added = await rules.create_rule(PROJECT, group.group_id, {"name": "b"})
    changed = await rules.update_rule(
        PROJECT,
        group.group_id,
        first.rule_id,
        {"name": "a2"},
        kept=frozenset({"enabled", "name", "none"}),
    )

    assert changed.document == {"name": "a2", "enabled": False}
    assert (changed.rule_id, changed.rule_index) == (first.rule_id, first.rule_index)
    assert changed.updated_at_ms == first.created_at_ms + 1
    shown = await rules.show_group(PROJECT, group.group_id)
    assert shown.rules == (changed, added)
    assert shown.updated_at_ms == group.created_at_ms + 1

    await rules.remove_rule(PROJECT, group.group_id, first.rule_id)
    assert (await rules.show_group(PROJECT, group.group_id)).rules == (added,)


async def test_rules_added_at_the_same_time_are_all_kept(rules: InteractionRules) -> None:
    group = await rules.create_group(PROJECT, "group")

    await asyncio.gather(
        *(rules.create_rule(PROJECT, group.group_id, {"name": str(n)}) for n in range(20))
    )

    assert len((await rules.show_group(PROJECT, group.group_id)).rules) == 20


async def test_groups_are_listed_and_removed(rules: InteractionRules) -> None:
    group = await rules.create_group(PROJECT, "group", (A,))

    assert (await rules.list_groups(PROJECT, GroupQuery())).count == 1

    await rules.remove_group(PROJECT, group.group_id)
    assert (await rules.list_groups(PROJECT, GroupQuery())).count == 0


async def test_what_is_not_there_or_not_the_projects_is_not_found(rules: InteractionRules) -> None:
    group = await rules.create_group(PROJECT, "group", (A,))
    rule_id = group.rules[0].rule_id
    attempts: list[Coroutine[Any, Any, object]] = [
        rules.show_group("other", group.group_id),
        rules.update_group("other", group.group_id, "name", ()),
        rules.remove_group("other", group.group_id),
        rules.create_rule("other", group.group_id, {}),
        rules.update_rule("other", group.group_id, rule_id, {}),
        rules.remove_rule("other", group.group_id, rule_id),
        rules.show_group(PROJECT, "unknown"),
    ]

    for attempt in attempts:
        with pytest.raises(RuleGroupNotFound):
            await attempt
    for attempt in (
        rules.update_rule(PROJECT, group.group_id, "unknown", {}),
        rules.remove_rule(PROJECT, group.group_id, "unknown"),
    ):
        with pytest.raises(RuleNotFound):
            await attempt
    assert await rules.show_group(PROJECT, group.group_id) == group


async def test_groups_and_rules_are_bounded(
    rules: InteractionRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interaction_rules, "MAX_GROUPS", 2)
    monkeypatch.setattr(interaction_rules, "MAX_RULES", 2)
    full = await rules.create_group(PROJECT, "full", (A, B))
    await rules.create_group(PROJECT, "empty")

    for attempt in (
        rules.create_group(PROJECT, "third"),
        rules.create_group("other", "too many rules", (A, B, A)),
        rules.update_group(PROJECT, full.group_id, "full", (A, B, A)),
        rules.create_rule(PROJECT, full.group_id, {}),
    ):
        with pytest.raises(QuotaExceeded, match="at most 2"):
            await attempt
