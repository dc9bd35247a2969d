"""Listening sessions: whom each listener hears, and what else he is told.

Who may listen is decided in `rooms.room_sessions`; what is heard is made by `channels`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from airslice.application.broadcast.player_notices import PlayerNotices, Subscription
from airslice.application.listening.channels import Channel, Channels
from airslice.application.ports.media import ListeningEngine, ListeningSession
from airslice.application.rooms.room_sessions import (
    Admission,
    OpenedSession,
    Purpose,
    RoomSession,
    RoomSessions,
    check_id,
)
from airslice.domain.errors import RoomFull
from airslice.domain.fields import SessionField
from airslice.domain.players import PlayState
from airslice.domain.room import RoomKey
from airslice.domain.room_event import EndReason

PlayControl: TypeAlias = Callable[[RoomKey, str, str, str], Awaitable[PlayState]]
"""Does what a player asks of the broadcast in a room, and returns its state; takes the room, the
user's id, the command and its timing.

Raises:
    LiveJobNotFound: nothing is broadcast there.
    LiveJobFinished: it is about to end.
    TokenRefused: the user is none of its own.
    InvalidInput: it is no such command or timing.
"""


class _Hearing(RoomSession[ListeningSession]):
    """A listening session: who hears whom, and the messages that he is sent."""

    def __init__(self, room: RoomKey, user_id: str, heard: str | None) -> None:
        super().__init__(room, user_id)
        self.heard = heard
        self.events: Subscription | None = None


class Listening(RoomSessions[_Hearing]):
    """Opens, restarts and ends listening sessions."""

    def __init__(
        self,
        *,
        admission: Admission,
        engine: ListeningEngine,
        channels: Channels,
        notices: PlayerNotices,
        control: PlayControl,
        max_listeners_per_room: int,
    ) -> None:
        """Have no session yet; at most `max_listeners_per_room` may listen to one room."""
        super().__init__(admission, Purpose.SUBSCRIBE)
        self._engine = engine
        self._maker = channels
        self._notices = notices
        self._control = control
        self._max_listeners = max_listeners_per_room
        self._in_room: Counter[RoomKey] = Counter()
        self._channels: dict[tuple[RoomKey, str | None], Channel] = {}

    def open(
        self, app_id: str, room_id: str, *, token: str, offer: str, user_id: str | None = None
    ) -> OpenedSession:
        """Open a session.

        Args:
            app_id: The application.
            room_id: The room; nobody need be in it yet.
            token: The listener's room token.
            offer: The listener's SDP offer.
            user_id: Whose microphone is to be heard; None: everybody.

        Raises:
            AppNotFound: there is no such application.
            InvalidInput: the room id or the user id breaks the ID rule.
            TokenRefused: the token does not let him listen to this room.
            UserBanned: he is kept out of it.
            OfferRefused: the offer cannot be answered.
            RoomFull, ServerFull: there is no place for him.
        """
        room = self._admission.room(app_id, room_id)
        if user_id is not None:
            check_id(SessionField.HEARD_USER, user_id)
        listener_id = self._admission.admit(room, token, Purpose.SUBSCRIBE)
        if self._in_room[room] >= self._max_listeners:
            raise RoomFull(f"room {room_id} has {self._max_listeners} listeners, the most it takes")
        hearing = _Hearing(room, listener_id, user_id)
        hearing.connection = self._engine.listen(offer, lambda reason: self._ended(hearing))
        self._by_id[hearing.id] = hearing
        self._in_room[room] += 1
        channel = self._channels.get((room, user_id))
        if channel is None:
            channel = self._channels[room, user_id] = self._maker.open(room, user_id)
        channel.listeners[hearing.connection] = None
        return hearing.opened

    def close(self) -> None:
        """End all sessions."""
        for hearing in tuple(self._by_id.values()):
            hearing.close(EndReason.SHUTDOWN)

    def events(self, session_id: str) -> Subscription:
        """Return what the room's broadcast tells its players, until the session ends.

        Asked again, what was returned before ends: the player has connected anew.

        Raises:
            SessionNotFound: there is no such session.
        """
        hearing = self._find(session_id)
        if hearing.events is not None:
            hearing.events.close()
        hearing.events = self._notices.subscribe(hearing.room)
        return hearing.events

    async def command(self, session_id: str, command: str, timing: str) -> PlayState:
        """Ask something of the room's broadcast; return its state. Errors: see `PlayControl`.

        Raises:
            SessionNotFound: there is no such session.
        """
        hearing = self._find(session_id)
        return await self._control(hearing.room, hearing.user_id, command, timing)

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
        del channel.listeners[hearing.connection]
        if not channel.listeners:
            del self._channels[key]
            channel.close()
