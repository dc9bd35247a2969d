"""The events of rooms, users and streams: Volcengine's ``RoomCreate`` and its neighbours.

Source: https://www.volcengine.com/docs/6348/75125; the version is that of the example in
https://www.volcengine.com/docs/6348/69820.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import assert_never

from airslice.domain.callback import CallbackEvent
from airslice.domain.room import StreamType
from airslice.domain.room_event import (
    EndReason,
    RoomClosed,
    RoomEvent,
    RoomOpened,
    StreamStarted,
    StreamStopped,
    StreamStopReason,
    UserJoined,
    UserLeft,
)

VERSION = "2020-12-01"

DEVICE_TYPE = "web"
"""Whoever publishes over WebRTC; the other values are of the vendor's own SDKs."""

_STREAM_NAMES: Mapping[StreamType, str] = {
    StreamType.MAIN: "UserAudioStream",
    StreamType.SCREEN: "UserScreenAudioStream",
}

_STOP_REASONS: Mapping[StreamStopReason, str] = {
    StreamStopReason.UNPUBLISHED: "StreamStop",
    StreamStopReason.USER_LEFT: "LeaveRoom",
    StreamStopReason.BANNED: "BannedByAdmin",
}

_LEAVE_REASONS: Mapping[EndReason, str] = {
    EndReason.LEFT: "userLeave",
    EndReason.LOST: "connectionLost",
    EndReason.REPLACED: "other",
    EndReason.KICKED: "kickedByAdmin",
    EndReason.BANNED: "kickedByAdmin",
    EndReason.DISMISSED: "roomDismissByAdmin",
    EndReason.SHUTDOWN: "other",
}


def room_event(event: RoomEvent, event_id: str) -> CallbackEvent:
    """Return the callback that tells of `event`, with a unique id, the same over all tries."""
    event_type, facts = _told(event)
    data = {"RoomId": event.room.room_id, **facts, "Timestamp": event.at_ms}
    return CallbackEvent(
        event_type=event_type,
        event_id=event_id,
        app_id=event.room.app_id,
        version=VERSION,
        time_ms=event.at_ms,
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")),
    )


def _told(event: RoomEvent) -> tuple[str, dict[str, str]]:
    """Return the event's type and what is particular to it."""
    match event:
        case RoomOpened():
            return "RoomCreate", {}
        case RoomClosed():
            return "RoomDestroy", {}
        case UserJoined():
            return "UserJoinRoom", {**_user(event.user_id), "ExtraInfo": ""}
        case UserLeft():
            reason = _LEAVE_REASONS[event.reason]
            return "UserLeaveRoom", {**_user(event.user_id), "Reason": reason, "ExtraInfo": ""}
        case StreamStarted():
            name = _STREAM_NAMES[event.stream.stream_type]
            return f"{name}Start", _user(event.stream.user_id)
        case StreamStopped():
            name = _STREAM_NAMES[event.stream.stream_type]
            reason = _STOP_REASONS[event.reason]
            return f"{name}Stop", {**_user(event.stream.user_id), "Reason": reason}
        case _:
            assert_never(event)


def _user(user_id: str) -> dict[str, str]:
    return {"UserId": user_id, "DeviceType": DEVICE_TYPE}
