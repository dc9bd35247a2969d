"""Waiting for what must come, however long a busy machine takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60
"""How long anything is waited for that must happen. Only a failure takes so long."""


async def until(condition: Callable[[], T], timeout_s: float = PATIENCE_S) -> T:
    """Wait for a condition to hold; return its value."""
    deadline_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline_s, f"did not come true within {timeout_s} s"
        await asyncio.sleep(0.005)
    return value
