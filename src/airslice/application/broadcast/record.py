"""A running job as it stands, in memory and in the records, changed by one hand at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from airslice.application.delivery.courier import until_recorded
from airslice.application.ports.live import LiveJobStore
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import LiveJobFinished
from airslice.domain.live_job import FINAL_STATES, JobEvent, LiveJob


class JobRecord:
    """The one writer of an unfinished job.

    Attributes:
        job: As it is recorded.
        on_air_ms: How long it has been on air until now; recorded with every change.
    """

    def __init__(
        self,
        job: LiveJob,
        *,
        store: LiveJobStore,
        wall_clock: WallClock,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.job = job
        self.on_air_ms = job.on_air_ms
        self._store = store
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._writing = asyncio.Lock()

    @property
    def is_finished(self) -> bool:
        """Whether the job has ended, and that is recorded."""
        return self.job.state in FINAL_STATES

    async def change(self, change: Callable[[LiveJob], LiveJob]) -> LiveJob:
        """Record the job as `change` returns it; wait as long as the records fail.

        Returns:
            The job, once it is on the disk.

        Raises:
            LiveJobFinished: the job has ended; `change` is not called.
        """
        return await self._write(lambda job, _: change(job))

    async def move(
        self, event: JobEvent, change: Callable[[LiveJob], LiveJob] = lambda job: job
    ) -> LiveJob:
        """Record what happens to the job, with what else changes by it; see `change`.

        Raises:
            LiveJobFinished: the job has ended.
            IllegalJobTransition: `event` means nothing in its state.
        """
        return await self._write(lambda job, at_ms: change(job).after(event, at_ms=at_ms))

    async def _write(self, change: Callable[[LiveJob, int], LiveJob]) -> LiveJob:
        async with self._writing:
            if self.is_finished:
                raise LiveJobFinished(f"job {self.job.job_id} has ended")
            at_ms = self._wall_clock.utc_ms()
            changed = replace(
                change(self.job, at_ms), updated_at_ms=at_ms, on_air_ms=self.on_air_ms
            )
            await until_recorded(
                lambda: self._store.save_job(changed), f"job {changed.job_id}", self._sleep
            )
            self.job = changed
            return changed
