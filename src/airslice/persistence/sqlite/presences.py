"""Who is in which room, in the SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from airslice.domain.room import RoomKey, StreamType
from airslice.domain.room_event import Presence
from airslice.persistence.sqlite.database import SqliteStore
from airslice.persistence.sqlite.rows import Row
from airslice.persistence.sqlite.statements import statements

_PRESENCES = statements("presences")
_NO_STREAM = -1


class SqlitePresences(SqliteStore):
    """A PresenceStore in the SQLite file."""

    async def note(
        self, *, entered: Sequence[Presence] = (), left: Sequence[Presence] = ()
    ) -> None:
        """Remember what has come and forget what has gone, in one transaction."""

        def change(connection: sqlite3.Connection) -> None:
            connection.executemany(_PRESENCES["enter"], map(_row, entered))
            connection.executemany(_PRESENCES["leave"], map(_row, left))

        await self._database.write(change)

    async def present(self) -> list[Presence]:
        """Return every room, user and stream that has come and not gone."""
        return [_read(row) for row in await self._database.rows(_PRESENCES["present"])]

    async def sign(self, at_ms: int) -> None:
        """Remember that the server lives at `at_ms` (UTC)."""
        await self._database.execute(_PRESENCES["sign"], {"at_ms": at_ms})

    async def last_sign_ms(self) -> int:
        """Return the latest time that was given to `sign`; 0 if there was none."""
        row = await self._database.row(_PRESENCES["last_sign"])
        return row["at_ms"] if row else 0


def _row(presence: Presence) -> Row:
    kind = presence.stream_type
    return {
        **presence.room._asdict(),
        "user_id": presence.user_id,
        "stream_type": _NO_STREAM if kind is None else kind,
        "since_ms": presence.since_ms,
    }


def _read(row: sqlite3.Row) -> Presence:
    kind = row["stream_type"]
    return Presence(
        room=RoomKey(row["app_id"], row["room_id"]),
        user_id=row["user_id"],
        stream_type=None if kind == _NO_STREAM else StreamType(kind),
        since_ms=row["since_ms"],
    )
