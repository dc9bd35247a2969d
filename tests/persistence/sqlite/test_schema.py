"""Files that are opened, brought up to date, or refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.persistence.sqlite.rows import slice_row, task_row
from airslice.persistence.sqlite.schema import DatabaseUnusable
from airslice.persistence.sqlite.secrets import SecretBox
from airslice.persistence.sqlite.statements import migrations
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from tests.support.values.values import APP_ID, a_record, a_task

MASTER_KEY = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "airslice.db"


async def test_only_the_owner_may_read_the_files(path: Path) -> None:
    store = await SqliteTaskStore.open(path, MASTER_KEY)
    await store.save_task(a_task())

    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    await store.close()


async def test_another_master_key_is_refused_at_the_start(path: Path) -> None:
    await (await SqliteTaskStore.open(path, MASTER_KEY)).close()

    with pytest.raises(DatabaseUnusable, match="master_key"):
        await SqliteTaskStore.open(path, bytes(32))


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


def a_text_file(folder: Path) -> Path:
    path = folder / "airslice.db"
    path.write_bytes(b"no database " * 1_000)
    return path
