"""Libraries of interaction rules."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace

from airslice.application.ports.live import GroupQuery, Page, RuleGroupStore
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import QuotaExceeded, RuleGroupNotFound, RuleNotFound
from airslice.domain.interaction_rules import Rule, RuleDraft, RuleGroup
from airslice.domain.script import JsonObject

MAX_GROUPS = 1_000
"""How many groups of rules a project can have."""

MAX_RULES = 500
"""How many rules a group can have."""


class InteractionRules:
    """The groups of rules of all projects.

    Whatever names a group raises RuleGroupNotFound if the project has no such group.
    """

    def __init__(self, *, groups: RuleGroupStore, wall_clock: WallClock) -> None:
        """Begin with what `groups` remembers; `wall_clock` dates changes."""
        self._groups = groups
        self._wall_clock = wall_clock
        self._changing = asyncio.Lock()
        """A rule is changed by writing its group: two changes at once would lose one."""

    async def create_group(
        self, project_id: str, name: str, drafts: Sequence[RuleDraft] = ()
    ) -> RuleGroup:
        """Make a group with rules.

        Raises:
            QuotaExceeded: the project has `MAX_GROUPS`, or these are over `MAX_RULES`.
        """
        _check_number(len(drafts))
        if (await self._groups.groups(project_id, GroupQuery())).count >= MAX_GROUPS:
            raise QuotaExceeded(f"a project has at most {MAX_GROUPS} groups of rules")
        now_ms = self._wall_clock.utc_ms()
        group = RuleGroup(
            group_id=str(uuid.uuid4()),
            project_id=project_id,
            name=name,
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            rules=tuple(_new_rule(draft.document, now_ms) for draft in drafts),
        )
        await self._groups.save_group(group)
        return group

    async def show_group(self, project_id: str, group_id: str) -> RuleGroup:
        """Return a group."""
        group = await self._groups.find_group(project_id, group_id)
        if group is None:
            raise RuleGroupNotFound(f"there is no group of rules {group_id}")
        return group

    async def list_groups(self, project_id: str, query: GroupQuery) -> Page[RuleGroup]:
        """Return groups without their rules, the earliest created first."""
        return await self._groups.groups(project_id, query)

    async def update_group(
        self, project_id: str, group_id: str, name: str, drafts: Sequence[RuleDraft] | None
    ) -> RuleGroup:
        """Replace a group's name and, where they are given, its rules.

        A draft that names the index of a rule replaces that rule, whose id and index stay.

        Raises:
            QuotaExceeded: these are over `MAX_RULES`.
        """
        _check_number(len(drafts or ()))
        async with self._changing:
            group = await self.show_group(project_id, group_id)
            now_ms = self._wall_clock.utc_ms()
            rules = group.rules
            if drafts is not None:
                former = {rule.rule_index: rule for rule in rules}
                rules = tuple(
                    _replaced(former.pop(draft.rule_index, None), draft.document, now_ms)
                    for draft in drafts
                )
            return await self._save(group, name=name, rules=rules, now_ms=now_ms)

    async def remove_group(self, project_id: str, group_id: str) -> None:
        """Remove a group; rooms keep the rules that they took from it."""
        async with self._changing:
            await self.show_group(project_id, group_id)
            await self._groups.remove_group(project_id, group_id)

    async def create_rule(self, project_id: str, group_id: str, document: JsonObject) -> Rule:
        """Append a rule to a group.

        Raises:
            QuotaExceeded: it has `MAX_RULES`.
        """
        async with self._changing:
            group = await self.show_group(project_id, group_id)
            _check_number(len(group.rules) + 1)
            now_ms = self._wall_clock.utc_ms()
            rule = _new_rule(document, now_ms)
            await self._save(group, name=group.name, rules=(*group.rules, rule), now_ms=now_ms)
        return rule

    async def update_rule(
        self,
        project_id: str,
        group_id: str,
        rule_id: str,
        document: JsonObject,
        *,
        kept: frozenset[str] = frozenset(),
    ) -> Rule:
        """Replace a rule; its id and index stay.

        Args:
            project_id: Whose the group is.
            group_id: Which of the project's.
            rule_id: Which of the group's.
            document: What it says from now on.
            kept: Names of what the former document goes on saying, if this one does not.

        Raises:
            RuleNotFound: the group has no such rule.
        """
        async with self._changing:
            group = await self.show_group(project_id, group_id)
            now_ms = self._wall_clock.utc_ms()
            former = _rule_of(group, rule_id)
            stays = {name: former.document[name] for name in kept & former.document.keys()}
            changed = _replaced(former, {**stays, **document}, now_ms)
            rules = tuple(changed if r.rule_id == rule_id else r for r in group.rules)
            await self._save(group, name=group.name, rules=rules, now_ms=now_ms)
        return changed

    async def remove_rule(self, project_id: str, group_id: str, rule_id: str) -> None:
        """Remove a rule.

        Raises:
            RuleNotFound: the group has no such rule.
        """
        async with self._changing:
            group = await self.show_group(project_id, group_id)
            removed = _rule_of(group, rule_id)
            rules = tuple(rule for rule in group.rules if rule is not removed)
            now_ms = self._wall_clock.utc_ms()
            await self._save(group, name=group.name, rules=rules, now_ms=now_ms)

    async def _save(
        self, group: RuleGroup, *, name: str, rules: tuple[Rule, ...], now_ms: int
    ) -> RuleGroup:
        changed = replace(group, name=name, rules=rules, updated_at_ms=now_ms)
        await self._groups.save_group(changed)
        return changed


def _check_number(rules: int) -> None:
    if rules > MAX_RULES:
        raise QuotaExceeded(f"a group has at most {MAX_RULES} rules")


def _rule_of(group: RuleGroup, rule_id: str) -> Rule:
    for rule in group.rules:
        if rule.rule_id == rule_id:
            return rule
    raise RuleNotFound(f"there is no rule {rule_id} in group {group.group_id}")


def _new_rule(document: JsonObject, now_ms: int) -> Rule:
    return Rule(
        rule_id=str(uuid.uuid4()),
        rule_index=str(uuid.uuid4()),
        document=document,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def _replaced(former: Rule | None, document: JsonObject, now_ms: int) -> Rule:
    if former is None:
        return _new_rule(document, now_ms)
    return replace(former, document=document, updated_at_ms=now_ms)
