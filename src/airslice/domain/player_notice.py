"""What the players of a broadcast are told while they listen; not what its owner is told."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from airslice.domain.live_control import PlayState
from airslice.domain.playing import Line


class RtcNotice(StrEnum):
    """What an owner can have the players of a broadcast told, in addition to its state."""

    LIVE_PROGRESS = "LIVE_PROGRESS"
    """Which sentence begins."""
    REPLY_COMMAND_FINISH = "REPLY_COMMAND_FINISH"


PlayerNotice: TypeAlias = PlayState | Line
"""What the broadcast does from now on, or the sentence that begins."""
