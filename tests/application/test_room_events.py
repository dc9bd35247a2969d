"""What sessions mean for rooms, users and streams."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.application import room_events
from airslice.application.room_events import Attendance, RoomEvents
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import StoreFailed
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
from tests.application.stage import HandClock

ROOM = RoomKey("app", "room")
ANN, SCREEN = StreamKey("ann"), StreamKey("ann", StreamType.SCREEN)

streams = st.builds(StreamKey, st.sampled_from(["ann", "bob"]), st.sampled_from(StreamType))
places = st.tuples(st.builds(RoomKey, st.just("app"), st.sampled_from(["r", "s"])), streams)
steps = st.lists(st.tuples(places, st.booleans(), st.sampled_from(EndReason)), max_size=60)


@given(steps)
def test_any_sessions_make_a_well_ordered_story(
    steps: list[tuple[tuple[RoomKey, StreamKey], bool, EndReason]],
) -> None:
    attendance = Attendance()
    sessions: Counter[tuple[RoomKey, StreamKey]] = Counter()
    story = Story()

    for at_ms, (place, begins, reason) in enumerate(steps):
        if begins:
            sessions[place] += 1
            told = attendance.session_began(*place, at_ms=at_ms)
        elif sessions[place]:
            sessions[place] -= 1
            told = attendance.session_ended(*place, reason, at_ms=at_ms)
        else:
            continue
        for event in told:
            assert event.at_ms == at_ms
            story.tell(event)
        open_places = {place for place, count in sessions.items() if count}
        assert story.streams == open_places
        assert story.users == {(room, stream.user_id) for room, stream in open_places}
        assert story.rooms == {room for room, _ in open_places}
        for room in story.rooms:
            users = attendance.users_in(room)
            assert sorted(users) == sorted(user for key, user in story.users if key == room)


class Story:
    """Believes each event, if it can be true after those before it."""

    def __init__(self) -> None:
        self.rooms: set[RoomKey] = set()
        self.users: set[tuple[RoomKey, str]] = set()
        self.streams: set[tuple[RoomKey, StreamKey]] = set()

    def tell(self, event: RoomEvent) -> None:
        room = event.room
        match event:
            case RoomOpened():
                assert room not in self.rooms
                self.rooms.add(room)
            case UserJoined(user_id=user):
                assert room in self.rooms
                assert (room, user) not in self.users
                self.users.add((room, user))
            case StreamStarted(stream=stream):
                assert (room, stream.user_id) in self.users
                assert (room, stream) not in self.streams
                self.streams.add((room, stream))
            case StreamStopped(stream=stream):
                self.streams.remove((room, stream))
            case UserLeft(user_id=user):
                assert not any(k == room and s.user_id == user for k, s in self.streams)
                self.users.remove((room, user))
            case RoomClosed():
                assert not any(key == room for key, _ in self.users)
                self.rooms.remove(room)


def test_users_are_listed_in_the_order_in_which_they_came() -> None:
    attendance = Attendance()
    for user in ("cid", "ann", "bob"):
        attendance.session_began(ROOM, StreamKey(user), at_ms=0)
    attendance.session_began(ROOM, StreamKey("ann", StreamType.SCREEN), at_ms=0)
    attendance.session_ended(ROOM, StreamKey("cid"), EndReason.LEFT, at_ms=0)

    assert attendance.users_in(ROOM) == ["ann", "bob"]


def test_a_first_and_last_session_tell_of_room_user_and_stream() -> None:
    attendance = Attendance()

    assert attendance.session_began(ROOM, ANN, at_ms=1) == [
        RoomOpened(room=ROOM, at_ms=1),
        UserJoined(room=ROOM, user_id="ann", at_ms=1),
        StreamStarted(room=ROOM, stream=ANN, at_ms=1),
    ]
    assert attendance.session_ended(ROOM, ANN, EndReason.LOST, at_ms=2) == [
        StreamStopped(room=ROOM, stream=ANN, reason=StreamStopReason.USER_LEFT, at_ms=2),
        UserLeft(room=ROOM, user_id="ann", reason=EndReason.LOST, at_ms=2),
        RoomClosed(room=ROOM, at_ms=2),
    ]


@pytest.mark.parametrize(
    ("reason", "first", "second"),
    [
        (EndReason.LEFT, StreamStopReason.UNPUBLISHED, StreamStopReason.USER_LEFT),
        (EndReason.LOST, StreamStopReason.UNPUBLISHED, StreamStopReason.USER_LEFT),
        (EndReason.KICKED, StreamStopReason.USER_LEFT, StreamStopReason.USER_LEFT),
        (EndReason.DISMISSED, StreamStopReason.USER_LEFT, StreamStopReason.USER_LEFT),
        (EndReason.BANNED, StreamStopReason.BANNED, StreamStopReason.BANNED),
    ],
)
def test_a_stream_stops_alone_unless_its_user_is_sent_out(
    reason: EndReason, first: StreamStopReason, second: StreamStopReason
) -> None:
    attendance = Attendance()
    for stream in (ANN, SCREEN):
        attendance.session_began(ROOM, stream, at_ms=0)

    told = [
        event
        for stream in (SCREEN, ANN)
        for event in attendance.session_ended(ROOM, stream, reason, at_ms=0)
    ]

    assert [event.reason for event in told if isinstance(event, StreamStopped)] == [first, second]


class SlowSink:
    """Takes events one after another, some of them not (port `EventSink`)."""

    def __init__(self) -> None:
        self.taken: dict[str, list[str]] = defaultdict(list)
        self.refused = 0

    async def announce(self, event: RoomEvent) -> None:
        await asyncio.sleep(0)
        if self.refused:
            self.refused -= 1
            raise StoreFailed("the disk is full")
        self.taken[event.room.room_id].append(type(event).__name__)


async def test_events_are_announced_in_order_and_all_of_them_before_the_end() -> None:
    sink = SlowSink()
    events = RoomEvents(sink=sink, wall_clock=WallClock(HandClock()))

    events.session_began(ROOM, ANN)
    await asyncio.sleep(0)
    events.session_ended(ROOM, ANN, EndReason.LEFT)
    await events.close()

    assert sink.taken["room"] == [
        "RoomOpened", "UserJoined", "StreamStarted", "StreamStopped", "UserLeft", "RoomClosed",
    ]  # fmt: skip
    assert events.lost_events == 0


async def test_an_event_that_nobody_takes_is_counted_and_the_next_one_told() -> None:
    sink = SlowSink()
    sink.refused = 1
    events = RoomEvents(sink=sink, wall_clock=WallClock(HandClock()))

    events.session_began(ROOM, ANN)
    await events.close()

    assert sink.taken["room"] == ["UserJoined", "StreamStarted"]
    assert events.lost_events == 1


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_events, "MAX_WAITING", 2)
    sink = SlowSink()
    events = RoomEvents(sink=sink, wall_clock=WallClock(HandClock()))

    events.session_began(ROOM, ANN)
    await events.close()

    assert sink.taken["room"] == ["RoomOpened", "UserJoined"]
    assert events.lost_events == 1
