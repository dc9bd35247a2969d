"""Tasks and slices in one SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from airslice.domain.errors import StoreFailed, TaskNotFound
from airslice.domain.slice_record import SliceRecord, SliceState
from airslice.domain.slice_task import SliceTask, TaskKey
from airslice.persistence.rows import Row, read_slice, read_task, slice_name, slice_row, task_row
from airslice.persistence.schema import open_database
from airslice.persistence.secrets import SecretBox
from airslice.persistence.statements import statements

_TASKS = statements("tasks")
_SLICES = statements("slices")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Write:
    """A statement that waits for the next commit."""

    sql: str
    parameters: Row
    done: asyncio.Future[None]


class SqliteTaskStore:
    """A TaskStore whose connection lives in a thread of its own.

    Where the file cannot be read or written, each method raises StoreFailed.

    A write returns once it is on the disk. Those that arrive during a commit share the next one;
    each caller waits for its own, so there are never more writes waiting than callers.

    Made by `open`.
    """

    def __init__(
        self, connection: sqlite3.Connection, thread: ThreadPoolExecutor, box: SecretBox
    ) -> None:
        self._connection = connection
        self._thread = thread
        self._box = box
        self._waiting: list[_Write] = []
        self._committing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: Path, master_key: bytes) -> SqliteTaskStore:
        """Open the database, made if it is missing.

        Args:
            path: Of the database file.
            master_key: 32 bytes, from which the key is derived that seals storage keys.

        Raises:
            DatabaseUnusable: the file's schema or master key is not ours, or it cannot be opened.
            ValueError: `master_key` has another length.
        """
        box = SecretBox(master_key)
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        loop = asyncio.get_running_loop()
        try:
            connection = await loop.run_in_executor(thread, open_database, path, box)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(connection, thread, box)

    async def close(self) -> None:
        """Finish the writes that wait and close the database; nothing comes after this."""
        if self._committing is not None:
            await self._committing
        await self._in_thread(self._connection.close)
        self._thread.shutdown()

    async def save_task(self, task: SliceTask) -> None:
        """Insert or replace the run `task.run_id`."""
        await self._write(_TASKS["save_task"], task_row(task, self._box))

    async def find_task(self, key: TaskKey, *, since_ms: int) -> SliceTask | None:
        """Return the latest run of `key` that started at `since_ms` (UTC) or later."""
        rows = await self._read(_TASKS["find_task"], {**key._asdict(), "since_ms": since_ms})
        return read_task(rows[0], self._box) if rows else None

    async def find_run(self, run_id: str) -> SliceTask | None:
        """Return a run, however old."""
        rows = await self._read(_TASKS["find_run"], {"run_id": run_id})
        return read_task(rows[0], self._box) if rows else None

    async def unfinished_tasks(self) -> list[SliceTask]:
        """Return all runs that are not in a final state, oldest first."""
        rows = await self._read(_TASKS["unfinished_tasks"], {})
        return [read_task(row, self._box) for row in rows]

    async def next_index(self, run_id: str) -> dict[tuple[str, int], int]:
        """Return the next free slice index of each (user id, stream type) of a run."""
        rows = await self._read(_SLICES["next_index"], {"run_id": run_id})
        return {(row["user_id"], row["stream_type"]): row["next_index"] for row in rows}

    async def spool_names(self, run_id: str) -> set[str]:
        """Return the names, in the spool, of all slices that a run has in the records."""
        rows = await self._read(_SLICES["spool_names"], {"run_id": run_id})
        return {row["spool_name"] for row in rows}

    async def add_slice(self, record: SliceRecord) -> None:
        """Insert a slice; inserting the same (run, stream, index) again changes nothing.

        Raises:
            TaskNotFound: the run was never saved, or is forgotten.
        """
        try:
            await self._write(_SLICES["add_slice"], slice_row(record))
        except sqlite3.IntegrityError:
            raise TaskNotFound(f"no run {record.run_id}") from None

    async def set_slice_state(self, record: SliceRecord, state: SliceState) -> None:
        """Move a slice to `state`."""
        await self._write(_SLICES["set_slice_state"], {**slice_name(record), "state": state})

    async def undelivered_slices(self) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the slices that are spooled or stored but not announced, oldest first."""
        return await self._in_thread(partial(self._fetch_slices, "undelivered", {}))

    async def room_slices(
        self, app_id: str, room_id: str, *, limit: int
    ) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the latest slices of a room, newest first."""
        room: Row = {"app_id": app_id, "room_id": room_id, "limit": limit}
        return await self._in_thread(partial(self._fetch_slices, "room", room))

    async def forget_before(self, ended_before_ms: int) -> None:
        """Remove runs that ended before, with their slices, if all of them were delivered."""
        await self._write(_TASKS["forget_before"], {"ended_before_ms": ended_before_ms})

    async def _in_thread(self, call: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except sqlite3.Error as error:
            raise StoreFailed(f"the database failed: {error}") from error

    async def _read(self, sql: str, parameters: Row) -> list[sqlite3.Row]:
        return await self._in_thread(lambda: self._connection.execute(sql, parameters).fetchall())

    def _fetch_slices(self, which: str, parameters: Row) -> list[tuple[SliceTask, SliceRecord]]:
        execute = self._connection.execute
        tasks = {
            row["run_id"]: read_task(row, self._box)
            for row in execute(_TASKS[f"{which}_tasks"], parameters)
        }
        return [
            (tasks[row["run_id"]], read_slice(row))
            for row in execute(_SLICES[f"{which}_slices"], parameters)
        ]

    async def _write(self, sql: str, parameters: Row) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(sql, parameters, done))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        await done

    async def _commit_waiting(self) -> None:
        while self._waiting:
            writes, self._waiting = self._waiting, []
            errors: Sequence[Exception | None]
            try:
                errors = await self._in_thread(partial(self._commit, writes))
            except Exception as failure:  # of the commit: every writer gets it
                errors = [failure] * len(writes)
            for write, error in zip(writes, errors, strict=True):
                if write.done.cancelled():
                    continue
                if error is None:
                    write.done.set_result(None)
                else:
                    write.done.set_exception(error)

    def _commit(self, writes: Sequence[_Write]) -> Sequence[Exception | None]:
        """Run `writes` in one transaction; return what went wrong with each."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            errors = [self._execute(write) for write in writes]
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return errors

    def _execute(self, write: _Write) -> Exception | None:
        # A statement that breaks a rule takes back only what it did itself; the others go on.
        try:
            self._connection.execute(write.sql, write.parameters)
        except (sqlite3.IntegrityError, OverflowError) as error:
            return error
        return None
