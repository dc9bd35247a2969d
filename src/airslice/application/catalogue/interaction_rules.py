"""Libraries of interaction rules."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace

from airslice.application.ports.live import GroupQuery, Page, RuleGroupStore
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import QuotaExceeded, RuleGroupNotFound, RuleNotFound
from airslice.domain.interaction_rules import Rule, RuleGroup
from airslice.domain.script import JsonObject

MAX_GROUPS = 1_000
"""Of a project."""

MAX_RULES = 500
"""Of a group."""

_SERVER_FIELDS = frozenset({"rule_id", "rule_index", "create_time", "update_time"})
"""What a rule's document does not hold: the server says it."""

_KEPT = frozenset({"enabled", "review_config"})
"""Fields that the wire's update of one rule does not have."""


class InteractionRules:
    """The groups of rules of all projects."""

    def __init__(self, *, groups: RuleGroupStore, wall_clock: WallClock) -> None:
        """Begin with what `groups` remembers.

        Args:
            groups: Remembers groups.
            wall_clock: Dates changes.
        """
        self._groups = groups
        self._wall_clock = wall_clock
        self._changing = asyncio.Lock()
        """A rule is changed by writing its group: two changes at once would lose one."""

    async def create_group(
        self, project_id: str, name: str, documents: Sequence[JsonObject] = ()
    ) -> RuleGroup:
        """Make a group with rules.

        Raises:
            QuotaExceeded: the project has `MAX_GROUPS`, or these are over `MAX_RULES`.
        """
        _check_number(len(documents))
        if (await self._groups.groups(project_id, GroupQuery())).count >= MAX_GROUPS:
            raise QuotaExceeded(f"a project has at most {MAX_GROUPS} groups of rules")
        now_ms = self._wall_clock.utc_ms()
        group = RuleGroup(
            group_id=str(uuid.uuid4()),
            project_id=project_id,
            name=name,
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            rules=tuple(_new_rule(document, now_ms) for document in documents),
        )
        await self._groups.save_group(group)
        return group

    async def show_group(self, project_id: str, group_id: str) -> RuleGroup:
        """Return a group.

        Raises:
            RuleGroupNotFound: the project has no such group.
        """
        group = await self._groups.find_group(project_id, group_id)
        if group is None:
            raise RuleGroupNotFound(f"there is no group of rules {group_id}")
        return group

    async def list_groups(self, project_id: str, query: GroupQuery) -> Page[RuleGroup]:
        """Return groups without their rules, the earliest created first."""
        return await self._groups.groups(project_id, query)

    async def update_group(
        self, project_id: str, group_id: str, name: str, documents: Sequence[JsonObject] | None
    ) -> RuleGroup:
        """Replace a group's name and, where they are given, its rules.

        A rule that names its `rule_index` stays the same one.

        Raises:
            RuleGroupNotFound: the project has no such group.
            QuotaExceeded: these are over `MAX_RULES`.
        """
        _check_number(len(documents or ()))
        async with self._changing:
            group = await self.show_group(project_id, group_id)
            now_ms = self._wall_clock.utc_ms()
            rules = group.rules
            if documents is not None:
                former = {rule.rule_index: rule for rule in rules}
                rules = tuple(
                    _replaced(former.pop(document.get("rule_index", ""), None), document, now_ms)
                    for document in documents
                )
            return await self._save(group, name=name, rules=rules, now_ms=now_ms)

    async def remove_group(self, project_id: str, group_id: str) -> None:
        """Remove a group; rooms keep the rules that they took from it.

        Raises:
            RuleGroupNotFound: the project has no such group.
        """
        async with self._changing:
            await self.show_group(project_id, group_id)
            await self._groups.remove_group(project_id, group_id)

    async def create_rule(self, project_id: str, group_id: str, document: JsonObject) -> Rule:
        """Append a rule to a group.

        Raises:
            RuleGroupNotFound: the project has no such group.
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
        self, project_id: str, group_id: str, rule_id: str, document: JsonObject
    ) -> Rule:
        """Replace a rule; its id and index stay, and what only a group's update can say of it.

        Raises:
            RuleGroupNotFound: the project has no such group.
            RuleNotFound: the group has no such rule.
        """
        async with self._changing:
            group = await self.show_group(project_id, group_id)
            now_ms = self._wall_clock.utc_ms()
            former = _rule_of(group, rule_id)
            kept = {name: former.document[name] for name in _KEPT & former.document.keys()}
            changed = _replaced(former, {**kept, **document}, now_ms)
            rules = tuple(changed if r.rule_id == rule_id else r for r in group.rules)
            await self._save(group, name=group.name, rules=rules, now_ms=now_ms)
        return changed

    async def remove_rule(self, project_id: str, group_id: str, rule_id: str) -> None:
        """Remove a rule.

        Raises:
            RuleGroupNotFound, RuleNotFound: as for `update_rule`.
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
        document=_own_words(document),
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def _replaced(former: Rule | None, document: JsonObject, now_ms: int) -> Rule:
    if former is None:
        return _new_rule(document, now_ms)
    return replace(former, document=_own_words(document), updated_at_ms=now_ms)


def _own_words(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name not in _SERVER_FIELDS}
