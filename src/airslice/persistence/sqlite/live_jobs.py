"""Live jobs in the SQLite file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import numpy as np

from airslice.application.ports.live import JobQuery, Page
from airslice.domain.errors import StoreFailed
from airslice.domain.live_job import FINAL_STATES, LiveJob
from airslice.domain.script import Program
from airslice.persistence.sqlite.database import SqliteDatabase, SqliteStore
from airslice.persistence.sqlite.live_job_index import JobIndex, JobKeys, job_keys
from airslice.persistence.sqlite.live_job_rooms import JobRooms
from airslice.persistence.sqlite.live_rows import job_row, read_job, sealed_program
from airslice.persistence.sqlite.rows import Row
from airslice.persistence.sqlite.statements import statements

_JOBS = statements("live_jobs")


class SqliteLiveJobStore(SqliteStore):
    """A LiveJobStore in the SQLite file, made by `open`.

    The keys by which jobs are found are held in memory too, and read from the file once, by
    `open`: no second store may write to the same file. A room is saved before its jobs.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__(database)
        # Touched in the database's thread only. None: to be read again.
        self._keys: _Keys | None = None
        self._programs: dict[str, Program] = {}
        """The stored programs of jobs that have not ended, by job id: most changes of a job leave
        its program alone, which then need not be written again."""

    @classmethod
    async def open(cls, database: SqliteDatabase) -> SqliteLiveJobStore:
        """Return the store of a file, ready to find jobs."""
        store = cls(database)
        await database.read(store._loaded_keys)
        return store

    async def save_job(self, job: LiveJob) -> None:
        """Insert or replace a job."""
        try:
            await self._database.write(lambda connection: self._save(connection, job))
        except StoreFailed:
            # What was put into memory was not kept in the file.
            self._keys = None
            self._programs.pop(job.job_id, None)
            raise

    async def find_job(self, project_id: str, job_id: str) -> LiveJob | None:
        """Return a job of a project."""
        name = {"project_id": project_id, "job_id": job_id}
        row = await self._database.row(_JOBS["find_job"], name)
        return read_job(row, self._database.box) if row else None

    async def jobs(self, project_id: str, query: JobQuery) -> Page[LiveJob]:
        """Return jobs of a project, without their programs."""

        def read(connection: sqlite3.Connection) -> Page[LiveJob]:
            found = self._loaded_keys(connection).find(project_id, query)
            rows = connection.execute(_JOBS["listed_jobs"], {"ids": json.dumps(found.items)})
            box = self._database.box
            return Page(found.count, tuple(read_job(row, box, with_program=False) for row in rows))

        return await self._database.read(read)

    async def unfinished_jobs(self) -> list[LiveJob]:
        """Return all jobs that are not in a final state, oldest first."""
        rows = await self._database.rows(_JOBS["unfinished_jobs"])
        return [read_job(row, self._database.box) for row in rows]

    async def has_unfinished_job(self, room_id: str) -> bool:
        """Whether a room has a job that is not in a final state."""
        row = await self._database.row(_JOBS["has_unfinished_job"], {"room_id": room_id})
        return row is not None

    def _save(self, connection: sqlite3.Connection, job: LiveJob) -> None:
        keys = self._loaded_keys(connection)
        room_name: Row = {
            "project_id": job.project_id,
            "room_id": job.room_id,
            "room_name": job.room_name,
        }
        connection.execute(_JOBS["add_room"], room_name)
        room: int = connection.execute(_JOBS["find_room"], room_name).fetchone()["id"]
        row = job_row(job, room, self._database.box)
        row_id: int = connection.execute(_JOBS["save_job"], row).fetchone()["id"]
        self._save_documents(connection, job, {**row, **room_name, "id": row_id})
        keys.put(job, JobKeys(row_id, room, job.state, job.created_at_ms, job.updated_at_ms))

    def _save_documents(self, connection: sqlite3.Connection, job: LiveJob, row: Row) -> None:
        is_same_program = self._programs.get(job.job_id) is job.program
        if not is_same_program or not connection.execute(_JOBS["update_details"], row).rowcount:
            program = sealed_program(job, self._database.box)
            connection.execute(_JOBS["save_documents"], {**row, "program": program})
            connection.execute(_JOBS["set_latest"], row)
        if job.state in FINAL_STATES:
            self._programs.pop(job.job_id, None)
        else:
            self._programs[job.job_id] = job.program

    def _loaded_keys(self, connection: sqlite3.Connection) -> _Keys:
        if self._keys is None:
            self._keys = _Keys(connection)
        return self._keys


class _Keys:
    """The keys of all jobs in the file, by project, and the names of their rooms."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._rooms = JobRooms()
        self._indexes: dict[str, JobIndex] = {}
        project_of_room: dict[int, str] = {}
        for row in connection.execute(_JOBS["job_rooms"]):
            self._rooms.add(row["id"], row["project_id"], row["room_id"], row["room_name"])
            project_of_room[row["id"]] = row["project_id"]
        numbers = {project_id: n for n, project_id in enumerate(set(project_of_room.values()))}
        number_of_room = np.zeros(max(project_of_room, default=0) + 1, dtype=np.int32)
        for room, project_id in project_of_room.items():
            number_of_room[room] = numbers[project_id]
        with closing(connection.cursor()) as cursor:
            cursor.row_factory = None  # plain tuples, for there may be a million
            keys = job_keys(cursor.execute(_JOBS["job_keys"]))
        projects = number_of_room[keys["room"]]
        for project_id, number in numbers.items():
            self._indexes[project_id] = JobIndex(keys[projects == number])

    def put(self, job: LiveJob, keys: JobKeys) -> None:
        """Insert or replace a job."""
        self._rooms.add(keys.room, job.project_id, job.room_id, job.room_name)
        self._indexes.setdefault(job.project_id, JobIndex(job_keys(()))).put(keys)

    def find(self, project_id: str, query: JobQuery) -> Page[int]:
        """Return the ids of the rows of those jobs of a project that match `query`."""
        index = self._indexes.get(project_id)
        if index is None:
            return Page(0, ())
        return index.find(query, self._rooms.matching(project_id, query))
