"""Let users listen to rooms: who may, what he hears, and what else he is told."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from airslice.application.broadcast.player_notices import PlayerNotices, Subscription
from airslice.application.listening.channels import Channel, Channels
from airslice.application.ports.media import ListeningEngine, ListeningSession
from airslice.application.rooms.bans import Bans
from airslice.application.wall_clock import WallClock
from airslice.domain import room_token
from airslice.domain.apps import RtcApp
from airslice.domain.ban import BanScope
from airslice.domain.errors import (
    AppNotFound,
    InvalidInput,
    PreconditionFailed,
    RoomFull,
    SessionNotFound,
    TokenRefused,
)
from airslice.domain.fields import SessionField
from airslice.domain.players import PlayState
from airslice.domain.room import RoomKey, is_valid_id

PlayControl: TypeAlias = Callable[[RoomKey, str, str, str], Awaitable[PlayState]]
"""Does what a player asks of the broadcast in a room, and returns its state; takes the room, the
user's id, the command and its timing.

Raises:
    LiveJobNotFound: nothing is broadcast there.
    LiveJobFinished: it is about to end.
    TokenRefused: the user is none of its own.
    InvalidInput: it is no such command or timing.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedListening:
    """What a listener is told of the session that he opened."""

    session_id: str
    """Not to be guessed: who knows it may read the session's events and send its commands."""
    etag: str
    """Names the session's ICE generation; changes with each restart."""
    answer: str
    """SDP."""


class _Hearing:
    """A listening session within the register."""

    def __init__(self, user_id: str, room: RoomKey, heard: str | None) -> None:
        self.id = secrets.token_urlsafe(24)
        self.user_id = user_id
        self.room = room
        self.heard = heard
        self.generation = 1
        self.session: ListeningSession | None = None
        self.events: Subscription | None = None

    @property
    def etag(self) -> str:
        return f"{self.id[:8]}-{self.generation}"


class Listening:
    """Opens, restarts and ends listening sessions."""

    def __init__(
        self,
        *,
        apps: Mapping[str, RtcApp],
        engine: ListeningEngine,
        channels: Channels,
        wall_clock: WallClock,
        bans: Bans,
        notices: PlayerNotices,
        control: PlayControl,
        max_listeners_per_room: int,
    ) -> None:
        """Take the parts.

        Args:
            apps: By application id.
            engine: Where listeners are sent to. Bounds their number.
            channels: Make what is heard.
            wall_clock: Tells when tokens expire.
            bans: Keep users out.
            notices: The messages of broadcasts.
            control: What players may do to broadcasts.
            max_listeners_per_room: More are refused.
        """
        self._apps = apps
        self._engine = engine
        self._maker = channels
        self._wall_clock = wall_clock
        self._bans = bans
        self._notices = notices
        self._control = control
        self._max_listeners = max_listeners_per_room
        self._by_id: dict[str, _Hearing] = {}
        self._in_room: Counter[RoomKey] = Counter()
        self._channels: dict[tuple[RoomKey, str | None], Channel] = {}

    @property
    def sessions(self) -> int:
        """Sessions that are open."""
        return len(self._by_id)

    def open(
        self, app_id: str, room_id: str, *, token: str, offer: str, user_id: str | None = None
    ) -> OpenedListening:
        """Open a session.

        Args:
            app_id: The application.
            room_id: The room; nobody need be in it yet.
            token: The listener's room token.
            offer: SDP.
            user_id: Whose microphone is to be heard; None: everybody.

        Raises:
            AppNotFound: there is no such application.
            InvalidInput: the room id or the user id breaks the ID rule.
            TokenRefused: the token does not let him listen to this room.
            UserBanned: he is kept out of it.
            OfferRefused: the offer cannot be answered.
            RoomFull, ServerFull: there is no place for him.
        """
        app = self._apps.get(app_id)
        if app is None:
            raise AppNotFound(f"there is no application {app_id}")
        for field, value in ((SessionField.ROOM, room_id), (SessionField.HEARD_USER, user_id)):
            if value is not None and not is_valid_id(value):
                raise InvalidInput(field, "must be 1 to 128 of a-z A-Z 0-9 _ @ - .")
        listener_id = self._user(app, room_id, token)
        room = RoomKey(app_id, room_id)
        self._bans.check(room, listener_id)
        if self._in_room[room] >= self._max_listeners:
            raise RoomFull(f"room {room_id} has {self._max_listeners} listeners, the most it takes")
        hearing = _Hearing(listener_id, room, user_id)
        session = self._engine.listen(offer, lambda reason: self._ended(hearing))
        hearing.session = session
        self._by_id[hearing.id] = hearing
        self._in_room[room] += 1
        channel = self._channels.get((room, user_id))
        if channel is None:
            channel = self._channels[room, user_id] = self._maker.open(room, user_id)
        channel.listeners[session] = None
        return OpenedListening(session_id=hearing.id, etag=hearing.etag, answer=session.answer)

    def restart(
        self, session_id: str, *, token: str, etag: str | None, fragment: str
    ) -> tuple[str, str]:
        """Restart ICE, or take candidates, which the server has no use for.

        Arguments and result are those of `Publishing.restart`.

        Raises:
            SessionNotFound: there is no such session.
            TokenRefused: the token is not its user's.
            PreconditionFailed: the session has been restarted since.
            OfferRefused: the fragment cannot be parsed.
        """
        hearing, session = self._find(session_id)
        self._check_owner(hearing, token)
        if etag not in (None, "*", hearing.etag):
            raise PreconditionFailed("the session's entity tag is another by now")
        answer = session.restart(fragment)
        if answer:
            hearing.generation += 1
        return answer, hearing.etag

    def end(self, session_id: str, *, token: str) -> None:
        """End a session.

        Raises:
            SessionNotFound, TokenRefused: as for `restart`.
        """
        hearing, session = self._find(session_id)
        self._check_owner(hearing, token)
        session.close()

    def end_all(self, scope: BanScope) -> None:
        """End every session of the users in `scope`."""
        for hearing in tuple(self._by_id.values()):
            if scope.covers(hearing.room, hearing.user_id) and hearing.session is not None:
                hearing.session.close()

    def close(self) -> None:
        """End all sessions."""
        for hearing in tuple(self._by_id.values()):
            if hearing.session is not None:
                hearing.session.close()

    def events(self, session_id: str) -> Subscription:
        """Return what the room's broadcast tells its players, until the session ends.

        Asked again, what was returned before ends: the player has connected anew.

        Raises:
            SessionNotFound: there is no such session.
        """
        hearing, _ = self._find(session_id)
        if hearing.events is not None:
            hearing.events.close()
        hearing.events = self._notices.subscribe(hearing.room)
        return hearing.events

    async def command(self, session_id: str, command: str, timing: str) -> PlayState:
        """Ask something of the room's broadcast; return its state. Errors: see `PlayControl`.

        Raises:
            SessionNotFound: there is no such session.
        """
        hearing, _ = self._find(session_id)
        return await self._control(hearing.room, hearing.user_id, command, timing)

    def _find(self, session_id: str) -> tuple[_Hearing, ListeningSession]:
        hearing = self._by_id.get(session_id)
        if hearing is None or hearing.session is None:
            raise SessionNotFound("there is no such session, or it has ended")
        return hearing, hearing.session

    def _check_owner(self, hearing: _Hearing, token: str) -> None:
        room = hearing.room
        if self._user(self._apps[room.app_id], room.room_id, token) != hearing.user_id:
            raise TokenRefused("the token is another user's")

    def _user(self, app: RtcApp, room_id: str, token: str) -> str:
        grant = room_token.verify(
            token,
            app_id=app.app_id,
            app_key=app.app_key,
            room_id=room_id,
            now_s=self._wall_clock.utc_ms() / 1000,
        )
        if not grant.may_subscribe:
            raise TokenRefused("the token does not hold the privilege to subscribe")
        return grant.user_id

    def _ended(self, hearing: _Hearing) -> None:
        if self._by_id.pop(hearing.id, None) is None:
            return
        self._in_room[hearing.room] -= 1
        if not self._in_room[hearing.room]:
            del self._in_room[hearing.room]
        if hearing.events is not None:
            hearing.events.close()
        key = (hearing.room, hearing.heard)
        channel = self._channels[key]
        if hearing.session is not None:
            del channel.listeners[hearing.session]
        if not channel.listeners:
            del self._channels[key]
            channel.close()
