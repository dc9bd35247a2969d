"""One SQLite file for all stores: a thread to use it in, and writes that share commits.

Its schema is in schema.py, what the stores ask of it is in queries/.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from airslice.domain.errors import StoreFailed
from airslice.persistence.sqlite.rows import Row
from airslice.persistence.sqlite.schema import open_database
from airslice.persistence.sqlite.secrets import SecretBox

_T = TypeVar("_T")

_NOTHING: Row = {}


@dataclass(frozen=True, slots=True)
class _Write:
    """A change that waits for the next commit."""

    change: Callable[[sqlite3.Connection], Any]
    done: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Refused:
    """A change that was taken back."""

    error: Exception


class SqliteDatabase:
    """A connection that lives in a thread of its own; made by `open`.

    Where the file cannot be read or written, each method raises StoreFailed.

    A write returns once it is on the disk. Those that arrive during a commit share the next one;
    each caller waits for its own, so there are never more writes waiting than callers.
    """

    def __init__(
        self, connection: sqlite3.Connection, thread: ThreadPoolExecutor, box: SecretBox
    ) -> None:
        self._connection = connection
        self._thread = thread
        self.box = box
        """Seals what is secret in the file."""
        self._waiting: list[_Write] = []
        self._committing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: Path, master_key: bytes) -> SqliteDatabase:
        """Open the database, made if it is missing.

        Args:
            path: The database file.
            master_key: 32 bytes, from which the key is derived that seals stored secrets.

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

    async def read(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what `query` returns; it runs in the database's thread and changes nothing."""
        return await self._in_thread(partial(query, self._connection))

    async def rows(self, sql: str, parameters: Row = _NOTHING) -> list[sqlite3.Row]:
        """Return all rows of one query."""
        return await self.read(lambda connection: connection.execute(sql, parameters).fetchall())

    async def row(self, sql: str, parameters: Row = _NOTHING) -> sqlite3.Row | None:
        """Return the first row of one query; None if it has none."""
        rows = await self.rows(sql, parameters)
        return rows[0] if rows else None

    async def execute(self, sql: str, parameters: Row) -> None:
        """Run one statement that changes something; return once that is on the disk."""
        await self.write(lambda connection: connection.execute(sql, parameters))

    async def write(self, change: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what `change` returns, once its changes are on the disk.

        It runs in the database's thread, in a transaction that it shares with others. If it
        raises, for example because it breaks a constraint of the schema, only its own changes
        are rolled back.
        """
        done: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(change, done))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        return await done

    async def _in_thread(self, call: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except sqlite3.Error as error:
            raise StoreFailed(f"the database failed: {error}") from error

    async def _commit_waiting(self) -> None:
        while self._waiting:
            writes, self._waiting = self._waiting, []
            results: Sequence[object]
            try:
                results = await self._in_thread(partial(self._commit, writes))
            except Exception as failure:  # of the commit: every writer gets it
                results = [_Refused(failure)] * len(writes)
            for write, result in zip(writes, results, strict=True):
                if write.done.cancelled():
                    continue
                if isinstance(result, _Refused):
                    write.done.set_exception(result.error)
                else:
                    write.done.set_result(result)

    def _commit(self, writes: Sequence[_Write]) -> Sequence[object]:
        """Run `writes` in one transaction; return what came of each."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            results = [self._run(write) for write in writes]
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return results

    def _run(self, write: _Write) -> object:
        self._connection.execute("SAVEPOINT one_write")
        try:
            result = write.change(self._connection)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                raise  # the file's trouble, and so that of all
            self._connection.execute("ROLLBACK TO one_write")
            result = _Refused(error)
        self._connection.execute("RELEASE one_write")
        return result


class SqliteStore:
    """A store in a database; its methods raise StoreFailed where the file fails."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
