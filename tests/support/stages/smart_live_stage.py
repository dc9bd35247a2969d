"""The use cases of smart live in memory; only jobs are a stand-in, which plays nothing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.catalogue.interaction_rules import InteractionRules
from airslice.application.catalogue.live_commands import LiveCommands
from airslice.application.catalogue.live_platforms import LivePlatforms
from airslice.application.catalogue.live_rooms import LiveRooms
from airslice.application.catalogue.live_user_config import LiveUserConfigs
from airslice.application.catalogue.report_keys import ReportKeys
from airslice.application.ports.live import JobQuery, Page
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import Account
from airslice.domain.errors import LiveJobFinished, LiveJobNotFound, LiveRoomNotFound
from airslice.domain.live_job import (
    FINAL_STATES,
    JobEvent,
    JobOrder,
    LiveJob,
    RtcUser,
    rtc_place,
)
from airslice.domain.live_platform import Product
from airslice.domain.players import RtcNotice
from airslice.domain.projects import Project, ProjectUser
from airslice.domain.script import LiveExit, Program
from airslice.facades.huawei.calls import UseCases
from airslice.facades.huawei.facade import HuaweiFacade
from airslice.facades.huawei.owner_words import OWNER_WORDS
from tests.support.clock import HandClock
from tests.support.memory.live_commands import MemoryLiveCommandStore
from tests.support.memory.live_jobs import MemoryLiveJobStore
from tests.support.memory.live_resources import (
    MemoryLivePlatformStore,
    MemoryLiveUserConfigStore,
    MemoryRuleGroupStore,
)
from tests.support.memory.live_rooms import MemoryLiveRoomStore

PROJECT = Project(
    project_id="0123456789abcdef0123456789abcdef",
    account_id="2100000000",
    app_id="661e0000000000000005543c",
    name="cn-north-4",
    users=(ProjectUser(name="operator", password="hush"),),
)
SECOND = Project(
    project_id="1123456789abcdef0123456789abcdef", account_id="2100000000", app_id="app2"
)
FOREIGN = Project(
    project_id="ffff456789abcdef0123456789abcdef", account_id="2100000001", app_id="app3"
)
ACCOUNTS = (
    Account(id="2100000000", access_key="AKTEST", secret_key="SKTEST"),
    Account(id="2100000001", access_key="AKOTHER", secret_key="SKOTHER"),
)
NOW_MS = 1_642_523_376_500
"""2022-01-18T16:29:36.5Z"""
MASTER_KEY = bytes(32)


@dataclass
class JobsOnPaper(LiveJobs):
    """Jobs that only the test brings on air."""

    rooms: MemoryLiveRoomStore
    store: MemoryLiveJobStore
    clock: HandClock
    orders: list[JobOrder] = field(default_factory=list)

    async def start(self, project: Project, room_id: str, order: JobOrder) -> LiveJob:
        room = await self.rooms.find_room(room_id)
        if room is None:
            raise LiveRoomNotFound(room_id)
        self.orders.append(order)
        job_id = str(uuid.uuid4())
        policy = order.program.policy if order.program else room.draft.policy
        job = LiveJob(
            job_id=job_id,
            project_id=project.project_id,
            room_id=room_id,
            room_name=room.draft.name,
            program=Program(scenes=room.draft.scenes, policy=policy),
            place=rtc_place(project.app_id, job_id, has_capture=policy.needs_capture_user),
            created_at_ms=self.clock.utc_ms,
            updated_at_ms=self.clock.utc_ms,
            callback=order.callback or room.draft.callback,
            rtc_notices=order.rtc_notices or (RtcNotice.LIVE_PROGRESS,),
            extras={**room.draft.extras, **order.extras},
        )
        await self.store.save_job(job)
        return job

    async def stop(self, project_id: str, room_id: str, job_id: str) -> None:
        job = await self.show(project_id, room_id, job_id)
        if job.state in FINAL_STATES:
            raise LiveJobFinished(job_id)
        await self.happens(job, JobEvent.STOP_REQUESTED)

    async def show(self, project_id: str, room_id: str, job_id: str) -> LiveJob:
        job = await self.store.find_job(project_id, job_id)
        if job is None or job.room_id != room_id:
            raise LiveJobNotFound(job_id)
        return job

    async def list(self, project_id: str, query: JobQuery) -> Page[LiveJob]:
        return await self.store.jobs(project_id, query)

    def token(self, job: LiveJob, user: RtcUser) -> tuple[str, int]:
        return f"token of {user.kind}", self.clock.utc_ms // 1_000 + 86_400

    async def reset_exit(self, job_id: str, live_exit: LiveExit) -> None:
        for job in await self.store.unfinished_jobs():
            if job.job_id == job_id:
                policy = replace(job.program.policy, exit=live_exit)
                program = replace(job.program, policy=policy)
                await self.store.save_job(replace(job, program=program))
                return
        raise LiveJobFinished(job_id)

    async def happens(self, job: LiveJob, event: JobEvent, **changes: object) -> LiveJob:
        """Let something happen to a job now."""
        after = replace(job.after(event, at_ms=self.clock.utc_ms), **changes)  # type: ignore[arg-type]
        await self.store.save_job(after)
        return after


class Shelf:
    """What every platform sells (port `PlatformProducts`)."""

    async def products(
        self, url: str, key: str, *, live_id: str, offset: int, limit: int
    ) -> Page[Product]:
        items = tuple(Product(f"{live_id}-{number}", f"tea {number}") for number in range(25))
        return Page(len(items), items[offset : offset + limit])


class SmartLiveStage:
    """The façade, and everything behind it."""

    def __init__(self) -> None:
        self.clock = HandClock(utc_ms=NOW_MS)
        wall_clock = WallClock(self.clock)
        jobs, configs = MemoryLiveJobStore(), MemoryLiveUserConfigStore()
        rooms = MemoryLiveRoomStore(jobs)
        self.jobs = JobsOnPaper(rooms, jobs, self.clock)
        self.use_cases = UseCases(
            rooms=LiveRooms(
                rooms=rooms, jobs=jobs, configs=configs, words=OWNER_WORDS, wall_clock=wall_clock
            ),
            jobs=self.jobs,
            commands=LiveCommands(
                commands=MemoryLiveCommandStore(),
                jobs=jobs,
                rooms=rooms,
                exits=self.jobs,
                words=OWNER_WORDS,
                wall_clock=wall_clock,
            ),
            report_keys=ReportKeys(MASTER_KEY, wall_clock),
            rules=InteractionRules(groups=MemoryRuleGroupStore(), wall_clock=wall_clock),
            platforms=LivePlatforms(
                platforms=MemoryLivePlatformStore(),
                products=Shelf(),
                check_url=lambda url: url,
                wall_clock=wall_clock,
            ),
            user_configs=LiveUserConfigs(configs=configs),
        )
        self.facade = HuaweiFacade(
            accounts=ACCOUNTS,
            projects=(PROJECT, SECOND, FOREIGN),
            use_cases=self.use_cases,
            master_key=MASTER_KEY,
            clock=self.clock,
        )
