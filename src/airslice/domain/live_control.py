"""What players see of a broadcast, and may do with it."""

from __future__ import annotations

from enum import StrEnum


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
