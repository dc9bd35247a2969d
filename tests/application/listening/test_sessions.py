"""Who may listen, how many, until when; and what listeners are told besides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from airslice.application.broadcast.player_notices import PlayerNotices
from airslice.application.listening.channels import Channel, Channels
from airslice.application.listening.sessions import Listening
from airslice.application.rooms.bans import Bans
from airslice.application.rooms.room_sessions import Admission, OpenedSession
from airslice.application.wall_clock import WallClock
from airslice.domain import room_token
from airslice.domain.ban import Ban, BanScope
from airslice.domain.errors import (
    AirsliceError,
    AppNotFound,
    InvalidInput,
    OfferRefused,
    PreconditionFailed,
    RoomFull,
    SessionNotFound,
    TokenRefused,
    UserBanned,
)
from airslice.domain.players import PlayState
from airslice.domain.room import RoomKey
from airslice.domain.room_event import EndReason
from airslice.domain.room_token import Privilege
from airslice.slicing.outgoing_packet import OutgoingPacket
from tests.support.memory.bans import MemoryBanStore
from tests.support.stages.stage import APP, HandClock

ROOM = RoomKey(APP.app_id, "room")
MAX_PER_ROOM = 3


@dataclass(eq=False)
class FakeListener:
    """A session without media (port `ListeningSession`)."""

    on_ended: Callable[[EndReason], None]
    answer: str = "answer"
    is_open: bool = True

    def send(self, packet: OutgoingPacket) -> None:
        """Nothing is sent in these tests."""

    def restart(self, fragment: str) -> str:
        return "" if fragment == "candidates" else "new credentials"

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self.on_ended(EndReason.LOST)


@dataclass
class FakeEngine:
    """An engine without media (port `ListeningEngine`)."""

    sessions: list[FakeListener] = field(default_factory=list)

    def listen(self, offer: str, on_ended: Callable[[EndReason], None]) -> FakeListener:
        if offer == "garbage":
            raise OfferRefused("no audio")
        self.sessions.append(FakeListener(on_ended))
        return self.sessions[-1]


class FakeChannel:
    """Counts its listeners."""

    def __init__(self) -> None:
        self.listeners: dict[Any, None] = {}
        self.is_open = True

    def close(self) -> None:
        assert not self.listeners
        self.is_open = False


class FakeChannels(Channels):
    """Makes channels in which nothing is heard."""

    def __init__(self) -> None:
        self.opened: list[tuple[RoomKey, str | None]] = []
        self.channels: list[FakeChannel] = []

    def open(self, key: RoomKey, user_id: str | None) -> Channel:
        self.opened.append((key, user_id))
        self.channels.append(FakeChannel())
        return self.channels[-1]


class House:
    """The use cases with everything around them in memory."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.engine = FakeEngine()
        self.channels = FakeChannels()
        self.notices = PlayerNotices()
        self.asked: list[tuple[RoomKey, str, str, str]] = []
        wall_clock = WallClock(self.clock)
        self.bans = Bans(store=MemoryBanStore(), wall_clock=wall_clock)
        self.wall_clock = wall_clock
        self.listening = Listening(
            admission=Admission(apps={APP.app_id: APP}, wall_clock=wall_clock, bans=self.bans),
            engine=self.engine,
            channels=self.channels,
            notices=self.notices,
            control=self._control,
            max_listeners_per_room=MAX_PER_ROOM,
        )

    async def _control(self, room: RoomKey, user_id: str, command: str, timing: str) -> PlayState:
        self.asked.append((room, user_id, command, timing))
        return PlayState.PROCESSING

    def token(self, user: str = "paul", *, app_key: str = APP.app_key, **changes: Any) -> str:
        now_s = self.clock.utc_ns() // 1_000_000_000
        claims: dict[str, Any] = {
            "room_id": ROOM.room_id,
            "user_id": user,
            "privileges": {Privilege.SUBSCRIBE_STREAM: 0},
            "issued_at_s": now_s,
            "expires_at_s": now_s + 60,
        }
        return room_token.mint(
            room_token.RoomClaims(**claims | changes), app_id=APP.app_id, app_key=app_key, nonce=1
        )

    def open(self, user: str = "paul", **changes: Any) -> OpenedSession:
        fields: dict[str, Any] = {
            "app_id": APP.app_id,
            "room_id": ROOM.room_id,
            "token": self.token(user),
            "offer": "offer",
        }
        return self.listening.open(**fields | changes)


@pytest.fixture
def house() -> House:
    return House()


def test_an_offer_is_answered_with_a_session_that_cannot_be_guessed(house: House) -> None:
    first, second = house.open(), house.open()

    assert first.answer == "answer"
    assert len({first.session_id, second.session_id, first.etag, second.etag}) == 4
    assert len(first.session_id) >= 32
    assert house.listening.sessions == 2


def test_those_who_hear_the_same_share_a_channel(house: House) -> None:
    for user_id in (None, "anna", None):
        house.open(user_id=user_id)

    assert house.channels.opened == [(ROOM, None), (ROOM, "anna")]
    assert [len(channel.listeners) for channel in house.channels.channels] == [2, 1]
    house.engine.sessions[0].close()
    assert [channel.is_open for channel in house.channels.channels] == [True, True]
    house.engine.sessions[2].close()
    assert [channel.is_open for channel in house.channels.channels] == [False, True]
    house.open()
    assert house.channels.opened[-1] == (ROOM, None)


@pytest.mark.parametrize(
    ("token", "open_with", "error"),
    [
        ({"privileges": {Privilege.PUBLISH_STREAM: 0}}, {}, TokenRefused),
        ({"privileges": {}}, {}, TokenRefused),
        ({"expires_at_s": 1}, {}, TokenRefused),
        ({"room_id": "elsewhere"}, {}, TokenRefused),
        ({"app_key": "another"}, {}, TokenRefused),
        ({}, {"app_id": "nobody"}, AppNotFound),
        ({}, {"room_id": "a b"}, InvalidInput),
        ({}, {"user_id": ""}, InvalidInput),
        ({}, {"offer": "garbage"}, OfferRefused),
    ],
)
def test_who_may_not_listen_does_not(
    house: House, token: dict[str, Any], open_with: dict[str, Any], error: type[AirsliceError]
) -> None:
    with pytest.raises(error):
        house.open(**{"token": house.token(**token), **open_with})

    assert house.listening.sessions == 0
    assert house.channels.opened == []


async def test_bans_are_for_listeners_too(house: House) -> None:
    scope = BanScope(app_id=APP.app_id, room_id="room", user_id="paul")
    await house.bans.put(Ban(scope=scope, expires_at_ms=house.wall_clock.utc_ms() + 60_000))

    with pytest.raises(UserBanned):
        house.open()

    house.open("paula")


def test_listeners_of_a_room_are_bounded_whatever_they_hear(house: House) -> None:
    for user_id in (None, "anna", "bert"):
        house.open(user_id=user_id)
    with pytest.raises(RoomFull):
        house.open()

    house.engine.sessions[1].close()

    house.open()


def test_users_are_sent_out(house: House) -> None:
    for user in ("paul", "paul", "paula"):
        house.open(user)

    house.listening.end_all(
        BanScope(app_id=APP.app_id, room_id="room", user_id="paul"), EndReason.KICKED
    )

    assert [session.is_open for session in house.engine.sessions] == [False, False, True]
    house.listening.close()
    assert house.listening.sessions == 0
    assert not house.channels.channels[0].is_open


def test_a_restart_changes_the_tag_and_candidates_do_not(house: House) -> None:
    opened = house.open()
    token = house.token()

    unchanged = house.listening.restart(
        opened.session_id, token=token, etag=opened.etag, fragment="candidates"
    )
    answer, etag = house.listening.restart(
        opened.session_id, token=token, etag=opened.etag, fragment="credentials"
    )

    assert unchanged == ("", opened.etag)
    assert answer == "new credentials"
    assert etag != opened.etag
    with pytest.raises(PreconditionFailed):
        house.listening.restart(
            opened.session_id, token=token, etag=opened.etag, fragment="credentials"
        )


def test_only_its_listener_may_change_a_session(house: House) -> None:
    opened = house.open()

    with pytest.raises(TokenRefused):
        house.listening.end(opened.session_id, token=house.token("paula"))
    with pytest.raises(SessionNotFound):
        house.listening.end("another", token=house.token())
    house.listening.end(opened.session_id, token=house.token())

    with pytest.raises(SessionNotFound):
        house.listening.end(opened.session_id, token=house.token())


async def test_messages_of_the_room_reach_the_session_until_it_ends(house: House) -> None:
    opened = house.open()
    events = house.listening.events(opened.session_id)
    house.notices.notify(ROOM, PlayState.PROCESSING)
    house.notices.notify(ROOM._replace(room_id="elsewhere"), PlayState.PLAY_PAUSE)

    notice = await anext(events)
    house.listening.close()

    assert notice is PlayState.PROCESSING
    async with asyncio.timeout(60):
        assert [late async for late in events] == []
    with pytest.raises(SessionNotFound):
        house.listening.events(opened.session_id)


async def test_a_player_that_connects_anew_replaces_its_former_connection(house: House) -> None:
    opened = house.open()
    former = house.listening.events(opened.session_id)
    latter = house.listening.events(opened.session_id)
    house.notices.notify(ROOM, PlayState.PLAY_END)

    assert [message async for message in former] == []
    assert await anext(latter) is PlayState.PLAY_END


async def test_commands_go_to_the_rooms_broadcast_in_the_users_name(house: House) -> None:
    opened = house.open()

    state = await house.listening.command(opened.session_id, "play_pause", "NOW")

    assert state is PlayState.PROCESSING
    assert house.asked == [(ROOM, "paul", "play_pause", "NOW")]
    with pytest.raises(SessionNotFound):
        await house.listening.command("another", "play_pause", "NOW")
