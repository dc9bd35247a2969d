"""What only SqliteTaskStore does; the rest is in tests/contracts."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.domain.errors import StoreFailed, TaskNotFound
from airslice.domain.outbox import DeliveryState
from airslice.domain.slice_record import SliceState
from airslice.domain.slice_task import TaskState
from airslice.persistence.sqlite import schema
from airslice.persistence.sqlite.rows import slice_row, task_row
from airslice.persistence.sqlite.schema import DatabaseUnusable
from airslice.persistence.sqlite.secrets import SecretBox, SecretUnreadable
from airslice.persistence.sqlite.statements import migrations, statements
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from tests.support.values.values import APP_ID, TARGET, a_record, a_task
from tests.support.waiting import PATIENCE_S

MASTER_KEY = bytes(range(32))
SECRET_STORAGE = replace(TARGET, access_key="AKVERYSECRET", secret_key="SKVERYSECRET")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "airslice.db"


async def test_what_was_written_is_there_after_closing(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task(storage=SECRET_STORAGE))
    await store.add_slice(a_record())
    await store.close()

    store = await SqliteTaskStore.open(path, MASTER_KEY)

    assert await store.room_slices(APP_ID, "room", limit=9) == [
        (a_task(storage=SECRET_STORAGE), a_record())
    ]
    await store.close()


async def test_what_was_written_survives_a_killed_process(path: Path) -> None:
    script = """
import asyncio, sys
from pathlib import Path
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from tests.support.values.values import a_record, a_task

async def main():
    store = await SqliteTaskStore.open(Path(sys.argv[1]), bytes(range(32)))
    await store.save_task(a_task())
    for index in range(10_000):
        await store.add_slice(a_record(index))
        print(index, flush=True)

asyncio.run(main())
"""
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, path, stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    await writer.stdout.readuntil(b"\n20\n")
    writer.kill()
    remaining, _ = await writer.communicate()
    reported = max((int(line) for line in remaining.splitlines()), default=20)

    store = await SqliteTaskStore.open(path, MASTER_KEY)

    # A slice that was committed but not yet reported may be there as well.
    assert (await store.next_index("run-1"))["alice", 0] in (reported + 1, reported + 2)
    await store.close()


async def test_no_secret_is_in_the_files(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    for number in range(50):
        await store.save_task(a_task(f"run-{number}", storage=SECRET_STORAGE))
    written = content(path.parent)
    await store.close()
    written += content(path.parent)

    assert b"moderation" in written
    assert b"VERYSECRET" not in written
    assert MASTER_KEY not in written


async def test_only_the_owner_may_read_the_files(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task())

    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    await store.close()


async def test_another_master_key_is_refused_at_the_start(path: Path) -> None:
    await (await SqliteTaskStore.open(path, MASTER_KEY)).close()

    with pytest.raises(DatabaseUnusable, match="master_key"):
        await SqliteTaskStore.open(path, bytes(32))


async def test_the_storage_keys_of_one_run_cannot_be_moved_to_another(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task("mine"))
    await store.save_task(a_task("theirs", storage=SECRET_STORAGE))
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE tasks SET storage_keys = "
            "(SELECT storage_keys FROM tasks WHERE run_id = 'theirs') WHERE run_id = 'mine'"
        )
    connection.close()
    store = await SqliteTaskStore.open(path, MASTER_KEY)

    with pytest.raises(SecretUnreadable, match="mine"):
        await store.unfinished_tasks()

    await store.close()


async def test_a_master_key_of_the_wrong_length_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        await SqliteTaskStore.open(path, bytes(16))


async def test_a_database_of_a_newer_release_is_refused(path: Path) -> None:
    await (await SqliteTaskStore.open(path, MASTER_KEY)).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9999")
    connection.close()

    with pytest.raises(DatabaseUnusable, match="newer release"):
        await SqliteTaskStore.open(path, MASTER_KEY)


async def test_slices_of_the_first_release_have_no_identifier_of_their_own(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    for migration in migrations()[:3]:
        connection.executescript(migration.script)
    connection.execute("PRAGMA user_version = 3")
    connection.row_factory = sqlite3.Row
    of_then: dict[str, Mapping[str, object]] = {
        "tasks": task_row(a_task(), SecretBox(MASTER_KEY)),
        "slices": {**slice_row(a_record()), "app_id": APP_ID, "room_id": "room"},
    }
    for table, row in of_then.items():
        columns = [c["name"] for c in connection.execute(f"PRAGMA table_info({table})")]
        kept = {name: row[name] for name in columns if name in row}
        marks = ", ".join(f":{name}" for name in kept)
        connection.execute(f"INSERT INTO {table} ({', '.join(kept)}) VALUES ({marks})", kept)
    connection.commit()
    connection.close()

    store = await SqliteTaskStore.open(path, MASTER_KEY)

    [(task, record)] = await store.room_slices(APP_ID, "room", limit=9)
    assert task == a_task()
    assert record == replace(a_record(), identifier=None)
    await store.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="not a database"):
        await SqliteTaskStore.open(a_text_file(tmp_path), MASTER_KEY)


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


@pytest.mark.parametrize(
    ("of", "name", "index"),
    [
        ("tasks", "find_task", "tasks_by_key"),
        ("tasks", "unfinished_tasks", "tasks_unfinished"),
        ("tasks", "room_tasks", "slices_by_room"),
        ("slices", "room_slices", "slices_by_room"),
        ("slices", "next_index", "sqlite_autoindex_slices_1"),
        ("slices", "find_slice", "sqlite_autoindex_slices_1"),
        ("deliveries", "queues", "deliveries_due"),
        ("deliveries", "due", "deliveries_due"),
        ("deliveries", "release", "deliveries_in_lane"),
        ("deliveries", "last_position", "deliveries_in_lane"),
        ("deliveries", "add_callback", "deliveries_in_lane"),
        ("deliveries", "hold_if_not_first", "deliveries_in_lane"),
        ("deliveries", "add_upload", "sqlite_autoindex_slices_1"),
        ("deliveries", "list_dead", "deliveries_dead"),
        ("deliveries", "awaited", "slices_spooled"),
    ],
)
def test_a_query_uses_its_index_and_sorts_nothing(of: str, name: str, index: str) -> None:
    connection = sqlite3.connect(":memory:")
    for migration in migrations():
        connection.executescript(migration.script)
    anything: dict[str, int] = defaultdict(int)

    plan = connection.execute(f"EXPLAIN QUERY PLAN {statements(of)[name]}", anything).fetchall()
    connection.close()

    steps = " / ".join(step[3] for step in plan)
    assert f"INDEX {index}" in steps
    assert "TEMP B-TREE" not in steps


@contextmanager
def changed_schema(path: Path) -> Iterator[None]:
    """Take away the slices, for a while."""
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE slices RENAME TO taken_away")
    yield
    connection.execute("ALTER TABLE taken_away RENAME TO slices")
    connection.close()


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def a_text_file(folder: Path) -> Path:
    path = folder / "airslice.db"
    path.write_bytes(b"no database " * 1_000)
    return path


def test_states_in_sql_are_those_of_the_domain() -> None:
    """A renamed state would silently empty these partial indexes."""
    script = "".join(migration.script for migration in migrations())

    final = ", ".join(f"'{state}'" for state in (TaskState.ENDED, TaskState.FAILED))
    in_lane = ", ".join(f"'{state}'" for state in (DeliveryState.HELD, DeliveryState.WAITING))
    due = ", ".join(f"'{state}'" for state in (DeliveryState.WAITING, DeliveryState.PARKED))
    assert f"state NOT IN ({final})" in script
    assert f"state IN ({in_lane})" in script
    assert f"state IN ({due})" in script
    assert f"state = '{DeliveryState.DEAD}'" in script
    assert f"state = '{SliceState.SPOOLED}'" in script


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [migration.version for migration in migrations()]

    assert numbers == list(range(1, len(numbers) + 1))
