"""What the players of a broadcast are told while they listen, and may ask of it.

What its owner is told is in `owner_event`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from airslice.domain.playing import Line


class PlayState(StrEnum):
    """What a broadcast does at this moment."""

    PREPROCESSING = "PREPROCESSING"
    """Its first speech is being made."""
    PLAY_READY = "PLAY_READY"
    """A command to start is awaited."""
    PROCESSING = "PROCESSING"
    """On air."""
    PLAY_PAUSE = "PLAY_PAUSE"
    """On air, and silent until it is resumed."""
    PLAY_END = "PLAY_END"


class PlayCommand(StrEnum):
    """What a player may ask for."""

    START = "play_start"
    PAUSE = "play_pause"
    RESUME = "play_resume"
    SHOW_STATE = "get_current_state"


class Timing(StrEnum):
    """When a command takes effect."""

    NOW = "NOW"
    SENTENCE_END = "SENTENCE_END"


class RtcNotice(StrEnum):
    """What an owner can have the players of a broadcast told, in addition to its state."""

    LIVE_PROGRESS = "LIVE_PROGRESS"
    """Which sentence begins."""
    REPLY_COMMAND_FINISH = "REPLY_COMMAND_FINISH"


PlayerNotice: TypeAlias = PlayState | Line
"""What the broadcast does from now on, or the sentence that begins."""
