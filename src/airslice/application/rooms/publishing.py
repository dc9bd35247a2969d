"""Publishing sessions: users publish into rooms, and so do parts of this process.

What is published goes to the rooms' streams; who may publish is decided in `room_sessions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from airslice.application.ports.media import MediaEngine, MediaSession, RtpSink, StreamSink
from airslice.application.rooms.registry import Rooms
from airslice.application.rooms.room_sessions import (
    Admission,
    OpenedSession,
    Purpose,
    RoomSession,
    RoomSessions,
)
from airslice.domain.errors import TokenRefused
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.domain.room_event import EndReason
from airslice.slicing.packets import RtpPacket, SenderReport


class SessionObserver(Protocol):
    """Is told of every publishing session."""

    def session_began(self, room: RoomKey, stream: StreamKey) -> None:
        """A user publishes; a former session of the same stream ends right after this."""

    def session_ended(self, room: RoomKey, stream: StreamKey, reason: EndReason) -> None:
        """A session that began has ended."""


class LocalPublisher(RtpSink, Protocol):
    """A publisher that is a part of this process: it hands its packets over itself."""

    def close(self, reason: EndReason) -> None:
        """Leave the room; nothing is taken any more."""


class _Publication(RoomSession[MediaSession]):
    """A publishing session: the engine's sink until the room's takes over (`StreamSink`)."""

    def __init__(
        self,
        room: RoomKey,
        stream: StreamKey,
        on_ended: Callable[[_Publication, EndReason], None],
        *,
        is_presenter: bool = False,
    ) -> None:
        super().__init__(room, stream.user_id)
        self.stream = stream
        self.is_presenter = is_presenter
        self._sink: StreamSink | None = None
        self._on_ended = on_ended
        self._closed_for: EndReason | None = None

    def bind(self, connection: MediaSession, sink: StreamSink) -> None:
        self.connection = connection
        self._sink = sink

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        return self._sink.source(ssrc) if self._sink else lambda packet: None

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        if self._sink:
            self._sink.sender_report(ssrc, report)

    def close(self, reason: EndReason) -> None:
        self._closed_for = reason
        super().close(reason)

    def ended(self, reason: EndReason = EndReason.LOST) -> None:
        if self._sink is None:  # it never came into its room
            return
        reason = self._closed_for or reason
        try:
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


class Publishing(RoomSessions[_Publication]):
    """Opens, restarts and ends publishing sessions."""

    def __init__(
        self, *, admission: Admission, rooms: Rooms, engine: MediaEngine, observer: SessionObserver
    ) -> None:
        super().__init__(admission, Purpose.PUBLISH)
        self._rooms = rooms
        self._engine = engine
        self._observer = observer
        self._by_place: dict[tuple[RoomKey, StreamKey], _Publication] = {}

    def publish(
        self, app_id: str, room_id: str, *, token: str, offer: str, stream_type: StreamType
    ) -> OpenedSession:
        """Open a session; another one of the same user and stream type is replaced.

        Args:
            app_id: The application.
            room_id: The room.
            token: The user's room token.
            offer: The user's SDP offer.
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
        room = self._admission.room(app_id, room_id)
        user_id = self._admission.admit(room, token, Purpose.PUBLISH)
        stream = StreamKey(user_id, stream_type)
        former = self._by_place.get((room, stream))
        if former is not None and former.is_presenter:
            raise TokenRefused("a presenter publishes as this user")
        publication = _Publication(room, stream, self._forget)
        self._enter(publication, self._engine.open(offer, publication))
        return publication.opened

    def present(
        self, room: RoomKey, user_id: str, on_ended: Callable[[EndReason], None]
    ) -> LocalPublisher:
        """Let a part of this process publish as a user; no other session replaces it.

        Args:
            room: A room of one of the applications.
            user_id: The user as whom it publishes.
            on_ended: Told when the session has ended, for whatever reason.

        Raises:
            AppNotFound: there is no such application.
            UserBanned: the user is kept out of the room.
            RoomFull: there is no place for him.
        """
        self._admission.check(room, user_id)

        def end(publication: _Publication, reason: EndReason) -> None:
            self._forget(publication, reason)
            on_ended(reason)

        publication = _Publication(room, StreamKey(user_id), end, is_presenter=True)
        self._enter(publication, _LocalSession(publication))
        return publication

    def _enter(self, publication: _Publication, connection: MediaSession) -> None:
        """Let a session into its room; another one of the same stream ends."""
        room, stream = publication.room, publication.stream
        try:
            sink = self._rooms.publish(self._admission.app(room.app_id), room.room_id, stream)
        except BaseException:
            connection.close()
            raise
        publication.bind(connection, sink)
        former = self._by_place.get((room, stream))
        self._by_id[publication.id] = publication
        self._by_place[room, stream] = publication
        self._observer.session_began(room, stream)
        if former is not None:
            former.close(EndReason.REPLACED)

    def _forget(self, publication: _Publication, reason: EndReason) -> None:
        place = (publication.room, publication.stream)
        del self._by_id[publication.id]
        if self._by_place.get(place) is publication:
            del self._by_place[place]
        self._observer.session_ended(*place, reason)
