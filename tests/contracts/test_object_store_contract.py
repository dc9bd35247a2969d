"""What every ObjectStore does."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from airslice.application.ports import ObjectStore
from airslice.domain.errors import ObjectNotFound, StoreFailed
from airslice.storage.local import LocalObjectStore
from airslice.storage.memory import MemoryObjectStore
from tests.contracts.values import TARGET

KEY = "prefix_alice_1700000000000_0.wav"


class Subject(NamedTuple):
    """A store, and how to see what it holds."""

    store: ObjectStore
    body: Callable[[str, str], bytes]


@pytest.fixture(params=["memory", "local"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    if request.param == "memory":
        memory = MemoryObjectStore()
        return Subject(memory, memory.body)
    local = LocalObjectStore(tmp_path / "objects")
    return Subject(local, lambda bucket, key: local.open_object(bucket, key).read_bytes())


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
