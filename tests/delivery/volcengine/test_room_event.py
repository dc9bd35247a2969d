"""Events of rooms as receivers get them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airslice.delivery.volcengine.room_event import room_event
from airslice.domain.room import RoomKey, StreamKey, StreamType
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

ROOM = RoomKey("appId", "room1")
AT_MS = 1_679_383_924_691
ANN = {"UserId": "ann", "DeviceType": "web"}
MAIN, SCREEN = StreamKey("ann"), StreamKey("ann", StreamType.SCREEN)


def told(event: RoomEvent) -> tuple[str, dict[str, Any]]:
    callback = room_event(event, event_id="123456")
    return callback.event_type, json.loads(callback.data)


def test_a_room_is_told_as_in_the_official_example() -> None:
    callback = room_event(RoomOpened(room=ROOM, at_ms=AT_MS), event_id="123456")

    assert callback.event_type == "RoomCreate"
    assert callback.data == '{"RoomId":"room1","Timestamp":1679383924691}'
    assert (callback.event_id, callback.app_id) == ("123456", "appId")
    assert (callback.version, callback.time_ms) == ("2020-12-01", AT_MS)


@pytest.mark.parametrize(
    ("event", "event_type", "facts"),
    [
        (RoomClosed(room=ROOM, at_ms=AT_MS), "RoomDestroy", {}),
        (
            UserJoined(room=ROOM, user_id="ann", at_ms=AT_MS),
            "UserJoinRoom",
            {**ANN, "ExtraInfo": ""},
        ),
        (
            UserLeft(room=ROOM, user_id="ann", reason=EndReason.LEFT, at_ms=AT_MS),
            "UserLeaveRoom",
            {**ANN, "Reason": "userLeave", "ExtraInfo": ""},
        ),
        (StreamStarted(room=ROOM, stream=MAIN, at_ms=AT_MS), "UserAudioStreamStart", ANN),
        (StreamStarted(room=ROOM, stream=SCREEN, at_ms=AT_MS), "UserScreenAudioStreamStart", ANN),
        (
            StreamStopped(room=ROOM, stream=MAIN, reason=StreamStopReason.UNPUBLISHED, at_ms=AT_MS),
            "UserAudioStreamStop",
            {**ANN, "Reason": "StreamStop"},
        ),
        (
            StreamStopped(room=ROOM, stream=SCREEN, reason=StreamStopReason.USER_LEFT, at_ms=AT_MS),
            "UserScreenAudioStreamStop",
            {**ANN, "Reason": "LeaveRoom"},
        ),
        (
            StreamStopped(room=ROOM, stream=MAIN, reason=StreamStopReason.BANNED, at_ms=AT_MS),
            "UserAudioStreamStop",
            {**ANN, "Reason": "BannedByAdmin"},
        ),
    ],
)
def test_users_and_streams_are_told_with_their_facts(
    event: RoomEvent, event_type: str, facts: dict[str, str]
) -> None:
    assert told(event) == (event_type, {"RoomId": "room1", "Timestamp": AT_MS, **facts})


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (EndReason.LEFT, "userLeave"),
        (EndReason.LOST, "connectionLost"),
        (EndReason.REPLACED, "other"),
        (EndReason.KICKED, "kickedByAdmin"),
        (EndReason.BANNED, "kickedByAdmin"),
        (EndReason.DISMISSED, "roomDismissByAdmin"),
        (EndReason.SHUTDOWN, "other"),
    ],
)
def test_who_left_is_told_with_the_vendors_reason(reason: EndReason, word: str) -> None:
    _, data = told(UserLeft(room=ROOM, user_id="ann", reason=reason, at_ms=AT_MS))

    assert data["Reason"] == word
