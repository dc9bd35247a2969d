"""S3ObjectStore against S3 servers of other people's making."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.domain.errors import StoreRefused
from airslice.domain.storage_endpoints import StorageOverride
from airslice.domain.storage_target import StorageTarget, StorageVendor
from airslice.storage.s3 import PROBE_KEY, S3ObjectStore
from tests.support.clock import HandClock
from tests.support.server.s3_servers import (
    ACCESS_KEY,
    BUCKET,
    SECRET_KEY,
    SERVERS,
    WRITER_ACCESS_KEY,
    WRITER_SECRET_KEY,
    S3Server,
)

KEY = "prefix_a@b_screen_1700000000000_0.wav"
OWNER = StorageTarget(
    vendor=StorageVendor.S3,
    region=0,
    bucket=BUCKET,
    access_key=ACCESS_KEY,
    secret_key=SECRET_KEY,
)
WRITER = replace(OWNER, access_key=WRITER_ACCESS_KEY, secret_key=WRITER_SECRET_KEY)

Store = Callable[[S3Server], S3ObjectStore]


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[S3Server]:
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as server:
        yield server


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server that checks signatures and permissions."""
    with SERVERS["versitygw"](tmp_path_factory.mktemp("strict")) as server:
        yield server


@pytest.fixture
async def store_at() -> AsyncIterator[Store]:
    made: list[S3ObjectStore] = []

    def make(server: S3Server) -> S3ObjectStore:
        made.append(S3ObjectStore(HandClock(), [StorageOverride(endpoint=server.endpoint)]))
        return made[-1]

    yield make
    for store in made:
        await store.close()


async def put(store: S3ObjectStore, target: StorageTarget, source: Path, key: str = KEY) -> None:
    with source.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    await store.put(
        target,
        key,
        source,
        content_type="audio/wav",
        sha256=sha256,
        metadata={"room": "Raum ü", "user": "a@b", "start-ms": "1", "duration-ms": "20000"},
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "spooled"
    path.write_bytes(b"RIFF" * 100_000)
    return path


async def test_the_facts_about_a_slice_are_kept_with_it(
    server: S3Server, store_at: Store, source: Path
) -> None:
    await put(store_at(server), OWNER, source)

    found = server.admin.head_object(Bucket=BUCKET, Key=KEY)
    assert found["ContentType"] == "audio/wav"
    assert found["ContentLength"] == 400_000
    assert found["Metadata"] == {
        "room": "Raum%20%C3%BC",
        "user": "a@b",
        "start-ms": "1",
        "duration-ms": "20000",
    }
    assert "ContentDisposition" not in found


async def test_the_probe_of_a_bucket_leaves_nothing_in_it(
    server: S3Server, store_at: Store
) -> None:
    await store_at(server).check(OWNER)

    assert PROBE_KEY not in server.keys(BUCKET)


async def test_a_bucket_that_does_not_exist_is_found_out(
    server: S3Server, store_at: Store, source: Path
) -> None:
    nowhere = replace(OWNER, bucket="nowhere")

    with pytest.raises(StoreRefused, match="bucket 'nowhere': the store answered 404 NoSuchBucket"):
        await store_at(server).check(nowhere)
    with pytest.raises(StoreRefused, match="no such bucket"):
        await put(store_at(server), nowhere, source)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (replace(OWNER, secret_key="not-it"), "secret key"),
        (replace(OWNER, access_key="AKNOBODY"), "no such access key"),
    ],
)
async def test_wrong_keys_are_found_out(
    strict_server: S3Server, store_at: Store, wrong: StorageTarget, reason: str
) -> None:
    with pytest.raises(StoreRefused, match=reason):
        await store_at(strict_server).check(wrong)


async def test_a_missing_permission_is_found_out(strict_server: S3Server, store_at: Store) -> None:
    strict_server.admin.create_bucket(Bucket="others")

    with pytest.raises(StoreRefused, match="may not write"):
        await store_at(strict_server).check(replace(WRITER, bucket="others"))


async def test_permission_to_write_is_all_that_is_needed(
    strict_server: S3Server, store_at: Store, source: Path
) -> None:
    store = store_at(strict_server)

    await store.check(WRITER)
    await put(store, WRITER, source)
    await put(store, WRITER, source)

    assert strict_server.body(BUCKET, KEY) == source.read_bytes()


async def test_a_large_file_is_not_held_in_memory(
    strict_server: S3Server, store_at: Store, tmp_path: Path
) -> None:
    size = 64 << 20
    source = tmp_path / "large"
    with source.open("wb") as file:
        file.truncate(size)
    store = store_at(strict_server)
    await store.check(OWNER)
    tracemalloc.start()

    await put(store, OWNER, source)

    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 4 << 20
    assert strict_server.admin.head_object(Bucket=BUCKET, Key=KEY)["ContentLength"] == size
