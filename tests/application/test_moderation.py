"""Sending users out and keeping them out, on publishers without media."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from airslice.application.moderation import Moderation
from airslice.application.rooms.bans import Bans
from airslice.application.rooms.publishing import Publishing
from airslice.application.rooms.room_events import RoomEvents
from airslice.application.rooms.room_sessions import Admission
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import Account
from airslice.domain.ban import BanScope
from airslice.domain.errors import AppNotFound, AppNotOwned, UserBanned
from airslice.domain.room import RoomKey, StreamType
from airslice.domain.room_event import EndReason, RoomEvent, StreamStopped, UserLeft
from tests.support.memory.bans import MemoryBanStore
from tests.support.memory.presences import MemoryPresences
from tests.support.stages.publishers import FakeEngine, token
from tests.support.stages.stage import ACCOUNT, APP, Stage

ROOM = RoomKey(APP.app_id, "room")
ELSEWHERE = RoomKey(APP.app_id, "elsewhere")
ANN = BanScope(app_id=APP.app_id, room_id="room", user_id="ann")


@dataclass
class EventList:
    """Keeps events (port `EventSink`)."""

    events: list[RoomEvent] = field(default_factory=list)

    async def announce(self, event: RoomEvent) -> None:
        self.events.append(event)


class House:
    """The rooms and who moderates them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        wall_clock = WallClock(stage.clock)
        self.sink = EventList()
        self.engine = FakeEngine()
        self.bans = Bans(store=MemoryBanStore(), wall_clock=wall_clock)
        self.events = RoomEvents(sink=self.sink, presences=MemoryPresences(), wall_clock=wall_clock)
        self.publishing = Publishing(
            admission=Admission(apps={APP.app_id: APP}, wall_clock=wall_clock, bans=self.bans),
            rooms=stage.rooms,
            engine=self.engine,
            observer=self.events,
        )
        self.moderation = Moderation(
            apps={APP.app_id: APP},
            publishing=self.publishing,
            bans=self.bans,
            users_in=self.events.users_in,
            wall_clock=wall_clock,
        )

    def join(
        self, user: str, room: RoomKey = ROOM, stream_type: StreamType = StreamType.MAIN
    ) -> None:
        self.publishing.publish(
            *room,
            token=token(self.stage, user, room=room.room_id),
            offer="offer",
            stream_type=stream_type,
        )

    async def users(self, room: RoomKey = ROOM) -> list[str]:
        return list(await self.moderation.online_users(ACCOUNT, room))

    async def departures(self) -> list[tuple[str, str, EndReason]]:
        """Room, user and reason of all who have left."""
        await self.events.close()
        return [
            (event.room.room_id, event.user_id, event.reason)
            for event in self.sink.events
            if isinstance(event, UserLeft)
        ]


@pytest.fixture
async def house(stage: Stage) -> AsyncIterator[House]:
    house = House(stage)
    yield house
    await house.events.close()


async def test_a_banned_user_is_out_and_stays_out(house: House, stage: Stage) -> None:
    house.join("ann")
    house.join("ann", stream_type=StreamType.SCREEN)
    house.join("bob")
    house.join("ann", ELSEWHERE)

    await house.moderation.ban(ACCOUNT, ANN, length_s=60)

    assert (await house.users(), await house.users(ELSEWHERE)) == (["bob"], ["ann"])
    assert await house.departures() == [("room", "ann", EndReason.BANNED)]
    with pytest.raises(UserBanned):
        house.join("ann")
    stage.clock.now_ns += 60_000_000_000
    house.join("ann")


@pytest.mark.parametrize(("asked_s", "held_s"), [(1, 10), (700_000, 604_800)])
async def test_the_length_is_brought_into_its_bounds(
    house: House, stage: Stage, asked_s: int, held_s: int
) -> None:
    await house.moderation.ban(ACCOUNT, ANN, length_s=asked_s)

    stage.clock.now_ns += held_s * 1_000_000_000 - 1_000_000
    with pytest.raises(UserBanned):
        house.join("ann")
    stage.clock.now_ns += 1_000_000
    house.join("ann")


async def test_a_room_can_be_banned(house: House) -> None:
    house.join("ann")
    house.join("bob")

    await house.moderation.ban(ACCOUNT, BanScope(app_id=APP.app_id, room_id="room"), length_s=60)

    assert await house.users() == []
    with pytest.raises(UserBanned):
        house.join("cid")


async def test_a_user_can_be_banned_from_all_rooms_before_he_comes(house: House) -> None:
    await house.moderation.ban(ACCOUNT, BanScope(app_id=APP.app_id, user_id="ann"), length_s=60)

    for room in (ROOM, ELSEWHERE):
        with pytest.raises(UserBanned):
            house.join("ann", room)
        house.join("bob", room)


async def test_a_ban_of_no_length_sends_out_and_lifts(house: House) -> None:
    await house.moderation.ban(ACCOUNT, ANN, length_s=60)

    await house.moderation.ban(ACCOUNT, ANN, length_s=0)
    house.join("ann")
    await house.moderation.ban(ACCOUNT, ANN, length_s=0)
    assert await house.users() == []
    house.join("ann")

    assert await house.departures() == [("room", "ann", EndReason.KICKED)]


async def test_a_kicked_user_is_out_and_may_come_back(house: House) -> None:
    for user in ("ann", "bob"):
        house.join(user)

    await house.moderation.kick(ACCOUNT, ROOM, "ann")
    await house.moderation.kick(ACCOUNT, ROOM, "nobody")

    assert await house.users() == ["bob"]
    assert await house.departures() == [("room", "ann", EndReason.KICKED)]
    house.join("ann")
    assert await house.users() == ["bob", "ann"]


async def test_a_dismissed_room_is_empty(house: House) -> None:
    for user in ("ann", "bob"):
        house.join(user)
    house.join("ann", ELSEWHERE)

    await house.moderation.dismiss(ACCOUNT, ROOM)

    assert (await house.users(), await house.users(ELSEWHERE)) == ([], ["ann"])
    assert await house.departures() == [
        ("room", "ann", EndReason.DISMISSED),
        ("room", "bob", EndReason.DISMISSED),
    ]


async def test_whom_the_engine_finds_gone_has_left(house: House) -> None:
    house.join("ann")
    house.join("bob")

    house.engine.sessions[0].end(EndReason.LEFT)
    house.engine.sessions[1].end(EndReason.LOST)

    assert await house.departures() == [
        ("room", "ann", EndReason.LEFT),
        ("room", "bob", EndReason.LOST),
    ]


async def test_a_user_who_replaces_his_session_neither_leaves_nor_joins(house: House) -> None:
    house.join("ann")
    await house.events.close()
    before = len(house.sink.events)

    house.join("ann")

    await house.events.close()
    assert len(house.sink.events) == before
    assert await house.users() == ["ann"]


async def test_a_task_sees_the_streams_end(house: House, stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    house.join("ann")

    await house.moderation.kick(ACCOUNT, ROOM, "ann")

    room = stage.rooms.find(ROOM)
    assert room is not None
    assert room.publishers == 0
    await house.departures()
    assert any(isinstance(event, StreamStopped) for event in house.sink.events)


@pytest.mark.parametrize(
    "act",
    [
        lambda moderation, account, room: moderation.ban(
            account, replace(ANN, app_id=room.app_id), length_s=60
        ),
        lambda moderation, account, room: moderation.kick(account, room, "ann"),
        lambda moderation, account, room: moderation.dismiss(account, room),
        lambda moderation, account, room: moderation.online_users(account, room),
    ],
    ids=["ban", "kick", "dismiss", "list"],
)
async def test_only_the_owner_may_do_anything(
    house: House, act: Callable[[Moderation, Account, RoomKey], Awaitable[object]]
) -> None:
    house.join("ann")

    with pytest.raises(AppNotOwned):
        await act(house.moderation, replace(ACCOUNT, id="another"), ROOM)
    with pytest.raises(AppNotFound):
        await act(house.moderation, ACCOUNT, RoomKey("nowhere", "room"))

    assert await house.users() == ["ann"]
    house.join("ann")
