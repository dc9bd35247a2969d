"""Forget tasks that nobody can ask for any more."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from airslice.application.ports.records import TaskStore
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import StoreFailed
from airslice.domain.slice_task import HISTORY_MS

_log = logging.getLogger(__name__)

INTERVAL_S = 3_600


async def keep_history(
    store: TaskStore, wall_clock: WallClock, sleep: Callable[[float], Awaitable[None]]
) -> None:
    """Each hour forget the tasks that ended over 72 hours ago, with their slices; for ever.

    What is still to be delivered keeps its task.
    """
    while True:
        try:
            await store.forget_before(wall_clock.utc_ms() - HISTORY_MS)
        except StoreFailed as error:
            _log.warning("old tasks are not forgotten yet: %s", error)
        await sleep(INTERVAL_S)
