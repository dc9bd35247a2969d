"""A disk that is small enough to be filled."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of its own, and what fills it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave no room for a single byte."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(_DiskFull):
                    while True:
                        _append(ballast.fileno(), bytes(size))

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink()


class _DiskFull(Exception):
    pass


def _append(descriptor: int, content: bytes) -> None:
    try:
        os.write(descriptor, content)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _DiskFull from None


@contextlib.contextmanager
def small_disk(path: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """Mount a small disk of memory on `path`, which is made; skip the test where none may."""
    path.mkdir(parents=True)
    may = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={size_bytes},mode=0777"
    try:
        subprocess.run(
            [*may, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted: {error}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run([*may, "umount", "--lazy", str(path)], check=True)
