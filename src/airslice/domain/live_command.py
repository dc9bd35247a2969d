"""What a broadcast is told while it is on air: commands, and what its audience does."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from airslice.domain.script import JsonObject


class CommandName(StrEnum):
    """What can be commanded."""

    INSERT_PLAY_SCRIPT = "INSERT_PLAY_SCRIPT"
    INSERT_PLAY_AUDIO = "INSERT_PLAY_AUDIO"
    REWRITE_PLAY_SCRIPT = "REWRITE_PLAY_SCRIPT"
    REWRITE_INTERACTION_RULES = "REWRITE_INTERACTION_RULES"
    REFRESH_OUTPUT_URL = "REFRESH_OUTPUT_URL"
    CLEAN_UP_INSERT_COMMAND = "CLEAN_UP_INSERT_COMMAND"
    RESET_EXIT_CONFIG = "RESET_EXIT_CONFIG"
    GET_CURRENT_PLAYING_SCRIPTS = "GET_CURRENT_PLAYING_SCRIPTS"
    GET_LIVE_JOB_CONFIG_INFO = "GET_LIVE_JOB_CONFIG_INFO"


INSERTS = frozenset({CommandName.INSERT_PLAY_SCRIPT, CommandName.INSERT_PLAY_AUDIO})
"""Wait for their turn, and can be taken back until then."""

REWRITES = frozenset({CommandName.REWRITE_PLAY_SCRIPT, CommandName.REWRITE_INTERACTION_RULES})
"""Can be confirmed or rejected by a person."""

STORED = INSERTS | REWRITES | {CommandName.REFRESH_OUTPUT_URL}
"""The others are carried out at once."""


class CommandState(StrEnum):
    """Where a stored command is in its life."""

    QUEUED = "QUEUED"
    """Not carried out yet, nor judged by anybody."""
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    DONE = "DONE"


class CommandSource(StrEnum):
    """Where a command comes from."""

    EXTERNAL = "EXTERNAL"
    """The owner."""
    AUTO = "AUTO"
    """An interaction rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveCommand:
    """A command that a job has taken."""

    command_id: str
    project_id: str
    room_id: str
    job_id: str
    name: CommandName
    params: JsonObject = field(repr=False)
    """The parameters in the owner's words; they may hold stream keys."""
    created_at_ms: int
    """UTC, milliseconds since the Unix epoch."""
    source: CommandSource = CommandSource.EXTERNAL
    state: CommandState = CommandState.QUEUED


@dataclass(frozen=True, kw_only=True, slots=True)
class AudienceEvent:
    """Something that the audience of a broadcast did."""

    timestamp_ms: int
    """UTC, milliseconds since the Unix epoch, by the reporter's clock."""
    type: int
    """The reporter's number of what was done."""
    content: str
    """The facts: a JSON object, as text."""
