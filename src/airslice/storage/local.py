"""Objects as files on this machine: ``{root}/{bucket}/{key}``."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from airslice.application.ports.storage import NO_METADATA
from airslice.domain.errors import ObjectNotFound, StoreFailed
from airslice.domain.storage_target import BUCKET_PATTERN, StorageTarget

KEY_PATTERN = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9_@\-.]{1,1024}")
"""Object keys that a slice can have; none can leave its bucket."""

_INCOMING = "~incoming"
"""Directory of objects that are not complete. No bucket can have this name."""

_MAX_FILE_NAME = 255
"""Longest file name that Linux file systems take, in bytes."""

_CANNOT_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP})
"""Errors of a hard link to another file system, on one without hard links, or to a file that has
too many of them; the file is copied instead."""


class LocalObjectStore:
    """An ObjectStore of plain files. Vendor, region and keys of a target have no meaning here.

    An object appears complete or not at all, and survives a power failure once `put` has returned.
    Where possible it is a hard link to its source, which must not be written to afterwards.
    One process at a time may use a root.

    Args:
        root: Directory that holds the buckets; made if it is missing.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / _INCOMING
        shutil.rmtree(self._incoming, ignore_errors=True)  # left by a crash
        self._incoming.mkdir(parents=True)

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
        """Store the file `source` as `key`, read it back and flush it to the disk.

        A file has no place for `content_type` and `metadata`.

        Raises:
            StoreFailed: the name is not allowed, the content is not what `sha256` says, or the
                file system failed.
        """
        path = self._path(target.bucket, key)
        if path is None:
            raise StoreFailed(f"{target.bucket!r} and {key!r} cannot name an object")
        try:
            await asyncio.to_thread(self._store, source, path, sha256)
        except OSError as error:
            raise StoreFailed(f"{key}: {error.strerror}") from error

    def open_object(self, bucket: str, key: str) -> Path:
        """Return the file of a stored object.

        Raises:
            ObjectNotFound: there is none of this name.
        """
        path = self._path(bucket, key)
        if path is None or not path.is_file():
            raise ObjectNotFound(f"no object {key!r} in bucket {bucket!r}")
        return path

    def _path(self, bucket: str, key: str) -> Path | None:
        if BUCKET_PATTERN.fullmatch(bucket) is None or KEY_PATTERN.fullmatch(key) is None:
            return None
        return self._root / bucket / _file_name(key)

    def _store(self, source: Path, path: Path, sha256: str) -> None:
        incoming = self._incoming / secrets.token_hex(16)
        try:
            _link_or_copy(source, incoming)
            if _flushed_sha256(incoming) != sha256:
                raise StoreFailed(f"{path.name}: the stored bytes differ from the slice")
            if not path.parent.is_dir():
                path.parent.mkdir(exist_ok=True)
                _flush_directory(self._root)
            incoming.replace(path)
            _flush_directory(path.parent)
        finally:
            # Also needed after success: replacing a link by a link to the same file does nothing.
            incoming.unlink(missing_ok=True)


def _file_name(key: str) -> str:
    """Return the key itself; a digest ends the name of one that is too long for a file."""
    if len(key) <= _MAX_FILE_NAME:
        return key
    digest = "~" + hashlib.sha256(key.encode()).hexdigest()
    return key[: _MAX_FILE_NAME - len(digest)] + digest


def _link_or_copy(source: Path, copy: Path) -> None:
    try:
        copy.hardlink_to(source)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        shutil.copyfile(source, copy)


def _flushed_sha256(path: Path) -> str:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
