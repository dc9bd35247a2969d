"""Live rooms in the SQLite file."""

from __future__ import annotations

import json
import sqlite3

from airslice.application.ports.live import Page, RoomQuery
from airslice.domain.live_job import LiveJob
from airslice.domain.live_room import LiveRoom, TemplateOwner
from airslice.persistence.sqlite.database import SqliteStore
from airslice.persistence.sqlite.live_rows import read_job, read_room, room_row
from airslice.persistence.sqlite.rows import Row
from airslice.persistence.sqlite.statements import statements

_ROOMS = statements("live_rooms")
_JOBS = statements("live_jobs")


class SqliteLiveRoomStore(SqliteStore):
    """A LiveRoomStore in the SQLite file."""

    async def save_room(self, room: LiveRoom) -> None:
        """Insert or replace a room."""
        await self._database.write(lambda connection: self._save(connection, room))

    async def find_room(self, room_id: str) -> LiveRoom | None:
        """Return a room of any project."""
        row = await self._database.row(_ROOMS["find_room"], {"room_id": room_id})
        return read_room(row, self._database.box) if row else None

    async def remove_room(self, room_id: str) -> None:
        """Remove a room; there need not be one. Its jobs stay."""
        await self._database.execute(_ROOMS["remove_room"], {"room_id": room_id})

    async def rooms(
        self, project_id: str, query: RoomQuery
    ) -> Page[tuple[LiveRoom, LiveJob | None]]:
        """Return rooms of a project, each with its latest created job."""
        scope: Row = {"scope": "rooms", "project_id": project_id, "now_ms": 0}
        return await self._page(scope, query)

    async def templates(
        self, project_id: str, owner: TemplateOwner, query: RoomQuery, *, now_ms: int
    ) -> Page[tuple[LiveRoom, LiveJob | None]]:
        """Return the templates of a project that `owner` says, each with its latest created job.

        At `now_ms` (UTC) templates whose sharing has expired are left out.
        """
        scope: Row = {"scope": owner, "project_id": project_id, "now_ms": now_ms}
        return await self._page(scope, query)

    async def count_rooms(self, project_id: str) -> int:
        """Return how many rooms a project has."""
        [row] = await self._database.rows(_ROOMS["count_rooms"], {"project_id": project_id})
        count: int = row["rooms"]
        return count

    def _save(self, connection: sqlite3.Connection, room: LiveRoom) -> None:
        row = room_row(room, self._database.box)
        row_id = connection.execute(_ROOMS["save_room"], row).fetchone()["id"]
        connection.execute(_ROOMS["remove_shares"], {"room": row_id})
        sharing = room.draft.sharing
        if sharing is not None:
            connection.executemany(
                _ROOMS["add_share"],
                [{"project_id": name, "room": row_id} for name in sharing.project_ids],
            )

    async def _page(self, scope: Row, query: RoomQuery) -> Page[tuple[LiveRoom, LiveJob | None]]:
        wanted: Row = {**scope, **_filter(query)}
        first, last = query.window.offset, query.window.offset + query.window.limit

        def read(connection: sqlite3.Connection) -> Page[tuple[LiveRoom, LiveJob | None]]:
            ids = [row["id"] for row in connection.execute(_ROOMS["matching"], wanted)]
            listed = {"ids": json.dumps(ids[first:last])}
            rows = connection.execute(_ROOMS["listed_rooms"], listed)
            return Page(len(ids), tuple(self._with_latest_job(connection, row) for row in rows))

        return await self._database.read(read)

    def _with_latest_job(
        self, connection: sqlite3.Connection, row: sqlite3.Row
    ) -> tuple[LiveRoom, LiveJob | None]:
        room = read_room(row, self._database.box, with_paragraphs=False)
        if row["last_job"] is None:
            return room, None
        one = {"ids": json.dumps([row["last_job"]])}
        job = connection.execute(_JOBS["listed_jobs"], one).fetchone()
        return room, read_job(job, self._database.box, with_program=False)


def _filter(query: RoomQuery) -> Row:
    states = [state.value if state is not None else "" for state in query.last_job_states]
    return {
        "name": query.name.casefold(),
        "dh_id": query.dh_id,
        "model": query.model_name.casefold(),
        "types": json.dumps(list(query.types)) if query.types else None,
        "confirm_state": query.confirm_state,
        "since_ms": query.window.created_since_ms,
        "until_ms": query.window.created_until_ms,
        "last_job_states": json.dumps(states) if states else None,
        "last_job_since_ms": query.last_job_since_ms,
        "last_job_until_ms": query.last_job_until_ms,
    }
