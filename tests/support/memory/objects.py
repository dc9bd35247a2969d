"""Objects in memory, for tests and trials."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from airslice.application.ports.storage import NO_METADATA
from airslice.domain.errors import ObjectNotFound, StoreFailed
from airslice.domain.storage_target import StorageTarget


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredObject:
    """One object as it was put."""

    body: bytes
    content_type: str
    metadata: Mapping[str, str]


class MemoryObjectStore:
    """An ObjectStore that forgets everything with the process."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], StoredObject] = {}
        """By bucket and key."""
        self.is_down = False
        """Set it to make every `put` fail, as in an outage."""

    async def put(
        self,
        target: StorageTarget,
        key: str,
        source: Path,
        *,
        content_type: str,
        sha256: str,
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> None:
        """Keep the content of `source`.

        Raises:
            StoreFailed: `is_down` is set, `source` cannot be read or is not what `sha256` says.
        """
        if self.is_down:
            raise StoreFailed("the store is down")
        try:
            body = await asyncio.to_thread(source.read_bytes)
        except OSError as error:
            raise StoreFailed(f"{key}: {error.strerror}") from error
        if hashlib.sha256(body).hexdigest() != sha256:
            raise StoreFailed(f"{key}: the stored bytes differ from the slice")
        self.objects[target.bucket, key] = StoredObject(
            body=body, content_type=content_type, metadata=dict(metadata)
        )

    def body(self, bucket: str, key: str) -> bytes:
        """Return the bytes of a stored object.

        Raises:
            ObjectNotFound: there is none of this name.
        """
        stored = self.objects.get((bucket, key))
        if stored is None:
            raise ObjectNotFound(f"no object {key!r} in bucket {bucket!r}")
        return stored.body
