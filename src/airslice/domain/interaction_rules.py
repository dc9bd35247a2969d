"""Interaction rules: what a presenter does when the audience does something.

Rules are kept for their owner; which rule fires is decided by the owner's client.
"""

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
    """One interaction rule of a group."""

    rule_id: str
    rule_index: str
    """Names the rule in the commands that it causes."""
    document: JsonObject
    """The rule as its owner gave it: name, condition and reply."""
    created_at_ms: int
    """When the rule was made: UTC, milliseconds since the Unix epoch."""
    updated_at_ms: int
    """When the rule last changed: UTC, milliseconds since the Unix epoch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleGroup:
    """A group of rules that an owner keeps, from which live rooms take theirs."""

    group_id: str
    project_id: str
    name: str
    created_at_ms: int
    """When the group was made: UTC, milliseconds since the Unix epoch."""
    updated_at_ms: int
    """When the group or one of its rules last changed: UTC, milliseconds since the Unix epoch."""
    rules: tuple[Rule, ...] = ()
