"""Who is told what of a broadcast while it is on air."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class LiveEventKind(StrEnum):
    """What is posted to the owner's address."""

    SHOOT_SCRIPT_SWITCH = "SHOOT_SCRIPT_SWITCH"
    """A paragraph begins."""
    RTMP_STREAM_STATE_CHANGE = "RTMP_STREAM_STATE_CHANGE"
    REPLY_COMMAND_FINISH = "REPLY_COMMAND_FINISH"


class CallbackAuth(StrEnum):
    """How a post proves where it comes from."""

    NONE = "NONE"
    QUERY = "MSS_A"
    """Secret and time as parameters of the address."""
    HEADERS = "MSS_A_HEAD"
    MEITUAN = "MEITUAN_DEFAULT"


class RtcNotice(StrEnum):
    """What players in the RTC room are told."""

    LIVE_PROGRESS = "LIVE_PROGRESS"
    REPLY_COMMAND_FINISH = "REPLY_COMMAND_FINISH"


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveCallback:
    """An owner's address for the events of a broadcast."""

    url: str = field(repr=False)
    auth: CallbackAuth = CallbackAuth.NONE
    key: str = field(default="", repr=False)
    events: tuple[LiveEventKind, ...] = ()
