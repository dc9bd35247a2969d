"""Sends each object to where its bucket really is: to this machine or to another.

How it is stored there is the matter of `local` and `s3`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from airslice.application.ports.storage import NO_METADATA, ObjectStore
from airslice.domain.storage_endpoints import StorageOverride, find_override
from airslice.domain.storage_target import StorageTarget
from airslice.storage.s3 import S3ObjectStore


class BucketRouter:
    """An ObjectStore and StorageProbe made of a local store and a remote one.

    Targets that one of the `overrides` matches, which the remote store knows too, are remote.
    `default` says where all others are: on this machine, or with the vendor that they name.
    """

    def __init__(
        self,
        *,
        local: ObjectStore,
        remote: S3ObjectStore,
        overrides: Sequence[StorageOverride],
        default: Literal["local", "vendor"],
    ) -> None:
        self._local = local
        self._remote = remote
        self._overrides = overrides
        self._default = default

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
        """Store the file `source` as `key` where `target` is; see `ObjectStore`."""
        store = self._remote if self._is_remote(target) else self._local
        await store.put(
            target, key, source, content_type=content_type, sha256=sha256, metadata=metadata
        )

    async def check(self, target: StorageTarget) -> None:
        """Return if objects can be stored at `target`; see `StorageProbe`."""
        if self._is_remote(target):
            await self._remote.check(target)

    def _is_remote(self, target: StorageTarget) -> bool:
        return self._default == "vendor" or find_override(target, self._overrides) is not None
