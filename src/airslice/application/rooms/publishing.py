"""Let users publish into rooms: who may, and which session is whose."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from airslice.application.ports.media import MediaEngine, MediaSession, StreamSink
from airslice.application.rooms.bans import Bans
from airslice.application.rooms.registry import Rooms
from airslice.application.wall_clock import WallClock
from airslice.domain import room_token
from airslice.domain.apps import RtcApp
from airslice.domain.ban import BanScope
from airslice.domain.errors import (
    AppNotFound,
    InvalidInput,
    PreconditionFailed,
    SessionNotFound,
    TokenRefused,
)
from airslice.domain.fields import SessionField
from airslice.domain.room import RoomKey, StreamKey, StreamType, is_valid_id
from airslice.domain.room_event import EndReason
from airslice.slicing.packets import RtpPacket, SenderReport


class SessionListener(Protocol):
    """Is told of every session."""

    def session_began(self, room: RoomKey, stream: StreamKey) -> None:
        """A user publishes; a former session of the same stream ends right after this."""

    def session_ended(self, room: RoomKey, stream: StreamKey, reason: EndReason) -> None:
        """A session that began has ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedSession:
    """What a publisher is told of the session that he opened."""

    session_id: str
    etag: str
    """Names the session's ICE generation; changes with each restart."""
    answer: str
    """SDP."""


class LocalPublisher(Protocol):
    """A publisher that is a part of this process: he hands his packets over himself."""

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        """Return the function that takes the packets of `ssrc`, in order."""

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        """Take a sender report of `ssrc`."""

    def close(self, reason: EndReason) -> None:
        """Leave the room; nothing is taken any more."""


class _Publication:
    """A session within the register, and its sink until the room's takes over (`StreamSink`)."""

    def __init__(
        self,
        user_id: str,
        on_ended: Callable[[_Publication, EndReason], None],
        *,
        is_presenter: bool = False,
    ) -> None:
        self.id = secrets.token_urlsafe(24)
        self.user_id = user_id
        self.is_presenter = is_presenter
        self.generation = 1
        self.session: MediaSession | None = None
        self.place: tuple[RoomKey, StreamKey] | None = None
        self._sink: StreamSink | None = None
        self._on_ended = on_ended
        self._closed_for: EndReason | None = None

    def bind(self, session: MediaSession, sink: StreamSink, room: RoomKey, key: StreamKey) -> None:
        self.session = session
        self.place = (room, key)
        self._sink = sink

    @property
    def etag(self) -> str:
        return f"{self.id[:8]}-{self.generation}"

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        return self._sink.source(ssrc) if self._sink else lambda packet: None

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        if self._sink:
            self._sink.sender_report(ssrc, report)

    def close(self, reason: EndReason) -> None:
        """End the session from this side."""
        if self.session is not None:
            self._closed_for = reason
            self.session.close()

    def ended(self, reason: EndReason = EndReason.LOST) -> None:
        reason = self._closed_for or reason
        try:
            if self._sink:
                self._sink.ended(reason)
        finally:
            self._on_ended(self, reason)


class _LocalSession:
    """A session without a connection (port `MediaSession`)."""

    answer = ""

    def __init__(self, publication: _Publication) -> None:
        self._publication: _Publication | None = publication

    def restart(self, fragment: str) -> str:
        """There is nothing to restart."""
        del fragment
        return ""

    def close(self) -> None:
        """End the session."""
        if self._publication is not None:
            publication, self._publication = self._publication, None
            publication.ended()


class Publishing:
    """Opens, restarts and ends publishing sessions."""

    def __init__(
        self,
        *,
        apps: Mapping[str, RtcApp],
        rooms: Rooms,
        engine: MediaEngine,
        wall_clock: WallClock,
        bans: Bans,
        listener: SessionListener,
    ) -> None:
        self._apps = apps
        self._rooms = rooms
        self._engine = engine
        self._wall_clock = wall_clock
        self._bans = bans
        self._listener = listener
        self._by_id: dict[str, _Publication] = {}
        self._by_place: dict[tuple[RoomKey, StreamKey], _Publication] = {}

    @property
    def sessions(self) -> int:
        """Sessions that are open."""
        return len(self._by_id)

    def publish(
        self, app_id: str, room_id: str, *, token: str, offer: str, stream_type: StreamType
    ) -> OpenedSession:
        """Open a session; another one of the same user and stream type is replaced.

        Args:
            app_id: The application.
            room_id: The room.
            token: The user's room token.
            offer: SDP.
            stream_type: What he publishes.

        Raises:
            AppNotFound: there is no such application.
            InvalidInput: the room id breaks the ID rule.
            TokenRefused: the token does not let him publish into this room, or as a user that is
                a presenter.
            UserBanned: he is kept out of it.
            OfferRefused: the offer cannot be answered.
            RoomFull, ServerFull: there is no place for him.
        """
        app = self._apps.get(app_id)
        if app is None:
            raise AppNotFound(f"there is no application {app_id}")
        if not is_valid_id(room_id):
            raise InvalidInput(SessionField.ROOM, "must be 1 to 128 of a-z A-Z 0-9 _ @ - .")
        user_id = self._user(app, room_id, token)
        room, key = RoomKey(app_id, room_id), StreamKey(user_id, stream_type)
        self._bans.check(room, user_id)
        former = self._by_place.get((room, key))
        if former is not None and former.is_presenter:
            raise TokenRefused("a presenter publishes as this user")
        publication = _Publication(user_id, self._forget)
        session = self._engine.open(offer, publication)
        self._enter(app, publication, session, room, key)
        return OpenedSession(
            session_id=publication.id, etag=publication.etag, answer=session.answer
        )

    def present(
        self, room: RoomKey, user_id: str, on_ended: Callable[[EndReason], None]
    ) -> LocalPublisher:
        """Let a part of this process publish as a user; no other session replaces it.

        Args:
            room: Of one of the applications.
            user_id: As whom.
            on_ended: Told when the session has ended, for whatever reason.

        Raises:
            AppNotFound: there is no such application.
            UserBanned: he is kept out of the room.
            RoomFull: there is no place for him.
        """
        app = self._apps.get(room.app_id)
        if app is None:
            raise AppNotFound(f"there is no application {room.app_id}")
        self._bans.check(room, user_id)

        def end(publication: _Publication, reason: EndReason) -> None:
            self._forget(publication, reason)
            if publication.place is not None:
                on_ended(reason)

        publication = _Publication(user_id, end, is_presenter=True)
        self._enter(app, publication, _LocalSession(publication), room, StreamKey(user_id))
        return publication

    def restart(
        self, session_id: str, *, token: str, etag: str | None, fragment: str
    ) -> tuple[str, str]:
        """Restart ICE, or take candidates, which the server has no use for.

        Args:
            session_id: The session.
            token: The room token of its user.
            etag: The entity tag that the caller believes to be current; None or ``*`` for any.
            fragment: `application/trickle-ice-sdpfrag` (RFC 8840).

        Returns:
            The server's fragment, empty if ICE was not restarted, and the new entity tag.

        Raises:
            SessionNotFound: there is no such session.
            TokenRefused: the token is not its user's.
            PreconditionFailed: the session has been restarted since.
            OfferRefused: the fragment cannot be parsed.
        """
        publication, session = self._find(session_id, token)
        if etag not in (None, "*", publication.etag):
            raise PreconditionFailed("the session's entity tag is another by now")
        answer = session.restart(fragment)
        if answer:
            publication.generation += 1
        return answer, publication.etag

    def end(self, session_id: str, *, token: str) -> None:
        """End a session.

        Raises:
            SessionNotFound, TokenRefused: as for `restart`.
        """
        publication, _ = self._find(session_id, token)
        publication.close(EndReason.LEFT)

    def end_all(self, scope: BanScope, reason: EndReason) -> None:
        """End every session of the users in `scope`."""
        for publication in tuple(self._by_id.values()):
            if publication.place is not None:
                room, _ = publication.place
                if scope.covers(room, publication.user_id):
                    publication.close(reason)

    def _enter(
        self,
        app: RtcApp,
        publication: _Publication,
        session: MediaSession,
        room: RoomKey,
        key: StreamKey,
    ) -> None:
        """Let a session into its room; another one of the same stream ends."""
        try:
            sink = self._rooms.publish(app, room.room_id, key)
        except BaseException:
            session.close()
            raise
        publication.bind(session, sink, room, key)
        former = self._by_place.get((room, key))
        self._by_id[publication.id] = publication
        self._by_place[room, key] = publication
        self._listener.session_began(room, key)
        if former is not None:
            former.close(EndReason.REPLACED)

    def _find(self, session_id: str, token: str) -> tuple[_Publication, MediaSession]:
        publication = self._by_id.get(session_id)
        if publication is None or publication.place is None or publication.session is None:
            raise SessionNotFound("there is no such session, or it has ended")
        room = publication.place[0]
        if self._user(self._apps[room.app_id], room.room_id, token) != publication.user_id:
            raise TokenRefused("the token is another user's")
        return publication, publication.session

    def _user(self, app: RtcApp, room_id: str, token: str) -> str:
        grant = room_token.verify(
            token,
            app_id=app.app_id,
            app_key=app.app_key,
            room_id=room_id,
            now_s=self._wall_clock.utc_ms() / 1000,
        )
        if not grant.may_publish_audio:
            raise TokenRefused("the token does not hold the privilege to publish")
        return grant.user_id

    def _forget(self, publication: _Publication, reason: EndReason) -> None:
        place = publication.place
        if place is None:  # there was no place for it
            return
        del self._by_id[publication.id]
        if self._by_place.get(place) is publication:
            del self._by_place[place]
        self._listener.session_ended(*place, reason)
