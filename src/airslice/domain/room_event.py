"""What happens in rooms: rooms open and close, users come and go, streams start and stop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from airslice.domain.room import RoomKey, StreamKey


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
    """He does not any more."""

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
