"""Tasks and slices in the SQLite file; their uploads are in outbox.py."""

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
    """A TaskStore in the SQLite file; failures of the file raise StoreFailed."""

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
        await self.database.execute(_TASKS["save_task"], task_row(task, self.database.box))

    async def find_task(self, key: TaskKey, *, since_ms: int) -> SliceTask | None:
        """Return the latest run of `key` that started at `since_ms` (UTC) or later."""
        wanted = {**key._asdict(), "since_ms": since_ms}
        row = await self.database.row(_TASKS["find_task"], wanted)
        return read_task(row, self.database.box) if row else None

    async def find_run(self, run_id: str) -> SliceTask | None:
        """Return a run, however old."""
        row = await self.database.row(_TASKS["find_run"], {"run_id": run_id})
        return read_task(row, self.database.box) if row else None

    async def unfinished_tasks(self) -> list[SliceTask]:
        """Return all runs that are not in a final state, oldest first."""
        rows = await self.database.rows(_TASKS["unfinished_tasks"])
        return [read_task(row, self.database.box) for row in rows]

    async def next_index(self, run_id: str) -> dict[tuple[str, int], int]:
        """Return the next free slice index of each (user id, stream type) of a run."""
        rows = await self.database.rows(_SLICES["next_index"], {"run_id": run_id})
        return {(row["user_id"], row["stream_type"]): row["next_index"] for row in rows}

    async def spool_names(self, run_id: str) -> set[str]:
        """Return the spool file names of all slices that are recorded of a run."""
        rows = await self.database.rows(_SLICES["spool_names"], {"run_id": run_id})
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
        """Return at most `limit` slices of a room with their tasks, newest first."""
        room: Row = {"app_id": app_id, "room_id": room_id, "limit": limit}

        def query(connection: sqlite3.Connection) -> list[tuple[SliceTask, SliceRecord]]:
            tasks = {
                row["run_id"]: read_task(row, self.database.box)
                for row in connection.execute(_TASKS["room_tasks"], room)
            }
            return [
                (tasks[row["run_id"]], read_slice(row))
                for row in connection.execute(_SLICES["room_slices"], room)
            ]

        return await self.database.read(query)

    async def forget_before(self, ended_before_ms: int) -> None:
        """Remove each run that ended before this time (UTC) if all its slices were delivered."""
        await self.database.execute(_TASKS["forget_before"], {"ended_before_ms": ended_before_ms})
