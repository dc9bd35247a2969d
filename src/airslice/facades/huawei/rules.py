"""Interaction rules and their libraries: wire structs, and what the operations on them call."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from msgspec import Meta, structs, to_builtins

from airslice.application.ports.live import GroupQuery
from airslice.domain.interaction_rules import Rule, RuleDraft, RuleGroup
from airslice.domain.script import JsonObject
from airslice.facades.huawei.calls import Call
from airslice.facades.huawei.fields import (
    Id,
    Name,
    NoBody,
    NoQuery,
    Text256,
    Text1024,
    Url,
    WindowQuery,
    Wire,
    rfc3339,
)
from airslice.facades.huawei.layers import SmartLayerConfig

PlayType = Literal["APPEND", "INSERT", "PLAY_NOW"]
EventType = Annotated[int, Meta(ge=0, le=100)]


class ReviewConfig(Wire, frozen=True, kw_only=True):
    """Whether contents are reviewed; kept and shown."""

    no_need_review: bool | None = None


class HitConditionTag(Wire, frozen=True, kw_only=True):
    """A test of one field of an event."""

    tag: Text256 | None = None
    operation: Literal["SUM", "AVG", "COUNT", "NONE"] | None = None
    match: (
        Literal["EQUAL", "REGEX", "MATH_GT", "MATH_GE", "MATH_LT", "MATH_LE", "MATH_EQ"] | None
    ) = None
    value: Text1024 | None = None


class HitCondition(Wire, frozen=True, kw_only=True):
    """When a rule fires."""

    relation: Literal["AND", "OR", "RESERVED"] | None = None
    priority: Annotated[int, Meta(ge=0, le=999)] | None = None
    tags: Annotated[list[HitConditionTag], Meta(max_length=1_000)] | None = None


class ReplyAudioInfo(Wire, frozen=True, kw_only=True):
    """A recording to reply with."""

    audio_url: Url | None = None
    audio_name: Text256 | None = None


class TriggerProcess(Wire, frozen=True, kw_only=True):
    """What a rule does."""

    time_window: Annotated[int, Meta(ge=-1, le=7_200)] | None = None
    reply_mode: (
        Literal[
            "SYSTEM_REPLY",
            "CALLBACK",
            "SYSTEM_REPLY_AND_CALLBACK",
            "SHOW_LAYER",
            "INTELLIGENT_REPLY",
        ]
        | None
    ) = None
    layer_config: SmartLayerConfig | None = None
    extra_layer_config: SmartLayerConfig | None = None
    reply_texts: Annotated[list[Text1024], Meta(max_length=5)] | None = None
    reply_audios: Annotated[list[ReplyAudioInfo], Meta(max_length=5)] | None = None
    reply_order: Literal["RANDOM", "ORDER"] | None = None
    reply_role: Literal["STREAMER", "CO_STREAMER"] | None = None
    robot_id: Id | None = None
    play_type: PlayType | None = None


KEPT_BY_UPDATES = frozenset({"enabled", "review_config"})
"""Fields of a rule that the update of one rule does not have."""


class CreateInteractionRuleReq(Wire, frozen=True, kw_only=True):
    """A rule that is put into a library."""

    rule_name: Text256 | None = None
    event_type: EventType | None = None
    hit_condition: HitCondition | None = None
    trigger: TriggerProcess | None = None

    def document(self) -> JsonObject:
        """Return the rule as JSON in the words of the wire, which is how it is kept."""
        document: JsonObject = to_builtins(self)
        return document


class InteractionRuleInfo(CreateInteractionRuleReq, frozen=True, kw_only=True):
    """A rule of a library that is made together with it."""

    rule_index: Id | None = None
    enabled: bool | None = None
    review_config: ReviewConfig | None = None

    def draft(self) -> RuleDraft:
        """Return the rule for a library, which has its index beside its document."""
        document = {name: value for name, value in self.document().items() if name != "rule_index"}
        return RuleDraft(document=document, rule_index=self.rule_index or "")


class LiveRoomInteractionRuleInfo(InteractionRuleInfo, frozen=True, kw_only=True):
    """A rule of a room."""

    group_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    group_name: Name | None = None
    enabled_scenes: Annotated[list[Name], Meta(max_length=100)] | None = None


class InteractionRuleDetailInfo(InteractionRuleInfo, frozen=True, kw_only=True):
    """A rule of a library as it stands."""

    rule_id: str | None = None
    create_time: str | None = None
    update_time: str | None = None

    @classmethod
    def of(cls, rule: Rule) -> InteractionRuleDetailInfo:
        """Return what shows a rule."""
        document: dict[str, Any] = dict(rule.document)
        return cls(
            **{
                **document,
                "rule_index": rule.rule_index,
                "rule_id": rule.rule_id,
                "create_time": rfc3339(rule.created_at_ms),
                "update_time": rfc3339(rule.updated_at_ms),
            }
        )


class InteractionRuleGroup(Wire, frozen=True, kw_only=True):
    """A library of rules."""

    group_name: Name
    interaction_rules: Annotated[list[InteractionRuleInfo], Meta(max_length=1_000)] | None = None

    def drafts(self) -> tuple[RuleDraft, ...] | None:
        """Return the rules that are given; None where none are."""
        if self.interaction_rules is None:
            return None
        return tuple(rule.draft() for rule in self.interaction_rules)


class InteractionRuleGroupId(Wire, frozen=True, kw_only=True):
    """Which library was made."""

    group_id: str


class InteractionRuleGroupSummary(Wire, frozen=True, kw_only=True):
    """A library without its rules."""

    group_id: str | None = None
    group_name: str | None = None
    create_time: str | None = None
    update_time: str | None = None

    @classmethod
    def of(cls, group: RuleGroup) -> Self:
        """Return what shows a library without its rules."""
        return cls(
            group_id=group.group_id,
            group_name=group.name,
            create_time=rfc3339(group.created_at_ms),
            update_time=rfc3339(group.updated_at_ms),
        )


class InteractionRuleGroupDetail(InteractionRuleGroupSummary, frozen=True, kw_only=True):
    """A library; a list of libraries leaves the rules out."""

    interaction_rules: list[InteractionRuleDetailInfo] | None = None

    @classmethod
    def of_group(cls, group: RuleGroup, *, with_rules: bool) -> InteractionRuleGroupDetail:
        """Return what shows a library, with its rules or without."""
        rules = [InteractionRuleDetailInfo.of(rule) for rule in group.rules]
        return structs.replace(cls.of(group), interaction_rules=rules if with_rules else None)


class InteractionRuleGroupsQuery(WindowQuery, frozen=True, kw_only=True):
    """Which libraries are asked for."""

    create_since: str | None = None
    create_until: str | None = None
    group_name: str | None = None

    def query(self) -> GroupQuery:
        """Return the query that is asked for."""
        return GroupQuery(
            window=self.window(self.create_since, self.create_until), name=self.group_name or ""
        )


class InteractionRuleGroups(Wire, frozen=True, kw_only=True):
    """Some libraries, and how many there are."""

    count: int
    interaction_rule_groups: list[InteractionRuleGroupDetail]


class InteractionRuleGroupSummaries(Wire, frozen=True, kw_only=True):
    """Some libraries, and how many there are."""

    count: int
    interaction_rule_groups: list[InteractionRuleGroupSummary]


async def create_group(call: Call[NoQuery, InteractionRuleGroup]) -> InteractionRuleGroupId:
    """Make a library of interaction rules."""
    drafts = call.body.drafts() or ()
    group = await call.use_cases.rules.create_group(call.project_id, call.body.group_name, drafts)
    return InteractionRuleGroupId(group_id=group.group_id)


async def list_groups(call: Call[InteractionRuleGroupsQuery, NoBody]) -> InteractionRuleGroups:
    """List libraries of interaction rules."""
    found = await call.use_cases.rules.list_groups(call.project_id, call.query.query())
    shown = [InteractionRuleGroupDetail.of_group(group, with_rules=False) for group in found.items]
    return InteractionRuleGroups(count=found.count, interaction_rule_groups=shown)


async def summarize_groups(
    call: Call[InteractionRuleGroupsQuery, NoBody],
) -> InteractionRuleGroupSummaries:
    """List libraries of interaction rules by their names."""
    found = await call.use_cases.rules.list_groups(call.project_id, call.query.query())
    shown = [InteractionRuleGroupSummary.of(group) for group in found.items]
    return InteractionRuleGroupSummaries(count=found.count, interaction_rule_groups=shown)


async def show_group(call: Call[NoQuery, NoBody]) -> InteractionRuleGroupDetail:
    """Show a library of interaction rules."""
    group = await call.use_cases.rules.show_group(call.project_id, call.ids["group_id"])
    return InteractionRuleGroupDetail.of_group(group, with_rules=True)


async def update_group(call: Call[NoQuery, InteractionRuleGroup]) -> InteractionRuleGroupDetail:
    """Change a library of interaction rules."""
    group = await call.use_cases.rules.update_group(
        call.project_id, call.ids["group_id"], call.body.group_name, call.body.drafts()
    )
    return InteractionRuleGroupDetail.of_group(group, with_rules=True)


async def delete_group(call: Call[NoQuery, NoBody]) -> NoBody:
    """Delete a library of interaction rules."""
    await call.use_cases.rules.remove_group(call.project_id, call.ids["group_id"])
    return NoBody()


async def create_rule(call: Call[NoQuery, CreateInteractionRuleReq]) -> InteractionRuleDetailInfo:
    """Add a rule to a library."""
    document = call.body.document()
    return InteractionRuleDetailInfo.of(
        await call.use_cases.rules.create_rule(call.project_id, call.ids["group_id"], document)
    )


async def update_rule(call: Call[NoQuery, CreateInteractionRuleReq]) -> InteractionRuleDetailInfo:
    """Replace a rule of a library."""
    group_id, rule_id = call.ids["group_id"], call.ids["rule_id"]
    return InteractionRuleDetailInfo.of(
        await call.use_cases.rules.update_rule(
            call.project_id, group_id, rule_id, call.body.document(), kept=KEPT_BY_UPDATES
        )
    )


async def delete_rule(call: Call[NoQuery, NoBody]) -> NoBody:
    """Delete a rule of a library."""
    await call.use_cases.rules.remove_rule(
        call.project_id, call.ids["group_id"], call.ids["rule_id"]
    )
    return NoBody()
