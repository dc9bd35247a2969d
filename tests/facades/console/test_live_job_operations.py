"""Live jobs in the admin API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from airslice.domain.live_job import JobEvent, LiveJob, rtc_place
from airslice.domain.script import Program
from airslice.facades.console.access import AdminAccess
from airslice.facades.console.facade import ConsoleFacade
from tests.support.clock import HandClock
from tests.support.stages.console_stand_ins import START_MS, Broadcasts, Tasks, services


def job(job_id: str, project_id: str = "p1") -> LiveJob:
    return LiveJob(
        job_id=job_id,
        project_id=project_id,
        room_id="room",
        room_name="tea",
        program=Program(),
        place=rtc_place("app", job_id, has_capture=False),
        created_at_ms=START_MS,
        updated_at_ms=START_MS,
    )


@pytest.fixture
def broadcasts() -> Broadcasts:
    ended = job("ended").after(JobEvent.STOP_REQUESTED, at_ms=START_MS + 1)
    return Broadcasts(job("first"), ended, job("foreign", "p2"), job("hidden", "p3"))


@pytest_asyncio.fixture
async def admin(broadcasts: Broadcasts) -> AsyncIterator[httpx.AsyncClient]:
    access = AdminAccess(password=None, master_key=bytes(32), clock=HandClock())
    console = ConsoleFacade(services(Tasks(), live_jobs=broadcasts), access)
    transport = httpx.ASGITransport(Starlette(routes=console.routes()), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["first", "ended", "foreign"]),
        ("?state=all", ["first", "ended", "foreign"]),
        ("?state=running", ["first", "foreign"]),
    ],
)
async def test_the_jobs_of_all_projects_are_listed(
    admin: httpx.AsyncClient, query: str, ids: list[str]
) -> None:
    answer = await admin.get(f"/api/live-jobs{query}")

    assert [shown["job_id"] for shown in answer.json()["jobs"]] == ids
    assert answer.json()["jobs"][0] == {
        "job_id": "first",
        "project_id": "p1",
        "room_id": "room",
        "room_name": "tea",
        "app_id": "app",
        "rtc_room_id": "live-first",
        "state": "WAITING",
        "created_ms": START_MS,
        "started_ms": 0,
        "ended_ms": 0,
        "error": "",
        "block_reason": "",
    }


async def test_another_state_is_no_filter(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/api/live-jobs?state=some")).status_code == 400


async def test_a_job_is_blocked_with_a_reason(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/api/live-jobs/foreign/block", json={"reason": "indecent"})

    assert answer.status_code == 200
    assert answer.json()["state"] == "BLOCKED"
    assert answer.json()["block_reason"] == "indecent"


@pytest.mark.parametrize(
    ("job_id", "body", "status"),
    [
        ("nobodys", {"reason": "x"}, 404),
        ("ended", {"reason": "x"}, 409),
        ("first", {}, 400),
        ("first", {"reason": ""}, 400),
        ("first", {"reason": "x" * 1_025}, 400),
    ],
)
async def test_a_block_that_cannot_be_is_refused(
    admin: httpx.AsyncClient, job_id: str, body: object, status: int
) -> None:
    answer = await admin.post(f"/api/live-jobs/{job_id}/block", json=body)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
