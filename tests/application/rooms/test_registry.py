from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator

import pytest

from airslice.application.ports.journal import NoJournal
from airslice.application.rooms.published_stream import PublishedStream
from airslice.application.rooms.registry import (
    CATCH_UP_S,
    FORGET_NS,
    HELD_UP_NS,
    SLOTS,
    Room,
    Rooms,
)
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import RtcApp
from airslice.domain.errors import RoomFull
from airslice.domain.room import RoomKey, StreamKey, StreamType
from tests.support.stages.stage import APP, HandClock, ValueDecoders

ROOM = RoomKey(APP.app_id, "room")
ANN = StreamKey("ann")


class Witness:
    """Writes down what it is told of a room (port `RoomObserver`)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, StreamKey]] = []
        self.beats: list[int] = []

    def stream_published(self, stream: PublishedStream) -> None:
        self.told.append(("published", stream.key))

    def stream_unpublished(self, stream: PublishedStream) -> None:
        self.told.append(("unpublished", stream.key))

    def beat(self, now_ns: int) -> None:
        self.beats.append(now_ns)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def rooms(clock: HandClock) -> Rooms:
    return Rooms(
        wall_clock=WallClock(clock),
        decoders=ValueDecoders(),
        reorder_window_ns=200_000_000,
        journal=NoJournal(),
        max_publishers_per_room=3,
    )


@pytest.fixture
def processed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often the streams of each user were processed; those of user ``broken`` fail."""
    processed: Counter[str] = Counter()

    def process(stream: PublishedStream, now_ns: int, utc_offset_ns: int) -> None:
        processed[stream.key.user_id] += 1
        if stream.key.user_id == "broken":
            raise ValueError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(PublishedStream, "process", process)
        yield processed


def turn(rooms: Rooms) -> None:
    """Let every stream and room have its beat."""
    for _ in range(SLOTS):
        rooms.beat()


def stream_of(rooms: Rooms, key: StreamKey = ANN) -> PublishedStream:
    room = rooms.find(ROOM)
    assert room is not None
    return room.streams[key]


class TestPublish:
    def test_a_room_exists_while_somebody_publishes_or_observes(self, rooms: Rooms) -> None:
        witness = Witness()
        assert rooms.find(ROOM) is None

        room = rooms.observe(ROOM, witness)
        assert rooms.find(ROOM) is room
        assert list(rooms) == [room]

        rooms.stop_observing(ROOM, witness)
        assert rooms.find(ROOM) is None

    def test_observers_are_told_of_sessions_that_begin_and_end(self, rooms: Rooms) -> None:
        witness = Witness()
        rooms.observe(ROOM, witness)

        sink = rooms.publish(APP, "room", ANN)
        sink.ended()

        assert witness.told == [("published", ANN), ("unpublished", ANN)]

    def test_other_rooms_observers_are_told_nothing(self, rooms: Rooms) -> None:
        witness = Witness()
        rooms.observe(RoomKey(APP.app_id, "other"), witness)

        rooms.publish(APP, "room", ANN).ended()

        assert not witness.told

    def test_a_session_that_is_taken_over_does_not_end_the_stream(self, rooms: Rooms) -> None:
        witness = Witness()
        rooms.observe(ROOM, witness)
        former = rooms.publish(APP, "room", ANN)

        rooms.publish(APP, "room", ANN)
        former.ended()

        assert witness.told == [("published", ANN), ("published", ANN)]
        assert stream_of(rooms).published

    def test_auto_slicing_is_told_before_the_observers(self, rooms: Rooms) -> None:
        witness = Witness()
        rooms.observe(ROOM, witness)
        told: list[tuple[RtcApp, StreamKey, RoomKey, int]] = []

        def on_published(app: RtcApp, stream: PublishedStream, room: Room) -> None:
            told.append((app, stream.key, room.key, len(witness.told)))

        rooms.on_published = on_published
        rooms.publish(APP, "room", ANN)

        assert told == [(APP, ANN, ROOM, 0)]


class TestBound:
    def test_a_full_room_takes_no_other_stream(self, rooms: Rooms) -> None:
        sinks = [rooms.publish(APP, "room", StreamKey(user)) for user in ("ann", "bob", "eve")]

        with pytest.raises(RoomFull, match="3 publishers"):
            rooms.publish(APP, "room", StreamKey("ann", StreamType.SCREEN))

        rooms.publish(APP, "other room", StreamKey("dan"))
        sinks[1].ended()
        rooms.publish(APP, "room", StreamKey("dan"))

    def test_who_publishes_in_a_full_room_may_take_over_from_himself(self, rooms: Rooms) -> None:
        for user in ("ann", "bob", "eve"):
            rooms.publish(APP, "room", StreamKey(user))

        rooms.publish(APP, "room", ANN)

    def test_who_has_left_a_full_room_must_wait_for_a_place(self, rooms: Rooms) -> None:
        rooms.publish(APP, "room", ANN).ended()
        for user in ("bob", "eve", "dan"):
            rooms.publish(APP, "room", StreamKey(user))

        with pytest.raises(RoomFull):
            rooms.publish(APP, "room", ANN)


class TestForgetting:
    def test_who_comes_back_within_a_minute_goes_on_in_the_same_stream(
        self, rooms: Rooms, clock: HandClock
    ) -> None:
        rooms.publish(APP, "room", ANN).ended()
        stream = stream_of(rooms)

        clock.now_ns += FORGET_NS
        turn(rooms)
        rooms.publish(APP, "room", ANN)

        assert stream_of(rooms) is stream

    def test_a_stream_is_forgotten_after_a_minute_and_its_room_with_it(
        self, rooms: Rooms, clock: HandClock, processed: Counter[str]
    ) -> None:
        rooms.publish(APP, "room", ANN).ended()

        clock.now_ns += FORGET_NS + 1
        turn(rooms)
        assert rooms.find(ROOM) is None

        processed.clear()
        turn(rooms)
        assert not processed

    def test_the_minute_counts_from_the_last_session(self, rooms: Rooms, clock: HandClock) -> None:
        rooms.publish(APP, "room", ANN).ended()
        clock.now_ns += FORGET_NS
        last = rooms.publish(APP, "room", ANN)
        clock.now_ns += 10 * FORGET_NS
        turn(rooms)
        assert stream_of(rooms).published

        last.ended()
        clock.now_ns += FORGET_NS
        turn(rooms)

        assert not stream_of(rooms).published

    def test_a_stream_that_is_sliced_is_not_forgotten(self, rooms: Rooms, clock: HandClock) -> None:
        class Ear:
            wants_pcm = wants_opus = False

            def feed(self, pcm: object, opus: object) -> None:
                raise AssertionError("nothing is published")

        rooms.publish(APP, "room", ANN).ended()
        stream, ear = stream_of(rooms), Ear()
        stream.subscribe(ear)

        clock.now_ns += 10 * FORGET_NS
        turn(rooms)
        assert stream_of(rooms) is stream

        stream.unsubscribe(ear)
        turn(rooms)
        assert rooms.find(ROOM) is None

    def test_a_room_with_an_observer_stays(self, rooms: Rooms, clock: HandClock) -> None:
        room = rooms.observe(ROOM, Witness())
        rooms.publish(APP, "room", ANN).ended()

        clock.now_ns += FORGET_NS + 1
        turn(rooms)

        assert rooms.find(ROOM) is room
        assert not room.streams


class TestBeat:
    def test_each_stream_is_processed_once_in_a_turn_and_every_beat_has_its_share(
        self, rooms: Rooms, processed: Counter[str]
    ) -> None:
        for number in range(3 * SLOTS):
            rooms.publish(APP, f"room{number}", StreamKey(f"user{number}"))

        shares = []
        for _ in range(SLOTS):
            before = processed.total()
            rooms.beat()
            shares.append(processed.total() - before)

        assert shares == [3] * SLOTS
        assert set(processed.values()) == {1}

    def test_shares_stay_even_as_streams_come_and_go(
        self, rooms: Rooms, clock: HandClock, processed: Counter[str]
    ) -> None:
        sinks = [rooms.publish(APP, f"room{n}", StreamKey(f"user{n}")) for n in range(3 * SLOTS)]
        for sink in sinks[: 2 * SLOTS]:
            sink.ended()
        clock.now_ns += FORGET_NS + 1
        turn(rooms)
        for number in range(SLOTS):
            rooms.publish(APP, f"new room{number}", StreamKey(f"new{number}"))

        processed.clear()
        shares = []
        for _ in range(SLOTS):
            before = processed.total()
            rooms.beat()
            shares.append(processed.total() - before)

        assert shares == [2] * SLOTS

    def test_every_observer_acts_once_in_a_turn(self, rooms: Rooms, clock: HandClock) -> None:
        witnesses = [Witness() for _ in range(15)]
        for number, witness in enumerate(witnesses):
            rooms.observe(RoomKey(APP.app_id, f"room{number // 2}"), witness)

        turn(rooms)

        assert [witness.beats for witness in witnesses] == [[clock.now_ns]] * 15

    def test_an_observer_may_leave_at_its_beat(self, rooms: Rooms) -> None:
        class Leaver(Witness):
            def beat(self, now_ns: int) -> None:
                rooms.stop_observing(ROOM, self)

        witness = Witness()
        rooms.observe(ROOM, Leaver())
        rooms.observe(ROOM, witness)

        turn(rooms)

        assert len(witness.beats) == 1

    def test_a_stream_that_fails_does_not_stop_the_others(
        self, rooms: Rooms, processed: Counter[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in range(SLOTS):
            rooms.publish(APP, f"room{number}", StreamKey("broken"))
            rooms.publish(APP, f"room{number}", StreamKey(f"user{number}"))

        turn(rooms)

        assert processed == {"broken": SLOTS} | {f"user{number}": 1 for number in range(SLOTS)}
        assert "a bug" in caplog.text

    def test_an_observer_that_fails_does_not_stop_the_others(
        self, rooms: Rooms, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(Witness):
            def beat(self, now_ns: int) -> None:
                raise ValueError("a bug")

        witness = Witness()
        rooms.observe(ROOM, Broken())
        rooms.observe(ROOM, witness)

        turn(rooms)

        assert len(witness.beats) == 1
        assert "a bug" in caplog.text

    def test_after_a_standstill_every_stream_is_processed_before_anybody_acts(
        self, rooms: Rooms, clock: HandClock, processed: Counter[str]
    ) -> None:
        class Listener(Witness):
            def beat(self, now_ns: int) -> None:
                seen.append(len(processed))

        seen: list[int] = []
        for number in range(SLOTS):
            rooms.publish(APP, f"room{number}", StreamKey(f"user{number}"))
        rooms.observe(RoomKey(APP.app_id, "room0"), Listener())
        turn(rooms)
        processed.clear()
        seen.clear()

        clock.now_ns += HELD_UP_NS
        turn(rooms)

        assert seen == [SLOTS]

    async def test_after_a_standstill_what_came_meanwhile_is_read_first(
        self, rooms: Rooms, clock: HandClock, processed: Counter[str]
    ) -> None:
        rooms.publish(APP, "room", ANN)
        clock.now_ns += HELD_UP_NS
        began_s = asyncio.get_running_loop().time()

        beating = asyncio.create_task(rooms.run())
        async with asyncio.timeout(60):
            while not processed:
                await asyncio.sleep(0.005)
        beating.cancel()

        assert asyncio.get_running_loop().time() - began_s >= CATCH_UP_S

    async def test_it_beats_until_it_is_cancelled(
        self, rooms: Rooms, processed: Counter[str]
    ) -> None:
        rooms.publish(APP, "room", ANN)
        beating = asyncio.create_task(rooms.run())
        async with asyncio.timeout(60):
            while not processed:
                await asyncio.sleep(0.005)

        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating

        assert beating.cancelled()
