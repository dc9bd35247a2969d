"""What sessions mean for rooms, users and streams."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.application.rooms import room_events
from airslice.application.rooms.room_events import Attendance, RoomEvents
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
from tests.support.memory.presences import MemoryPresences
from tests.support.stages.stage import HandClock

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


def room_events_of(
    sink: SlowSink, presences: MemoryPresences | None = None, clock: HandClock | None = None
) -> RoomEvents:
    return RoomEvents(
        sink=sink,
        presences=presences or MemoryPresences(),
        wall_clock=WallClock(clock or HandClock()),
    )


async def test_events_are_announced_in_order_and_all_of_them_before_the_end() -> None:
    sink = SlowSink()
    events = room_events_of(sink)

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
    events = room_events_of(sink)

    events.session_began(ROOM, ANN)
    await events.close()

    assert sink.taken["room"] == ["UserJoined", "StreamStarted"]
    assert events.lost_events == 1


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_events, "MAX_WAITING", 2)
    sink = SlowSink()
    events = room_events_of(sink)

    events.session_began(ROOM, ANN)
    await events.close()

    assert sink.taken["room"] == ["RoomOpened", "UserJoined"]
    assert events.lost_events == 1


class ToldEvents(SlowSink):
    """Keeps the events themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[RoomEvent] = []

    async def announce(self, event: RoomEvent) -> None:
        self.told.append(event)


class TestCrash:
    """What is told when a server dies with users in rooms, and another is started."""

    async def test_whoever_was_there_has_left_at_the_last_sign(self) -> None:
        presences, clock = MemoryPresences(), HandClock()
        events = room_events_of(SlowSink(), presences, clock)
        elsewhere, bob = RoomKey("app", "elsewhere"), StreamKey("bob")
        for room, stream in ((ROOM, ANN), (ROOM, SCREEN), (elsewhere, bob)):
            events.session_began(room, stream)
        events.session_ended(elsewhere, bob, EndReason.LEFT)
        await events.close()
        clock.now_ns += 60 * 10**9
        signing = asyncio.create_task(events.keep_signs(clock.sleep))
        while not clock.sleepers:
            await asyncio.sleep(0)
        signing.cancel()
        last_sign_ms = clock.utc_ns() // 1_000_000
        clock.now_ns += 60 * 10**9

        after = ToldEvents()
        revived = room_events_of(after, presences, clock)
        await revived.recover()
        await revived.close()

        why = StreamStopReason.USER_LEFT
        assert after.told == [
            *(
                StreamStopped(room=ROOM, stream=stream, reason=why, at_ms=last_sign_ms)
                for stream in (ANN, SCREEN)
            ),
            UserLeft(room=ROOM, user_id="ann", reason=EndReason.SHUTDOWN, at_ms=last_sign_ms),
            RoomClosed(room=ROOM, at_ms=last_sign_ms),
        ]
        assert await presences.present() == []

    async def test_nobody_leaves_before_he_came(self) -> None:
        presences, clock, after = MemoryPresences(), HandClock(), ToldEvents()
        events = room_events_of(SlowSink(), presences, clock)
        events.session_began(ROOM, ANN)
        await events.close()  # and no sign since

        revived = room_events_of(after, presences, clock)
        await revived.recover()
        await revived.close()

        assert {event.at_ms for event in after.told} == {clock.utc_ns() // 1_000_000}

    async def test_an_end_that_was_told_is_told_no_more(self) -> None:
        presences = MemoryPresences()
        events = room_events_of(SlowSink(), presences)
        for _ in range(3):
            events.session_began(ROOM, ANN)
            events.session_ended(ROOM, ANN, EndReason.LEFT)
        await events.close()

        assert await presences.present() == []

    async def test_who_came_back_at_once_is_there(self) -> None:
        presences = MemoryPresences()
        events = room_events_of(SlowSink(), presences)
        events.session_began(ROOM, ANN)
        events.session_ended(ROOM, ANN, EndReason.LEFT)
        events.session_began(ROOM, ANN)
        await events.close()

        assert len(await presences.present()) == 3

    async def test_a_disk_that_fails_is_logged_once(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def fail(**_: object) -> None:
            raise StoreFailed("the disk is full")

        sink, presences = SlowSink(), MemoryPresences()
        sink.refused = 6
        monkeypatch.setattr(presences, "note", fail)
        events = room_events_of(sink, presences)
        events.session_began(ROOM, ANN)
        events.session_ended(ROOM, ANN, EndReason.LEFT)
        await events.close()

        assert events.lost_events == 6
        assert [record.getMessage() for record in caplog.records] == [
            "what happens in rooms cannot be recorded: the disk is full"
        ]
