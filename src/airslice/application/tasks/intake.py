"""Whether new tasks are taken: not while their slices would not be safe, or too many run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from airslice.application.ports.journal import Journal
from airslice.application.ports.storage import Spool
from airslice.domain.errors import TooManyTasks

_log = logging.getLogger(__name__)

SPOOL_LIMIT = 0.8
"""Share of what the spool can hold above which no task is started; running ones need the rest."""

MIN_FREE_BYTES = 32_000_000
"""No task is started with less free on the disk: what 1,000 streams of 16 kHz WAV need for a
second."""

WATCH_INTERVAL_S = 1.0


class Intake:
    """Judges the disks that slices go through, and counts tasks."""

    def __init__(self, *, spool: Spool, journal: Journal, max_tasks: int) -> None:
        """Judge the disks of `spool` and `journal`; at most `max_tasks` run at a time."""
        self._spool = spool
        self._journal = journal
        self._max_tasks = max_tasks

    def check(self, *, running: int) -> None:
        """Refuse one more task beside so many that are running.

        Raises:
            TooManyTasks: it cannot be started now.
        """
        if running >= self._max_tasks:
            raise TooManyTasks(
                f"{self._max_tasks} tasks are running, the most that this server takes"
            )
        if refusal := self.refusal():
            raise TooManyTasks(refusal)

    def refusal(self) -> str:
        """Return what is wrong with the disks, so that no task is started now; empty if nothing."""
        if self._journal.failing:
            return "the journal cannot be written: what is received is not safe from a crash"
        if self._spool.failing:
            return "the spool cannot be written: slices are lost"
        used, quota, free = self._spool.usage()
        if free < MIN_FREE_BYTES:
            return f"the disk of the spool is full: {free / 1e6:.0f} MB are left"
        capacity = min(quota, used + free)
        if used >= SPOOL_LIMIT * capacity:
            return (
                f"the spool holds {used / 1e9:.1f} of {capacity / 1e9:.1f} GB because storage is"
                f" behind; no task is started while it is over {SPOOL_LIMIT:.0%}"
            )
        return ""

    async def watch(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Log when tasks are refused and when they are taken again, until cancelled."""
        refused = False
        while True:
            if self._spool.failing:  # nobody may be left who writes to it
                await asyncio.to_thread(self._spool.try_again)
            refusal = self.refusal()
            if refusal and not refused:
                _log.error("no task is started: %s", refusal)
            elif refused and not refusal:
                _log.warning("tasks are started again")
            refused = bool(refusal)
            await sleep(WATCH_INTERVAL_S)
