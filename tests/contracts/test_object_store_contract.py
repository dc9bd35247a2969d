"""What every ObjectStore does."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from airslice.application.ports.storage import ObjectStore
from airslice.domain.errors import ObjectNotFound, StoreFailed
from airslice.domain.storage_endpoints import StorageOverride
from airslice.storage.local import LocalObjectStore
from airslice.storage.s3 import S3ObjectStore
from tests.support.clock import HandClock
from tests.support.memory.objects import MemoryObjectStore
from tests.support.server.s3_servers import ACCESS_KEY, SECRET_KEY, SERVERS, S3Server
from tests.support.values.values import TARGET

KEY = "prefix_alice_1700000000000_0.wav"


class Subject(NamedTuple):
    """A store, and how to see what it holds."""

    store: ObjectStore
    body: Callable[[str, str], bytes]


class Servers:
    """S3 servers, each started when it is first needed."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._running: dict[str, S3Server] = {}

    def __getitem__(self, name: str) -> S3Server:
        if name not in self._running:
            directory = self._directory / name
            directory.mkdir(exist_ok=True)
            self._running[name] = self._stack.enter_context(SERVERS[name](directory))
        return self._running[name]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(tmp_path_factory.mktemp("servers"), stack)


@pytest.fixture(params=["memory", "local", *SERVERS])
async def subject(
    request: pytest.FixtureRequest, tmp_path: Path, servers: Servers
) -> AsyncIterator[Subject]:
    if request.param == "memory":
        memory = MemoryObjectStore()
        yield Subject(memory, memory.body)
    elif request.param == "local":
        local = LocalObjectStore(tmp_path / "objects")
        yield Subject(local, lambda bucket, key: local.open_object(bucket, key).read_bytes())
    else:
        server = servers[request.param]
        server.admin.delete_object(Bucket=TARGET.bucket, Key=KEY)
        override = StorageOverride(
            endpoint=server.endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY
        )
        s3 = S3ObjectStore(HandClock(), [override])
        yield Subject(s3, lambda bucket, key: s3_body(server, bucket, key))
        await s3.close()


def s3_body(server: S3Server, bucket: str, key: str) -> bytes:
    if key not in server.keys(bucket):
        raise ObjectNotFound(key)
    return server.body(bucket, key)


def spooled(tmp_path: Path, body: bytes, name: str = "spooled") -> tuple[Path, str]:
    source = tmp_path / name
    source.write_bytes(body)
    return source, hashlib.sha256(body).hexdigest()


async def put(subject: Subject, source: Path, sha256: str, key: str = KEY) -> None:
    await subject.store.put(TARGET, key, source, content_type="audio/wav", sha256=sha256)


@pytest.mark.parametrize("body", [b"", b"RIFF" * 100_000], ids=["empty", "400 kB"])
async def test_an_object_is_what_was_put(subject: Subject, tmp_path: Path, body: bytes) -> None:
    await put(subject, *spooled(tmp_path, body))

    assert subject.body("moderation", KEY) == body


async def test_the_object_outlives_its_source(subject: Subject, tmp_path: Path) -> None:
    source, sha256 = spooled(tmp_path, b"audio")
    await put(subject, source, sha256)

    source.unlink()

    assert subject.body("moderation", KEY) == b"audio"


async def test_putting_again_is_harmless(subject: Subject, tmp_path: Path) -> None:
    source, sha256 = spooled(tmp_path, b"audio")

    await put(subject, source, sha256)
    await put(subject, source, sha256)
    await asyncio.gather(*(put(subject, source, sha256) for _ in range(8)))

    assert subject.body("moderation", KEY) == b"audio"


async def test_a_later_put_replaces_an_object(subject: Subject, tmp_path: Path) -> None:
    await put(subject, *spooled(tmp_path, b"first", "first"))

    await put(subject, *spooled(tmp_path, b"second", "second"))

    assert subject.body("moderation", KEY) == b"second"


async def test_content_that_is_not_what_was_announced_is_refused(
    subject: Subject, tmp_path: Path
) -> None:
    source, sha256 = spooled(tmp_path, b"audio")
    source.write_bytes(b"Audio")

    with pytest.raises(StoreFailed):
        await put(subject, source, sha256)

    with pytest.raises(ObjectNotFound):
        subject.body("moderation", KEY)


async def test_a_missing_source_is_a_failure(subject: Subject, tmp_path: Path) -> None:
    with pytest.raises(StoreFailed):
        await put(subject, tmp_path / "nowhere", hashlib.sha256(b"").hexdigest())
