"""The operations of the admin API on live jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from airslice.application.ports.live import JobQuery, Page, Window
from airslice.domain import live_job
from airslice.domain.errors import InvalidInput
from airslice.domain.live_job import FINAL_STATES, JobState
from airslice.facades.console import views
from airslice.facades.console.bodies import json_response, read_body

MAX_JOBS = 100
"""Of each project, in one answer."""

STATES = {"all": frozenset[JobState](), "running": frozenset(JobState) - FINAL_STATES}
"""What can be listed."""


class LiveJobs(Protocol):
    """The use cases on live jobs."""

    async def list(self, project_id: str, query: JobQuery) -> Page[live_job.LiveJob]:
        """Return jobs of a project."""

    async def block(self, job_id: str, reason: str) -> live_job.LiveJob:
        """End a job for what it says.

        Raises:
            LiveJobNotFound: no such job is running.
            LiveJobFinished: it is ending.
        """


class LiveJobOperations:
    """What can be asked about live jobs, and done to them."""

    def __init__(self, jobs: LiveJobs, project_ids: Sequence[str]) -> None:
        self._jobs = jobs
        self._project_ids = project_ids

    async def list_live_jobs(self, request: Request) -> Response:
        """List the latest live jobs of each project."""
        state = request.query_params.get("state", "all")
        if state not in STATES:
            raise InvalidInput("state", f"expected one of {', '.join(STATES)}")
        query = JobQuery(window=Window(limit=MAX_JOBS), states=STATES[state], descending=True)
        found = [
            job
            for project_id in self._project_ids
            for job in (await self._jobs.list(project_id, query)).items
        ]
        return json_response(views.LiveJobs(jobs=[views.LiveJob.of(job) for job in found]))

    async def block_live_job(self, request: Request) -> Response:
        """End a live job for what it says, and tell its owner why."""
        job_id = request.path_params["job_id"]
        order = await read_body(request, views.BlockOrder)
        return json_response(views.LiveJob.of(await self._jobs.block(job_id, order.reason)))
