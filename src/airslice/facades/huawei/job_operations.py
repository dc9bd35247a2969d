"""The operations on live jobs: call a use case, show what it returns."""

from __future__ import annotations

from airslice.application.ports.live import JobQuery
from airslice.facades.huawei.callbacks import LiveEventCallBackConfig
from airslice.facades.huawei.calls import Call, UseCases
from airslice.facades.huawei.fields import NoBody, NoQuery
from airslice.facades.huawei.live_jobs import (
    SmartLiveJob,
    SmartLiveJobs,
    SmartLiveJobsQuery,
    SmartLiveQuery,
    StartSmartLiveReq,
    StartSmartLiveResponse,
)
from airslice.facades.huawei.live_rooms import warning_items


async def list_jobs_of_room(
    use_cases: UseCases, call: Call[SmartLiveQuery, NoBody]
) -> SmartLiveJobs:
    """List the live jobs of a room."""
    return await _list(use_cases, call, call.query.query(room_id=call.ids["room_id"]))


async def list_jobs(use_cases: UseCases, call: Call[SmartLiveJobsQuery, NoBody]) -> SmartLiveJobs:
    """List the live jobs of a project."""
    return await _list(use_cases, call, call.query.query(room_name=call.query.room_name))


async def start_job(
    use_cases: UseCases, call: Call[NoQuery, StartSmartLiveReq]
) -> StartSmartLiveResponse:
    """Start a live job."""
    room_id = call.ids["room_id"]
    # Before the start: a room that is temporary may be gone after it.
    warnings, _ = await use_cases.rooms.warnings(call.project_id, room_id)
    job = await use_cases.jobs.start(call.project, room_id, call.body.order())
    live_exit = job.program.policy.exit
    return StartSmartLiveResponse(
        job_id=job.job_id,
        rtc_room_info=call.facts.rtc_room(job),
        live_event_report_url=call.facts.report_url(job),
        live_event_callback_config=(
            LiveEventCallBackConfig.of(job.callback) if job.callback else None
        ),
        live_warning_info=warning_items(warnings),
        limit_duration=live_exit.max_live_h if live_exit else 0,
    )


async def show_job(use_cases: UseCases, call: Call[NoQuery, NoBody]) -> SmartLiveJob:
    """Show a live job."""
    ids = call.ids
    job = await use_cases.jobs.show(call.project_id, ids["room_id"], ids["job_id"])
    return call.facts.show(job)


async def stop_job(use_cases: UseCases, call: Call[NoQuery, NoBody]) -> NoBody:
    """End a live job."""
    await use_cases.jobs.stop(call.project_id, call.ids["room_id"], call.ids["job_id"])
    return NoBody()


async def _list(use_cases: UseCases, call: Call[object, object], query: JobQuery) -> SmartLiveJobs:
    found = await use_cases.jobs.list(call.project_id, query)
    return SmartLiveJobs(
        count=found.count, smart_live_jobs=[call.facts.show(job) for job in found.items]
    )
