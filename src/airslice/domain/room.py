"""Rooms, users and the audio streams that users publish into rooms."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

ID_PATTERN = re.compile(r"[a-zA-Z0-9_@\-.]{1,128}")
"""Pattern of business, task, room and user ids.

Source: StartSegment, field TaskId (https://www.volcengine.com/docs/6348/1188212).
"""

MIXED_USER_ID = "mixed"
"""The user id under which the mix of a room's streams appears (StartSegment, Control.Mixed)."""


def is_valid_id(text: str) -> bool:
    """Whether `text` may name a business, task, room, user or file prefix."""
    return ID_PATTERN.fullmatch(text) is not None


class StreamType(IntEnum):
    """What a published audio stream carries; the numbers are Volcengine's StreamType."""

    MAIN = 0
    SCREEN = 1


class RoomKey(NamedTuple):
    """Names a room of an RTC application."""

    app_id: str
    room_id: str


class StreamKey(NamedTuple):
    """Names one published audio stream within a room."""

    user_id: str
    stream_type: StreamType = StreamType.MAIN


MIXED_STREAM = StreamKey(MIXED_USER_ID)
"""The key that stands for the mix of a task's streams."""
