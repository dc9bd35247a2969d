"""Interaction rules: what a presenter does when the audience does something."""

from __future__ import annotations

from dataclasses import dataclass

from airslice.domain.script import JsonObject


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleDraft:
    """A rule as its owner gives it."""

    document: JsonObject
    """Name, condition and reply, in the owner's words."""
    rule_index: str = ""
    """Names the rule of the library that this one replaces; empty: it is a new one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule in a library."""

    rule_id: str
    rule_index: str
    """Names it where it fires."""
    document: JsonObject
    """What the owner gave: name, condition and reply."""
    created_at_ms: int
    """UTC, milliseconds since the Unix epoch, as all times here."""
    updated_at_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleGroup:
    """A library of rules, from which rooms take theirs."""

    group_id: str
    project_id: str
    name: str
    created_at_ms: int
    updated_at_ms: int
    """When the group, or one of its rules, was changed the last time."""
    rules: tuple[Rule, ...] = ()
