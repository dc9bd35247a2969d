"""What a presenter says: scenes of paragraphs, and the policy by which they are played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

JsonObject: TypeAlias = Mapping[str, Any]
"""What an owner gave to be kept and given back, in his own words; without effect here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """How a text is spoken."""

    asset_id: str
    """Names the voice to the speech engine."""
    speed: int = 100
    """Per cent of the voice's own, 50 to 200."""
    pitch: int = 100
    """Per cent of the voice's own, 50 to 200."""
    volume: int = 140
    """90 to 240; 140 is the voice's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """A part of a scene: a text, or a recording that is played instead."""

    number: int
    """The owner's; paragraphs play in the order in which they stand."""
    title: str = ""
    text: str = ""
    """Plain text or SSML."""
    audio_url: str = ""
    """Where an MP3 recording is that is played instead of the text."""
    audio_asset_id: str = ""
    extras: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """Paragraphs that are played in one setting."""

    script_id: str
    """Unique in its room."""
    name: str
    paragraphs: tuple[Paragraph, ...] = ()
    voice: Voice | None = None
    dh_id: str = ""
    """The owner's id of a digital human; only echoed and searched by."""
    model_asset_id: str = ""
    """The owner's id of the digital human's looks; only echoed and searched by."""
    extras: JsonObject = field(default_factory=dict)


class PlayMode(StrEnum):
    """What is played."""

    TEXT = "TEXT"
    AUDIO = "AUDIO"
    NO_PRESET = "NO_PRESET"
    """Nothing by itself: only what is inserted while on air."""


class RandomPlay(StrEnum):
    """What is shuffled, from the second round on."""

    NONE = "NONE"
    SCENE = "SCENE"
    SCRIPT_ITEM = "SCRIPT_ITEM"
    """The paragraphs within each scene."""
    SCENE_AND_SCRIPT_ITEM = "SCENE_AND_SCRIPT_ITEM"


class AutoStop(StrEnum):
    """Where a broadcast ends that has reached its time limit."""

    FORCE_EXIT = "FORCE_EXIT"
    SEGMENT_END = "SEGMENT_END"
    """At the end of the paragraph."""
    SCENE_END = "SCENE_END"
    SCRIPT_END = "SCRIPT_END"


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveExit:
    """When a broadcast ends by itself."""

    max_live_h: int = 0
    """Hours, 0 to 168; 0 is without limit."""
    auto_stop: AutoStop = AutoStop.FORCE_EXIT
    max_exception_min: int | None = None
    """Minutes, 0 to 60, that something may be wrong before the broadcast fails; 0 is without limit,
    None the system's own 3."""


ENDLESS = -1
"""Stands in `PlayPolicy.repeat_count` for no end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayPolicy:
    """How a script is played."""

    repeat_count: int = 0
    """Rounds after the first, 0 to 100, or `ENDLESS`."""
    auto_play: bool = True
    """Whether it starts as soon as it can; otherwise it waits for a command."""
    mode: PlayMode = PlayMode.TEXT
    random: RandomPlay = RandomPlay.SCRIPT_ITEM
    needs_capture_user: bool = False
    """Whether a user is allocated for a client that sends a camera's picture."""
    rewrite_is_delayed: bool = False
    """Whether a rewritten script is played from the next round on, not at once."""
    exit: LiveExit | None = None
    """When the broadcast ends by itself; None: as the owner has set in general."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What one broadcast plays: a room's script as it stood at the start."""

    scenes: tuple[Scene, ...] = ()
    policy: PlayPolicy = PlayPolicy()


class Cursor(NamedTuple):
    """The sentence that comes next, counted from 0 in the order of playing."""

    round: int = 0
    scene: int = 0
    """Place in the round's order, not in the script."""
    paragraph: int = 0
    """Place in the scene's order."""
    sentence: int = 0
    """Place in the paragraph; a recording is one sentence."""
