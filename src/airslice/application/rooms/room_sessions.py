"""Sessions of users in rooms: who may open one, whose it is, how it is restarted and ended.

What is sent over a session is not decided here, but in `publishing` and in `listening.sessions`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from airslice.application.ownership import known_app
from airslice.application.ports.media import MediaSession
from airslice.application.rooms.bans import Bans
from airslice.application.wall_clock import WallClock
from airslice.domain import room_token
from airslice.domain.apps import RtcApp
from airslice.domain.ban import BanScope
from airslice.domain.errors import InvalidInput, PreconditionFailed, SessionNotFound, TokenRefused
from airslice.domain.fields import SessionField
from airslice.domain.room import RoomKey, is_valid_id
from airslice.domain.room_event import EndReason


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedSession:
    """What a user is told of the session that he has opened."""

    session_id: str
    """Cannot be guessed: whoever knows a listening session's may read its events and steer its
    broadcast."""
    etag: str
    """Names the session's ICE generation; changes with each restart."""
    answer: str
    """The SDP answer to the user's offer."""


class Purpose(StrEnum):
    """What a user enters a room for."""

    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"


class Admission:
    """Lets users into rooms: by the tokens of their application, and unless they are banned."""

    def __init__(self, *, apps: Mapping[str, RtcApp], wall_clock: WallClock, bans: Bans) -> None:
        """Admit users of `apps` (by application id), with tokens that are valid by `wall_clock`."""
        self._apps = apps
        self._wall_clock = wall_clock
        self._bans = bans

    def app(self, app_id: str) -> RtcApp:
        """Return an application.

        Raises:
            AppNotFound: there is no such application.
        """
        return known_app(self._apps, app_id)

    def room(self, app_id: str, room_id: str) -> RoomKey:
        """Return a room of an application; nobody need be in it yet.

        Raises:
            AppNotFound: there is no such application.
            InvalidInput: the room id breaks the ID rule.
        """
        self.app(app_id)
        check_id(SessionField.ROOM, room_id)
        return RoomKey(app_id, room_id)

    def bearer(self, room: RoomKey, token: str, purpose: Purpose) -> str:
        """Return the id of the user to whom a room token was given.

        Raises:
            TokenRefused: the token does not let him into this room for this purpose.
        """
        app = self.app(room.app_id)
        grant = room_token.verify(
            token,
            app_id=app.app_id,
            app_key=app.app_key,
            room_id=room.room_id,
            now_s=self._wall_clock.utc_ms() / 1000,
        )
        publishes = purpose is Purpose.PUBLISH
        if not (grant.may_publish_audio if publishes else grant.may_subscribe):
            raise TokenRefused(f"the token does not hold the privilege to {purpose}")
        return grant.user_id

    def admit(self, room: RoomKey, token: str, purpose: Purpose) -> str:
        """Return the id of a token's user, who may enter the room now.

        Raises:
            TokenRefused: the token does not let him into this room for this purpose.
            UserBanned: he is kept out of it.
        """
        user_id = self.bearer(room, token, purpose)
        self.check(room, user_id)
        return user_id

    def check(self, room: RoomKey, user_id: str) -> None:
        """Return if the room can be and no ban keeps the user out of it.

        Raises:
            AppNotFound: there is no such application.
            UserBanned: the user is kept out of the room.
        """
        self.app(room.app_id)
        self._bans.check(room, user_id)


def check_id(field: SessionField, value: str) -> None:
    """Return if `value` can be an id.

    Raises:
        InvalidInput: it breaks the ID rule; `field` names it.
    """
    if not is_valid_id(value):
        raise InvalidInput(field, "must be 1 to 128 of a-z A-Z 0-9 _ @ - .")


ConnectionT = TypeVar("ConnectionT", bound=MediaSession)


class RoomSession(Generic[ConnectionT]):
    """One user's session in one room."""

    connection: ConnectionT
    """What the media engine has opened for it; set before anybody else knows of the session."""

    def __init__(self, room: RoomKey, user_id: str) -> None:
        self.id = secrets.token_urlsafe(24)
        self.room = room
        self.user_id = user_id
        self.generation = 1

    @property
    def etag(self) -> str:
        """The entity tag of the session's ICE generation."""
        return f"{self.id[:8]}-{self.generation}"

    @property
    def opened(self) -> OpenedSession:
        """What the user is told."""
        return OpenedSession(session_id=self.id, etag=self.etag, answer=self.connection.answer)

    def close(self, reason: EndReason) -> None:
        """End the session from this side, for a reason that observers may be told."""
        del reason
        self.connection.close()


SessionT = TypeVar("SessionT", bound=RoomSession[Any])


class RoomSessions(Generic[SessionT]):
    """The sessions of one purpose that are open; their users can restart and end them."""

    def __init__(self, admission: Admission, purpose: Purpose) -> None:
        self._admission = admission
        self._purpose = purpose
        self._by_id: dict[str, SessionT] = {}

    @property
    def sessions(self) -> int:
        """The number of sessions that are open."""
        return len(self._by_id)

    def restart(
        self, session_id: str, *, token: str, etag: str | None, fragment: str
    ) -> tuple[str, str]:
        """Restart ICE, or take candidates, which the server has no use for.

        Args:
            session_id: Names the session.
            token: The room token of its user.
            etag: The entity tag that the caller believes to be current; None or ``*`` for any.
            fragment: The caller's `application/trickle-ice-sdpfrag` (RFC 8840).

        Returns:
            The server's fragment, empty if ICE was not restarted, and the new entity tag.

        Raises:
            SessionNotFound: there is no such session.
            TokenRefused: the token is not its user's.
            PreconditionFailed: the session has been restarted since.
            OfferRefused: the fragment cannot be parsed.
        """
        session = self._find_own(session_id, token)
        if etag not in (None, "*", session.etag):
            raise PreconditionFailed("the session's entity tag is another by now")
        answer = session.connection.restart(fragment)
        if answer:
            session.generation += 1
        return answer, session.etag

    def end(self, session_id: str, *, token: str) -> None:
        """End a session, as its user wants it.

        Raises:
            SessionNotFound: there is no such session.
            TokenRefused: the token is not its user's.
        """
        self._find_own(session_id, token).close(EndReason.LEFT)

    def end_all(self, scope: BanScope, reason: EndReason) -> None:
        """End every session of the users in `scope`."""
        for session in tuple(self._by_id.values()):
            if scope.covers(session.room, session.user_id):
                session.close(reason)

    def _find(self, session_id: str) -> SessionT:
        session = self._by_id.get(session_id)
        if session is None:
            raise SessionNotFound("there is no such session, or it has ended")
        return session

    def _find_own(self, session_id: str, token: str) -> SessionT:
        session = self._find(session_id)
        if self._admission.bearer(session.room, token, self._purpose) != session.user_id:
            raise TokenRefused("the token is another user's")
        return session
