"""Live jobs in memory, for tests and trials."""

from __future__ import annotations

from dataclasses import replace

from airslice.application.ports.live import JobQuery, Page, Window
from airslice.domain.live_job import FINAL_STATES, LiveJob
from airslice.domain.script import Program


class MemoryLiveJobStore:
    """A LiveJobStore that forgets everything with the process."""

    def __init__(self) -> None:
        # In order of insertion; replacing a job keeps its place.
        self.by_id: dict[str, LiveJob] = {}

    async def save_job(self, job: LiveJob) -> None:
        """Insert or replace a job."""
        self.by_id[job.job_id] = job

    async def find_job(self, project_id: str, job_id: str) -> LiveJob | None:
        """Return a job of a project."""
        job = self.by_id.get(job_id)
        return job if job is not None and job.project_id == project_id else None

    async def jobs(self, project_id: str, query: JobQuery) -> Page[LiveJob]:
        """Return jobs of a project, without their programs."""
        found = [
            job
            for job in self.by_id.values()
            if job.project_id == project_id and _matches(job, query)
        ]
        found.sort(key=lambda job: job.updated_at_ms if query.by_update else job.created_at_ms)
        if query.descending:
            found.reverse()
        first = query.window.offset
        part = found[first : first + query.window.limit]
        return Page(len(found), tuple(map(without_program, part)))

    async def unfinished_jobs(self) -> list[LiveJob]:
        """Return all jobs that are not in a final state, oldest first."""
        unfinished = [job for job in self.by_id.values() if job.state not in FINAL_STATES]
        return sorted(unfinished, key=lambda job: job.created_at_ms)

    async def has_unfinished_job(self, room_id: str) -> bool:
        """Whether a room has a job that is not in a final state."""
        return any(job.room_id == room_id for job in await self.unfinished_jobs())

    def latest_job(self, room_id: str) -> LiveJob | None:
        """Return the job of a room that was created last, without its program."""
        jobs = [job for job in reversed(self.by_id.values()) if job.room_id == room_id]
        latest = max(jobs, key=lambda job: job.created_at_ms, default=None)
        return None if latest is None else without_program(latest)


def without_program(job: LiveJob) -> LiveJob:
    """Return a job as lists have it."""
    return replace(job, program=Program())


def is_within(window: Window, created_at_ms: int) -> bool:
    """Whether something that was created then is in the time that is asked for."""
    since_ms, until_ms = window.created_since_ms, window.created_until_ms
    return (since_ms is None or since_ms <= created_at_ms) and (
        until_ms is None or created_at_ms <= until_ms
    )


def _matches(job: LiveJob, query: JobQuery) -> bool:
    return (
        (query.room_id is None or job.room_id == query.room_id)
        and query.room_name.casefold() in job.room_name.casefold()
        and (not query.states or job.state in query.states)
        and is_within(query.window, job.created_at_ms)
    )
