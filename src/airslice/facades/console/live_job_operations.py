"""The operations of the admin API on live jobs."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.ports.live import JobQuery, Window
from airslice.domain.errors import InvalidInput
from airslice.domain.live_job import FINAL_STATES, JobState
from airslice.facades.console import views
from airslice.facades.console.bodies import json_response, read_body
from airslice.facades.console.openapi import Operation

PATH = "/api/live-jobs"

MAX_JOBS = 100
"""How many jobs of each project one answer lists."""

STATES = {"all": frozenset[JobState](), "running": frozenset(JobState) - FINAL_STATES}
"""What can be listed, and the states that it stands for; none stand for all."""


class LiveJobOperations:
    """Answers what is asked about live jobs, and ends those that are blocked."""

    def __init__(self, jobs: LiveJobs, project_ids: Sequence[str]) -> None:
        self._jobs = jobs
        self._project_ids = project_ids

    def table(self) -> tuple[Operation, ...]:
        """Return the operations on live jobs."""
        return (
            Operation(
                "GET",
                PATH,
                self.list_live_jobs,
                gives=views.LiveJobs,
                errors=(400,),
                query={"state": {"type": "string", "enum": list(STATES)}},
            ),
            Operation(
                "POST",
                f"{PATH}/{{job_id}}/block",
                self.block_live_job,
                takes=views.BlockOrder,
                gives=views.LiveJob,
                errors=(400, 404, 409, 413, 415),
            ),
        )

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
