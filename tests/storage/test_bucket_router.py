from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Literal

import pytest

from airslice.domain.errors import StoreRefused
from airslice.domain.storage_endpoints import StorageOverride
from airslice.storage.bucket_router import BucketRouter
from airslice.storage.s3 import S3ObjectStore
from tests.support.clock import HandClock
from tests.support.memory.objects import MemoryObjectStore
from tests.support.stages.scripted_store import ScriptedStore
from tests.support.values.values import TARGET


@pytest.fixture
async def elsewhere() -> AsyncIterator[ScriptedStore]:
    async with ScriptedStore() as store:
        yield store


@pytest.fixture
def local() -> MemoryObjectStore:
    return MemoryObjectStore()


@pytest.fixture
async def remotes() -> AsyncIterator[list[S3ObjectStore]]:
    made: list[S3ObjectStore] = []
    yield made
    for store in made:
        await store.close()


def router(
    local: MemoryObjectStore,
    remotes: list[S3ObjectStore],
    overrides: Sequence[StorageOverride],
    default: Literal["local", "vendor"],
) -> BucketRouter:
    remotes.append(S3ObjectStore(HandClock(), overrides))
    return BucketRouter(local=local, remote=remotes[-1], overrides=overrides, default=default)


async def put(store: BucketRouter, tmp_path: Path) -> None:
    source = tmp_path / "slice"
    source.write_bytes(b"audio")
    sha256 = hashlib.sha256(b"audio").hexdigest()
    await store.put(
        TARGET, "key.wav", source, content_type="audio/wav", sha256=sha256, metadata={"user": "a"}
    )


async def test_what_no_override_matches_stays_here_by_default(
    elsewhere: ScriptedStore,
    local: MemoryObjectStore,
    remotes: list[S3ObjectStore],
    tmp_path: Path,
) -> None:
    store = router(local, remotes, [elsewhere.override(bucket="other")], "local")

    await store.check(TARGET)
    await put(store, tmp_path)

    kept = local.objects["moderation", "key.wav"]
    assert (kept.body, kept.metadata) == (b"audio", {"user": "a"})
    assert elsewhere.requests == []


async def test_what_an_override_matches_goes_there(
    elsewhere: ScriptedStore,
    local: MemoryObjectStore,
    remotes: list[S3ObjectStore],
    tmp_path: Path,
) -> None:
    store = router(local, remotes, [elsewhere.override(bucket="moderation")], "local")

    await put(store, tmp_path)

    assert [request.body for request in elsewhere.requests] == [b"audio"]
    assert elsewhere.requests[0].headers["x-amz-meta-user"] == "a"
    assert not local.objects


async def test_all_else_can_go_to_the_vendors(
    local: MemoryObjectStore, remotes: list[S3ObjectStore], tmp_path: Path
) -> None:
    store = router(local, remotes, [], "vendor")

    with pytest.raises(StoreRefused, match="no keys"):  # TOS, whose requests carry none
        await store.check(TARGET)
    with pytest.raises(StoreRefused, match="no keys"):
        await put(store, tmp_path)

    assert not local.objects
