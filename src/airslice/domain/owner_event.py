"""What the owner of a broadcast is told of it, and where; not what players or audiences are told.

The values of the enumerations are those that files hold since the first version.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from airslice.domain.playing import Line


class OwnerEventKind(StrEnum):
    """What an owner can ask to be told of."""

    PARAGRAPH_BEGAN = "SHOOT_SCRIPT_SWITCH"
    STREAM_STATE_CHANGED = "RTMP_STREAM_STATE_CHANGE"
    REPLY_FINISHED = "REPLY_COMMAND_FINISH"


@dataclass(frozen=True, kw_only=True, slots=True)
class ParagraphBegan:
    """A broadcast has come to the first sentence of a paragraph."""

    kind: ClassVar = OwnerEventKind.PARAGRAPH_BEGAN
    line: Line
    """The paragraph's first sentence."""


class CallbackAuth(StrEnum):
    """How a post proves where it comes from."""

    NONE = "NONE"
    QUERY = "MSS_A"
    """Secret and time as parameters of the address."""
    HEADERS = "MSS_A_HEAD"
    MEITUAN = "MEITUAN_DEFAULT"


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveCallback:
    """An owner's address for the events of a broadcast."""

    url: str = field(repr=False)
    auth: CallbackAuth = CallbackAuth.NONE
    key: str = field(default="", repr=False)
    events: tuple[OwnerEventKind, ...] = ()
