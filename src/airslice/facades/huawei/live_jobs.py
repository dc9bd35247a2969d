"""Live jobs: wire structs, and what the operations on them call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from airslice.application.ports.live import JobQuery
from airslice.domain.live_job import FINAL_STATES, JobOrder, JobState, LiveJob, RtcUserKind
from airslice.domain.script import Program
from airslice.facades.huawei.bodies import known, split_list
from airslice.facades.huawei.callbacks import LiveEventCallBackConfig, RTCLiveEventCallBackConfig
from airslice.facades.huawei.calls import Call, JobFacts
from airslice.facades.huawei.errors import FAULT_CODES
from airslice.facades.huawei.fields import (
    NoBody,
    NoQuery,
    Text256,
    Url,
    WindowQuery,
    Wire,
    extras_of,
    rfc3339,
)
from airslice.facades.huawei.layers import VideoConfig
from airslice.facades.huawei.live_rooms import (
    ErrorResponse,
    LiveWarningItem,
    OutputUrls,
    PlatformLiveDetailInfo,
    StreamKeys,
    ViewMode,
    warning_items,
)
from airslice.facades.huawei.scripts import CoStreamerConfig, PlayPolicy

KEPT = (
    "video_config",
    "output_urls",
    "stream_keys",
    "interaction_callback_url",
    "view_mode",
    "co_streamer_config",
    "job_run_config",
)
"""Fields of an order that are kept with its job."""

STATES: Mapping[str, JobState] = {state.value: state for state in JobState}


class LiveJobRunConfig(Wire, frozen=True, kw_only=True):
    """Which resources a job may use."""

    allow_resource_type: Literal["PERIOD", "ONDEMAND", "UNLIMITED", "ONE_TIME"] | None = None
    single_job_in_room: bool | None = None


class StartSmartLiveReq(Wire, frozen=True, kw_only=True):
    """What the start of a job adds to its room, or overrides."""

    video_config: VideoConfig | None = None
    play_policy: PlayPolicy | None = None
    output_urls: OutputUrls | None = None
    stream_keys: StreamKeys | None = None
    interaction_callback_url: Url | None = None
    live_event_callback_config: LiveEventCallBackConfig | None = None
    rtc_callback_config: RTCLiveEventCallBackConfig | None = None
    view_mode: ViewMode | None = None
    co_streamer_config: CoStreamerConfig | None = None
    job_run_config: LiveJobRunConfig | None = None

    def order(self) -> JobOrder:
        """Return the order that is asked for."""
        policy, callback = self.play_policy, self.live_event_callback_config
        rtc, run = self.rtc_callback_config, self.job_run_config
        return JobOrder(
            program=Program(policy=policy.policy()) if policy else None,
            callback=callback.callback() if callback else None,
            rtc_notices=rtc.notices() if rtc else None,
            single_job_in_room=bool(run and run.single_job_in_room),
            extras=extras_of(self, *KEPT),
        )


class RTCUserInfo(Wire, frozen=True, kw_only=True):
    """A user of the RTC room, and the token that lets him in."""

    user_type: RtcUserKind
    user_id: str
    signature: str | None = None
    ctime: int | None = None
    """End of the token in seconds since the Unix epoch."""


class RTCRoomInfoList(Wire, frozen=True, kw_only=True):
    """Where a broadcast can be heard."""

    app_id: str
    room_id: str
    users: list[RTCUserInfo]

    @classmethod
    def of(cls, job: LiveJob, facts: JobFacts) -> RTCRoomInfoList:
        """Return where a job can be heard, and with which tokens until it ends."""
        ended = job.state in FINAL_STATES
        users = []
        for user in job.place.users:
            token, ends_at_s = (None, None) if ended else facts.token(job, user)
            users.append(
                RTCUserInfo(
                    user_type=user.kind, user_id=user.user_id, signature=token, ctime=ends_at_s
                )
            )
        return cls(app_id=job.place.app_id, room_id=job.place.room_id, users=users)


class LiveJobLog(Wire, frozen=True, kw_only=True):
    """Addresses of a job's records; none are made here."""

    interaction_records_url: str | None = None
    job_config_records_url: str | None = None
    scripts_records_url: str | None = None
    command_reviced_records_url: str | None = None
    command_exec_records_url: str | None = None


class SmartLiveJob(Wire, frozen=True, kw_only=True):
    """A job as it stands."""

    job_id: str
    room_id: str
    room_name: str
    state: JobState
    duration: float | None = None
    start_time: str | None = None
    end_time: str | None = None
    error_info: ErrorResponse | None = None
    create_time: str | None = None
    lastupdate_time: str | None = None
    rtc_room_info: RTCRoomInfoList | None = None
    live_event_report_url: str | None = None
    live_event_callback_config: LiveEventCallBackConfig | None = None
    rtc_callback_config: RTCLiveEventCallBackConfig | None = None
    stream_duration: float | None = None
    block_reason: str | None = None
    cover_url: str | None = None
    co_streamer_config: CoStreamerConfig | None = None
    live_job_log: LiveJobLog | None = None
    relation_live_platform_info: PlatformLiveDetailInfo | None = None
    used_resource_type: Literal["PERIOD", "ONDEMAND", "ONE_TIME", "UNKNOW"] | None = None
    is_ai_mark_on: bool | None = None

    @classmethod
    def of(cls, job: LiveJob, facts: JobFacts) -> SmartLiveJob:
        """Return what shows a job; once it has ended, without tokens and address for reports."""
        seconds = job.on_air_for(facts.now_ms) / 1_000
        ended = job.state in FINAL_STATES
        fault = job.fault
        return cls(
            job_id=job.job_id,
            room_id=job.room_id,
            room_name=job.room_name,
            state=job.state,
            duration=seconds,
            start_time=rfc3339(job.started_at_ms),
            end_time=rfc3339(job.ended_at_ms),
            error_info=(
                ErrorResponse(error_code=FAULT_CODES[fault.kind], error_msg=fault.message)
                if fault
                else None
            ),
            create_time=rfc3339(job.created_at_ms),
            lastupdate_time=rfc3339(job.updated_at_ms),
            rtc_room_info=RTCRoomInfoList.of(job, facts),
            live_event_report_url=None if ended else facts.report_url(job),
            live_event_callback_config=(
                LiveEventCallBackConfig.of(job.callback) if job.callback else None
            ),
            rtc_callback_config=RTCLiveEventCallBackConfig.of(job.rtc_notices),
            stream_duration=seconds,
            block_reason=job.block_reason or None,
            co_streamer_config=job.extras.get("co_streamer_config"),
            relation_live_platform_info=job.extras.get("relation_live_platform_info"),
            used_resource_type="UNKNOW",
            is_ai_mark_on=False,
        )


class StartSmartLiveResponse(Wire, frozen=True, kw_only=True):
    """A job that was started."""

    job_id: str
    rtc_room_info: RTCRoomInfoList
    live_event_report_url: str
    live_event_callback_config: LiveEventCallBackConfig | None = None
    live_warning_info: list[LiveWarningItem]
    limit_duration: int


class SmartLiveJobs(Wire, frozen=True, kw_only=True):
    """Some jobs, and how many there are."""

    count: int
    smart_live_jobs: list[SmartLiveJob]


class SmartLiveQuery(WindowQuery, frozen=True, kw_only=True):
    """Which jobs of a room are asked for."""

    state: Annotated[str, Meta(max_length=256)] | None = None
    sort_key: Literal["create_time", "update_time", "asset_order"] | None = None
    sort_dir: Literal["asc", "desc"] | None = None
    create_since: str | None = None
    create_until: str | None = None

    def query(self, room_id: str | None = None, room_name: str | None = None) -> JobQuery:
        """Return the query that is asked for, within a room or for a room's name.

        Raises:
            InvalidInput: a value is none of the known ones, or no time.
        """
        return JobQuery(
            window=self.window(self.create_since, self.create_until),
            room_id=room_id,
            room_name=room_name or "",
            states=frozenset(known("state", word, STATES) for word in split_list(self.state)),
            by_update=self.sort_key == "update_time",
            descending=self.sort_dir == "desc",
        )


class SmartLiveJobsQuery(SmartLiveQuery, frozen=True, kw_only=True):
    """Which jobs of a project are asked for."""

    room_name: Text256 | None = None


async def list_jobs_of_room(call: Call[SmartLiveQuery, NoBody]) -> SmartLiveJobs:
    """List the live jobs of a room."""
    return await _list(call, call.query.query(room_id=call.ids["room_id"]))


async def list_jobs(call: Call[SmartLiveJobsQuery, NoBody]) -> SmartLiveJobs:
    """List the live jobs of a project."""
    return await _list(call, call.query.query(room_name=call.query.room_name))


async def start_job(call: Call[NoQuery, StartSmartLiveReq]) -> StartSmartLiveResponse:
    """Start a live job."""
    room_id = call.ids["room_id"]
    # Before the start: a room that is temporary may be gone after it.
    warnings, _ = await call.use_cases.rooms.warnings(call.project_id, room_id)
    job = await call.use_cases.jobs.start(call.project, room_id, call.body.order())
    live_exit = job.program.policy.exit
    return StartSmartLiveResponse(
        job_id=job.job_id,
        rtc_room_info=RTCRoomInfoList.of(job, call.facts),
        live_event_report_url=call.facts.report_url(job),
        live_event_callback_config=(
            LiveEventCallBackConfig.of(job.callback) if job.callback else None
        ),
        live_warning_info=warning_items(warnings),
        limit_duration=live_exit.max_live_h if live_exit else 0,
    )


async def show_job(call: Call[NoQuery, NoBody]) -> SmartLiveJob:
    """Show a live job."""
    return SmartLiveJob.of(await call.use_cases.jobs.show(*call.job), call.facts)


async def stop_job(call: Call[NoQuery, NoBody]) -> NoBody:
    """End a live job."""
    await call.use_cases.jobs.stop(*call.job)
    return NoBody()


async def _list(call: Call[object, object], query: JobQuery) -> SmartLiveJobs:
    found = await call.use_cases.jobs.list(call.project_id, query)
    return SmartLiveJobs(
        count=found.count, smart_live_jobs=[SmartLiveJob.of(job, call.facts) for job in found.items]
    )
