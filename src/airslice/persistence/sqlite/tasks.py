"""Tasks and slices in one SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from airslice.domain.errors import TaskNotFound
from airslice.domain.outbox import slice_lane
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import SliceTask, TaskKey
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.rows import Row, read_slice, read_task, slice_row, task_row
from airslice.persistence.sqlite.statements import statements

_TASKS = statements("tasks")
_SLICES = statements("slices")
_DELIVERIES = statements("deliveries")


class SqliteTaskStore:
    """A TaskStore in one SQLite file; the file's failures raise StoreFailed."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database

    @classmethod
    async def open(cls, path: Path, master_key: bytes) -> SqliteTaskStore:
        """Open the database at `path`; see `SqliteDatabase.open`."""
        return cls(await SqliteDatabase.open(path, master_key))

    async def close(self) -> None:
        """Close the database."""
        await self.database.close()

    async def save_task(self, task: SliceTask) -> None:
        """Insert or replace the run `task.run_id`."""
        await self._write(_TASKS["save_task"], task_row(task, self.database.box))

    async def find_task(self, key: TaskKey, *, since_ms: int) -> SliceTask | None:
        """Return the latest run of `key` that started at `since_ms` (UTC) or later."""
        rows = await self._read(_TASKS["find_task"], {**key._asdict(), "since_ms": since_ms})
        return read_task(rows[0], self.database.box) if rows else None

    async def find_run(self, run_id: str) -> SliceTask | None:
        """Return a run, however old."""
        rows = await self._read(_TASKS["find_run"], {"run_id": run_id})
        return read_task(rows[0], self.database.box) if rows else None

    async def unfinished_tasks(self) -> list[SliceTask]:
        """Return all runs that are not in a final state, oldest first."""
        rows = await self._read(_TASKS["unfinished_tasks"], {})
        return [read_task(row, self.database.box) for row in rows]

    async def next_index(self, run_id: str) -> dict[tuple[str, int], int]:
        """Return the next free slice index of each (user id, stream type) of a run."""
        rows = await self._read(_SLICES["next_index"], {"run_id": run_id})
        return {(row["user_id"], row["stream_type"]): row["next_index"] for row in rows}

    async def spool_names(self, run_id: str) -> set[str]:
        """Return the names, in the spool, of all slices that a run has in the records."""
        rows = await self._read(_SLICES["spool_names"], {"run_id": run_id})
        return {row["spool_name"] for row in rows}

    async def add_slice(self, record: SliceRecord) -> None:
        """Insert a slice, and its upload into the outbox, in one transaction.

        Inserting the same (run, stream, index) again changes nothing.

        Raises:
            TaskNotFound: the run was never saved, or is forgotten.
        """
        row = {**slice_row(record), "lane": slice_lane(record.run_id, record.stream)}

        def add(connection: sqlite3.Connection) -> None:
            if connection.execute(_SLICES["add_slice"], row).rowcount:
                connection.execute(_DELIVERIES["add_upload"], row)

        try:
            await self.database.write(add)
        except sqlite3.IntegrityError:
            raise TaskNotFound(f"no run {record.run_id}") from None

    async def room_slices(
        self, app_id: str, room_id: str, *, limit: int
    ) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the latest slices of a room, newest first."""
        room: Row = {"app_id": app_id, "room_id": room_id, "limit": limit}
        return await self.database.read(lambda connection: self._room_slices(connection, room))

    async def forget_before(self, ended_before_ms: int) -> None:
        """Remove runs that ended before, with their slices, if all of them were delivered."""
        await self._write(_TASKS["forget_before"], {"ended_before_ms": ended_before_ms})

    def _room_slices(
        self, connection: sqlite3.Connection, room: Row
    ) -> list[tuple[SliceTask, SliceRecord]]:
        tasks = {
            row["run_id"]: read_task(row, self.database.box)
            for row in connection.execute(_TASKS["room_tasks"], room)
        }
        return [
            (tasks[row["run_id"]], read_slice(row))
            for row in connection.execute(_SLICES["room_slices"], room)
        ]

    async def _read(self, sql: str, parameters: Row) -> list[sqlite3.Row]:
        return await self.database.rows(sql, parameters)

    async def _write(self, sql: str, parameters: Row) -> None:
        await self.database.write(lambda connection: connection.execute(sql, parameters))
