"""What outlives the server: its database, object storage, spool and journal."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from airslice.application.delivery.storage_health import StorageHealth
from airslice.application.ports.journal import Journal, NoJournal, PastJournal
from airslice.application.tasks.intake import Intake
from airslice.encoding.writers import FileSliceWriters
from airslice.persistence.sqlite.live_jobs import SqliteLiveJobStore
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from airslice.storage.bucket_router import BucketRouter
from airslice.storage.journal import DiskJournal, past_journals
from airslice.storage.local import LocalObjectStore
from airslice.storage.s3 import S3ObjectStore
from airslice.storage.spool import DiskSpool
from airslice.wiring.environment import Environment

MAX_JOURNAL_BYTES = 4 * 1024**3
"""600 s, the longest slice, of 1,000 streams at 32 kbit/s."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageServices:
    """The stores of a server, opened."""

    tasks: SqliteTaskStore
    """Holds the slice tasks; its database is that of all other stores."""
    live_jobs: SqliteLiveJobStore
    objects: LocalObjectStore
    buckets: BucketRouter
    """Routes to the local objects or to S3, as the configuration says."""
    health: StorageHealth
    spool: DiskSpool
    journal: Journal
    past: Sequence[PastJournal]
    """The journals of servers that have died."""
    intake: Intake


@contextlib.asynccontextmanager
async def open_storage(environment: Environment) -> AsyncIterator[StorageServices]:
    """Open all stores; close them at the end."""
    server, storage = environment.settings.server, environment.settings.storage
    async with AsyncExitStack() as stack:
        tasks = await SqliteTaskStore.open(server.data_dir / "airslice.db", server.master_key)
        stack.push_async_callback(tasks.close)
        objects = LocalObjectStore(server.data_dir / "objects")
        remote = S3ObjectStore(environment.clock, storage.endpoints)
        stack.push_async_callback(remote.close)
        buckets = BucketRouter(
            local=objects, remote=remote, overrides=storage.endpoints, default=storage.default
        )
        health = StorageHealth(environment.clock, buckets if storage.probe else None)
        stack.push_async_callback(health.close)
        spool = DiskSpool(
            server.data_dir / "spool", FileSliceWriters(), quota_bytes=server.spool_quota_bytes
        )
        stack.callback(spool.close)
        past = past_journals(server.data_dir / "journal")  # before there is one of this server
        journal = await stack.enter_async_context(_journal(environment))
        yield StorageServices(
            tasks=tasks,
            live_jobs=await SqliteLiveJobStore.open(tasks.database),
            objects=objects,
            buckets=buckets,
            health=health,
            spool=spool,
            journal=journal,
            past=past,
            intake=Intake(spool=spool, journal=journal, max_tasks=server.max_tasks),
        )


@contextlib.asynccontextmanager
async def _journal(environment: Environment) -> AsyncIterator[Journal]:
    server = environment.settings.server
    if not server.journal:
        yield NoJournal()
        return
    journal = DiskJournal(server.data_dir / "journal", environment.clock, MAX_JOURNAL_BYTES)
    journal.start()
    try:
        yield journal
    finally:
        await journal.close()
