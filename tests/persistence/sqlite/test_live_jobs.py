"""Live jobs in the file, and their list in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from airslice.application.ports.live import JobQuery
from airslice.domain.errors import StoreFailed
from airslice.domain.live_job import JobState
from airslice.domain.script import Cursor, Program
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.live_jobs import SqliteLiveJobStore
from airslice.persistence.sqlite.secrets import SecretUnreadable
from tests.support.values.live_values import (
    PROJECT,
    SCENE,
    a_job,
)

MASTER_KEY = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "airslice.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    database = await SqliteDatabase.open(path, MASTER_KEY)
    yield database
    await database.close()


async def test_a_program_is_written_once_however_often_its_job_changes(
    database: SqliteDatabase,
) -> None:
    jobs = await SqliteLiveJobStore.open(database)
    job = a_job()
    await jobs.save_job(job)

    async def sealed() -> bytes:
        rows = await database.rows("SELECT program FROM live_job_documents", {})
        program: bytes = rows[0]["program"]
        return program

    first = await sealed()
    for number in range(3):
        await jobs.save_job(replace(job, cursor=Cursor(sentence=number), state=JobState.PROCESSING))
    assert await sealed() == first

    await jobs.save_job(replace(job, program=Program(scenes=(replace(SCENE, name="new"),))))
    assert await sealed() != first


REFUSING = """CREATE TRIGGER refuse_{0} AFTER {0} ON live_jobs
BEGIN INSERT INTO nowhere VALUES (1); END"""


async def test_a_job_that_could_not_be_saved_is_not_listed(database: SqliteDatabase) -> None:
    jobs = await SqliteLiveJobStore.open(database)
    await jobs.save_job(a_job("kept"))
    for happening in ("INSERT", "UPDATE"):
        await database.write(partial(execute, sql=REFUSING.format(happening)))
    with pytest.raises(StoreFailed):
        await jobs.save_job(a_job("lost"))
    with pytest.raises(StoreFailed):
        await jobs.save_job(a_job("kept", state=JobState.FAILED))
    for happening in ("INSERT", "UPDATE"):
        await database.write(partial(execute, sql=f"DROP TRIGGER refuse_{happening}"))

    page = await jobs.jobs(PROJECT, JobQuery())
    assert (page.count, [job.job_id for job in page.items]) == (1, ["kept"])
    failed = JobQuery(states=frozenset({JobState.FAILED}))
    assert (await jobs.jobs(PROJECT, failed)).count == 0

    await jobs.save_job(a_job("lost"))
    assert await jobs.find_job(PROJECT, "lost") == a_job("lost")
    assert (await jobs.jobs(PROJECT, JobQuery())).count == 2


def execute(connection: sqlite3.Connection, *, sql: str) -> None:
    connection.execute(sql)


async def test_listing_reads_no_program(database: SqliteDatabase) -> None:
    jobs = await SqliteLiveJobStore.open(database)
    await jobs.save_job(a_job())
    await database.write(lambda c: c.execute("UPDATE live_job_documents SET program = x'00'"))

    assert (await jobs.jobs(PROJECT, JobQuery())).count == 1
    with pytest.raises(SecretUnreadable):
        await jobs.find_job(PROJECT, "job-1")
