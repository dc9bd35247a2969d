"""What comes and goes in rooms, and what is told when a server dies."""

from __future__ import annotations

from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.domain.room_event import (
    EndReason,
    Presence,
    RoomClosed,
    RoomEvent,
    RoomOpened,
    StreamStarted,
    StreamStopped,
    StreamStopReason,
    UserJoined,
    UserLeft,
    departures,
    presence_of,
)

ROOM = RoomKey("app", "room")
ANN = StreamKey("ann", StreamType.SCREEN)
LEFT, STOPPED = EndReason.LEFT, StreamStopReason.UNPUBLISHED


def test_what_goes_is_what_had_come_whenever_that_was() -> None:
    pairs: list[tuple[RoomEvent, RoomEvent]] = [
        (RoomOpened(room=ROOM, at_ms=1), RoomClosed(room=ROOM, at_ms=9)),
        (
            UserJoined(room=ROOM, user_id="ann", at_ms=1),
            UserLeft(room=ROOM, user_id="ann", reason=LEFT, at_ms=9),
        ),
        (
            StreamStarted(room=ROOM, stream=ANN, at_ms=1),
            StreamStopped(room=ROOM, stream=ANN, reason=STOPPED, at_ms=9),
        ),
    ]

    for came, went in pairs:
        assert presence_of(came) == presence_of(went)
    assert len({presence_of(came) for came, _ in pairs}) == 3
    assert [presence_of(came).since_ms for came, _ in pairs] == [1, 1, 1]


def test_the_ends_after_a_crash_come_from_the_inside_out() -> None:
    present = [
        Presence(room=ROOM, since_ms=1),
        Presence(room=ROOM, user_id="ann", since_ms=2),
        Presence(room=ROOM, user_id="ann", stream_type=StreamType.SCREEN, since_ms=3),
    ]

    assert departures(present, at_ms=7) == [
        StreamStopped(room=ROOM, stream=ANN, reason=StreamStopReason.USER_LEFT, at_ms=7),
        UserLeft(room=ROOM, user_id="ann", reason=EndReason.SHUTDOWN, at_ms=7),
        RoomClosed(room=ROOM, at_ms=7),
    ]


def test_nothing_ends_before_it_began() -> None:
    [ended] = departures([Presence(room=ROOM, since_ms=10)], at_ms=7)

    assert ended.at_ms == 10
