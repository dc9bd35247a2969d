"""Bans: who is kept out of which rooms, and until when.

Looking them up and remembering them is in application.rooms.bans.
"""

from __future__ import annotations

from dataclasses import dataclass

from airslice.domain.room import RoomKey

MIN_BAN_S = 10
MAX_BAN_S = 604_800
"""Bounds of a ban, in seconds.

Source: BanRoomUser, field ForbiddenInterval (https://www.volcengine.com/docs/6348/1188353).
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class BanScope:
    """Some users of an application: one or all of them, in one or all of its rooms.

    Args:
        app_id: The application.
        room_id: The room; None for all rooms.
        user_id: The user; None for everybody.

    Raises:
        ValueError: neither a room nor a user is named.
    """

    app_id: str
    room_id: str | None = None
    user_id: str | None = None

    def __post_init__(self) -> None:
        if self.room_id is None and self.user_id is None:
            raise ValueError("a ban names a room, a user or both")

    def covers(self, room: RoomKey, user_id: str) -> bool:
        """Whether the scope covers a user while he is in `room`."""
        return (
            self.app_id == room.app_id
            and self.room_id in (None, room.room_id)
            and self.user_id in (None, user_id)
        )


def scopes_of(room: RoomKey, user_id: str) -> tuple[BanScope, BanScope, BanScope]:
    """Return every scope that covers a user in a room."""
    app_id, room_id = room
    return (
        BanScope(app_id=app_id, room_id=room_id, user_id=user_id),
        BanScope(app_id=app_id, room_id=room_id),
        BanScope(app_id=app_id, user_id=user_id),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Ban:
    """Keeps those in its scope from publishing until it expires."""

    scope: BanScope
    expires_at_ms: int
    """When the ban ends: UTC, milliseconds since the Unix epoch."""

    def has_expired(self, now_ms: int) -> bool:
        """Whether the ban has ended at `now_ms` (UTC, milliseconds since the Unix epoch)."""
        return now_ms >= self.expires_at_ms


def ban_length_s(asked_s: int) -> int:
    """Return how long a ban lasts, in seconds; 0 for none.

    Args:
        asked_s: How long it was asked for, in seconds, at least 0. 0 means no ban; anything else
            is brought into the bounds `MIN_BAN_S` to `MAX_BAN_S`.
    """
    return asked_s and min(max(asked_s, MIN_BAN_S), MAX_BAN_S)
