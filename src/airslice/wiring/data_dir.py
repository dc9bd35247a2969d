"""The data directory, which one server uses at a time."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from airslice.config import ConfigError


@contextlib.contextmanager
def exclusive(data_dir: Path) -> Iterator[None]:
    """Hold the data directory against a second server."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # audio is nobody else's
    with (data_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError([f"server.data_dir: another server uses {data_dir}"]) from None
        yield
