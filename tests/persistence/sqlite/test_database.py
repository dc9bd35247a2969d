"""One writer for all, and what becomes of writes that fail."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airslice.domain.errors import StoreFailed, TaskNotFound
from airslice.persistence.sqlite import schema
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from tests.support.values.values import a_record, a_task
from tests.support.waiting import PATIENCE_S

MASTER_KEY = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "airslice.db"


async def test_a_failed_write_does_not_take_its_neighbours_with_it(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task())

    results = await asyncio.gather(
        store.add_slice(a_record(0)),
        store.add_slice(a_record(0, run_id="never-saved")),
        store.add_slice(a_record(1)),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [type(None), TaskNotFound, type(None)]
    assert await store.next_index("run-1") == {("alice", 0): 2}
    await store.close()


async def test_a_locked_file_fails_the_writes_and_later_ones_work(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 0)
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    results = await asyncio.gather(
        *(store.add_slice(a_record(index)) for index in range(3)), return_exceptions=True
    )
    other.execute("ROLLBACK")
    other.close()
    await store.add_slice(a_record(5))

    assert {type(result) for result in results} == {StoreFailed}
    assert await store.next_index("run-1") == {("alice", 0): 6}
    await store.close()


async def test_a_failed_commit_fails_all_its_writes_and_later_ones_work(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task())
    with changed_schema(path):
        results = await asyncio.gather(
            store.add_slice(a_record()),
            store.save_task(a_task("run-2")),
            return_exceptions=True,
        )

    await store.save_task(a_task("run-3"))

    assert [type(result) for result in results] == [StoreFailed, StoreFailed]
    assert [task.run_id for task in await store.unfinished_tasks()] == ["run-1", "run-3"]
    await store.close()


async def test_a_full_disk_fails_the_writes_and_later_ones_work(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores SIGXFSZ, so a write beyond the limit fails as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))

    try:
        results = await asyncio.gather(
            *(store.add_slice(a_record(index)) for index in range(2_000)), return_exceptions=True
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await store.add_slice(a_record(0))

    assert {type(result) for result in results} == {StoreFailed}
    assert await store.next_index("run-1") == {("alice", 0): 1}
    await store.close()


async def test_a_cancelled_writer_does_not_disturb_the_others(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task())
    impatient = asyncio.create_task(store.add_slice(a_record(0)))
    patient = asyncio.create_task(store.add_slice(a_record(1)))
    await asyncio.sleep(0)

    impatient.cancel()
    await patient

    assert await store.next_index("run-1") == {("alice", 0): 2}
    await store.close()


async def test_a_write_during_a_commit_joins_the_next_one(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # makes the commit wait
    early = asyncio.create_task(store.add_slice(a_record(0)))
    for _ in range(3):
        await asyncio.sleep(0)

    late = asyncio.create_task(store.add_slice(a_record(1)))
    await asyncio.sleep(0)
    other.execute("ROLLBACK")
    other.close()

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(early, late)
    await store.close()


async def test_closing_finishes_the_writes_that_wait(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task())
    writes = [asyncio.create_task(store.add_slice(a_record(index))) for index in range(50)]
    await asyncio.sleep(0)

    await store.close()

    await asyncio.gather(*writes)


async def test_a_write_after_closing_fails_at_once(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.close()

    with pytest.raises(RuntimeError):
        await store.save_task(a_task())


@contextmanager
def changed_schema(path: Path) -> Iterator[None]:
    """Take away the slices, for a while."""
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE slices RENAME TO taken_away")
    yield
    connection.execute("ALTER TABLE taken_away RENAME TO slices")
    connection.close()
