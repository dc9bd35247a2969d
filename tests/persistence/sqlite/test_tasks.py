"""What was written is there, whatever happened since."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.persistence.sqlite.tasks import SqliteTaskStore
from tests.support.values.values import APP_ID, TARGET, a_record, a_task

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
