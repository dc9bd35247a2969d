"""What happens in rooms: rooms open and close, users come and go, streams start and stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from airslice.domain.room import RoomKey, StreamKey, StreamType


class EndReason(StrEnum):
    """Why a publishing session ended."""

    LEFT = "left"  # its user said goodbye
    LOST = "lost"  # nothing came from its user any more, or the connection failed
    REPLACED = "replaced"  # its user has opened another one for the same stream
    KICKED = "kicked"  # its user was sent out of the room
    BANNED = "banned"  # the same, and kept out
    DISMISSED = "dismissed"  # the room was closed with everybody in it
    SHUTDOWN = "shutdown"  # the server stops


class StreamStopReason(StrEnum):
    """Why a stream stopped."""

    UNPUBLISHED = "unpublished"  # its user is still in the room
    USER_LEFT = "user_left"
    BANNED = "banned"


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomOpened:
    """The first user is about to join a room."""

    room: RoomKey
    at_ms: int
    """UTC, milliseconds since the Unix epoch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UserJoined:
    """A user is in a room."""

    room: RoomKey
    user_id: str
    at_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamStarted:
    """A user who is in a room publishes a stream."""

    room: RoomKey
    stream: StreamKey
    at_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamStopped:
    """A user no longer publishes a stream."""

    room: RoomKey
    stream: StreamKey
    reason: StreamStopReason
    at_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UserLeft:
    """A user, all of whose streams have stopped, is no longer in a room."""

    room: RoomKey
    user_id: str
    reason: EndReason
    """Why the last of his sessions ended."""
    at_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomClosed:
    """The last user has left a room."""

    room: RoomKey
    at_ms: int


RoomEvent: TypeAlias = (
    RoomOpened | UserJoined | StreamStarted | StreamStopped | UserLeft | RoomClosed
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """A room, a user in it or a stream of his, between the event that it came and that it went."""

    room: RoomKey
    user_id: str = ""
    """Who is in the room; empty where the room itself is meant."""
    stream_type: StreamType | None = None
    """Which stream of the user's; None where a room or a user is meant."""
    since_ms: int = field(compare=False)
    """UTC, milliseconds since the Unix epoch."""


def presence_of(event: RoomEvent) -> Presence:
    """Return what an event says has come or gone."""
    match event:
        case UserJoined() | UserLeft():
            return Presence(room=event.room, user_id=event.user_id, since_ms=event.at_ms)
        case StreamStarted(stream=stream) | StreamStopped(stream=stream):
            return Presence(
                room=event.room,
                user_id=stream.user_id,
                stream_type=stream.stream_type,
                since_ms=event.at_ms,
            )
    return Presence(room=event.room, since_ms=event.at_ms)


def departures(present: Iterable[Presence], *, at_ms: int) -> list[RoomEvent]:
    """Return the events, in order, that end all that is present when a server dies.

    Args:
        present: What was told to have come, and not to have gone.
        at_ms: The latest moment at which the server is known to have lived, UTC.
    """
    streams: list[RoomEvent] = []
    users: list[RoomEvent] = []
    rooms: list[RoomEvent] = []
    for presence in present:
        room, user_id, end_ms = presence.room, presence.user_id, max(at_ms, presence.since_ms)
        if presence.stream_type is not None:
            stream = StreamKey(user_id, presence.stream_type)
            why = StreamStopReason.USER_LEFT
            streams.append(StreamStopped(room=room, stream=stream, reason=why, at_ms=end_ms))
        elif user_id:
            reason = EndReason.SHUTDOWN
            users.append(UserLeft(room=room, user_id=user_id, reason=reason, at_ms=end_ms))
        else:
            rooms.append(RoomClosed(room=room, at_ms=end_ms))
    return streams + users + rooms
