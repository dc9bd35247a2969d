"""Rows of tasks and slices, as they are in the file."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.persistence.sqlite.secrets import SecretUnreadable
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from tests.support.values.values import TARGET, a_task

MASTER_KEY = bytes(range(32))
SECRET_STORAGE = replace(TARGET, access_key="AKVERYSECRET", secret_key="SKVERYSECRET")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "airslice.db"


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


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())
