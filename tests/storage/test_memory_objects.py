"""What only MemoryObjectStore does; the rest is in tests/contracts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from airslice.domain.errors import StoreFailed
from tests.support.memory.objects import MemoryObjectStore, StoredObject
from tests.support.values.values import TARGET


async def test_it_fails_while_it_is_down_and_keeps_the_type_when_up(tmp_path: Path) -> None:
    source = tmp_path / "spooled"
    source.write_bytes(b"audio")
    sha256 = hashlib.sha256(b"audio").hexdigest()
    store = MemoryObjectStore()

    store.is_down = True
    with pytest.raises(StoreFailed):
        await store.put(TARGET, "key", source, content_type="audio/wav", sha256=sha256)
    store.is_down = False
    await store.put(TARGET, "key", source, content_type="audio/wav", sha256=sha256)

    assert store.objects == {
        ("moderation", "key"): StoredObject(body=b"audio", content_type="audio/wav", metadata={})
    }
