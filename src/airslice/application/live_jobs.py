"""Start, show, steer and end live jobs."""

from __future__ import annotations

import asyncio
import logging
import secrets
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from airslice.application.broadcast import Broadcast, BroadcastTools, Ending, Fault
from airslice.application.job_record import JobRecord
from airslice.application.live_ports import (
    JobQuery,
    LiveJobStore,
    LiveRoomStore,
    Page,
    RoomQuery,
    Window,
)
from airslice.domain import room_token
from airslice.domain.apps import RtcApp
from airslice.domain.errors import (
    InvalidInput,
    LiveJobFinished,
    LiveJobNotFound,
    LiveJobRunning,
    LiveRoomNotFound,
    LiveRoomUnusable,
    TokenRefused,
    TooManyLiveJobs,
)
from airslice.domain.live_callback import CallbackAuth, LiveCallback, RtcNotice
from airslice.domain.live_control import PlayCommand, PlayState, Timing
from airslice.domain.live_job import (
    FINAL_STATES,
    JobEvent,
    JobOrder,
    LiveJob,
    RtcUser,
    RtcUserKind,
    rtc_place,
)
from airslice.domain.live_room import LiveRoom, LiveRoomState, LiveRoomType
from airslice.domain.live_user_config import LiveUserConfig
from airslice.domain.playing import DEFAULT_VOICE, Script
from airslice.domain.projects import Project
from airslice.domain.room import RoomKey
from airslice.domain.room_token import Privilege
from airslice.domain.script import Cursor, LiveExit, PlayMode, Program
from airslice.domain.sentences import sentences
from airslice.domain.ssml import MarkupRefused

TOKEN_S = 86_400
"""How long the token of a user in a job's RTC room is valid."""

SUSPEND_TIMEOUT_S = 5.0
"""How long the end of the server waits for the records."""

_PRIVILEGES: Mapping[RtcUserKind, Privilege] = {
    RtcUserKind.RENDER: Privilege.PUBLISH_STREAM,
    RtcUserKind.CAPTURE: Privilege.PUBLISH_STREAM,
    RtcUserKind.PLAYER: Privilege.SUBSCRIBE_STREAM,
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveStores:
    """Where jobs and what they are made from are kept."""

    jobs: LiveJobStore
    rooms: LiveRoomStore
    config_of: Callable[[str], Awaitable[LiveUserConfig | None]]
    """Returns what a project has set for all its broadcasts (`LiveUserConfigStore.find_config`)."""


class LiveJobs:
    """The live jobs of this machine."""

    def __init__(
        self,
        *,
        apps: Mapping[str, RtcApp],
        stores: LiveStores,
        tools: BroadcastTools,
        check_callback_url: Callable[[str], object],
        max_jobs: int,
    ) -> None:
        """Run nothing; `recover` brings back what ran at the last end.

        Args:
            apps: RTC applications, by id.
            stores: Where everything is kept.
            tools: What broadcasts need.
            check_callback_url: Raises ValueError for an address that must not be called.
            max_jobs: Bound on jobs at a time.
        """
        self._apps = apps
        self._stores = stores
        self._tools = tools
        self._check_callback_url = check_callback_url
        self._max_jobs = max_jobs
        self._running: dict[str, Broadcast] = {}
        self._places: dict[RoomKey, Broadcast] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()
        self._is_suspended = False

    @property
    def running(self) -> int:
        """Jobs that have not ended."""
        return len(self._running)

    async def start(self, project: Project, room_id: str, order: JobOrder) -> LiveJob:
        """Start a broadcast from a room as it stands now; return its job, which is waiting.

        Raises:
            LiveRoomNotFound: the project has no such room.
            LiveRoomUnusable: it is a template, or not enabled.
            InvalidInput: there is nothing to play, or the owner cannot be called back.
            LiveJobRunning: the room has a job, and the order wants to be alone.
            TooManyLiveJobs: the server takes no more.
        """
        room = await self._stores.rooms.find_room(room_id)
        if room is None or room.project_id != project.project_id:
            raise LiveRoomNotFound(f"there is no live room {room_id}")
        if room.draft.type is LiveRoomType.TEMPLATE or room.state is not LiveRoomState.ENABLE:
            raise LiveRoomUnusable(f"live room {room_id} is a template, or not enabled")
        job = await self._ordered(project, room, order)
        await asyncio.to_thread(_check_program, job)
        async with self._starting:  # or two that want to be alone would not see each other
            if self._is_suspended or len(self._running) >= self._max_jobs:
                raise TooManyLiveJobs(f"the server takes {self._max_jobs} live jobs at most")
            if order.single_job_in_room and await self._stores.jobs.has_unfinished_job(room_id):
                raise LiveJobRunning(f"live room {room_id} has a job that has not ended")
            await self._stores.jobs.save_job(job)
            self._run(job)
        return job

    async def stop(self, project_id: str, room_id: str, job_id: str) -> None:
        """End a job for its owner. It is silent at once, and has ended when this returns.

        Raises:
            LiveJobNotFound: the room has no such job.
            LiveJobFinished: it has ended.
        """
        await self.show(project_id, room_id, job_id)
        await self._end(job_id, Ending(JobEvent.STOP_REQUESTED))

    async def block(self, job_id: str, reason: str) -> LiveJob:
        """End a job, whosever it is, for what it says; return it.

        Raises:
            LiveJobNotFound: there is no such job, or it has ended.
            LiveJobFinished: it is about to end.
        """
        if job_id not in self._running:
            raise LiveJobNotFound(f"no live job {job_id} is running")
        return await self._end(job_id, Ending(JobEvent.BLOCKED, block_reason=reason))

    async def show(self, project_id: str, room_id: str, job_id: str) -> LiveJob:
        """Return a job.

        Raises:
            LiveJobNotFound: the room has no such job.
        """
        job = await self._stores.jobs.find_job(project_id, job_id)
        if job is None or job.room_id != room_id:
            raise LiveJobNotFound(f"live room {room_id} has no job {job_id}")
        return job

    async def list(self, project_id: str, query: JobQuery) -> Page[LiveJob]:
        """Return jobs of a project, see `LiveJobStore.jobs`."""
        return await self._stores.jobs.jobs(project_id, query)

    async def control(self, room: RoomKey, user_id: str, command: str, timing: str) -> PlayState:
        """Do what a player asks for; return what the broadcast does then.

        Args:
            room: The RTC room in which the broadcast is heard.
            user_id: Who asks.
            command: One of `PlayCommand`; one that does not fit the moment changes nothing.
            timing: One of `Timing`, of a pause.

        Raises:
            LiveJobNotFound: no broadcast is heard there.
            LiveJobFinished: it is about to end.
            TokenRefused: the user is none of the job's.
            InvalidInput: the command or the timing is unknown.
        """
        try:
            asked = PlayCommand(command)
        except ValueError:
            raise InvalidInput("command", f"expected one of {', '.join(PlayCommand)}") from None
        try:
            when = Timing(timing)
        except ValueError:
            raise InvalidInput("params.timing", f"expected one of {', '.join(Timing)}") from None
        broadcast = self._places.get(room)
        if broadcast is None:
            raise LiveJobNotFound(f"no broadcast is heard in room {room.room_id}")
        if user_id not in {user.user_id for user in broadcast.record.job.place.users}:
            raise TokenRefused(f"user {user_id} may listen to this broadcast, and nothing else")
        return await broadcast.control(asked, when)

    async def reset_exit(self, job_id: str, live_exit: LiveExit) -> None:
        """See `live_ports.JobExits`."""

        def change(job: LiveJob) -> LiveJob:
            policy = replace(job.program.policy, exit=live_exit)
            return replace(job, program=replace(job.program, policy=policy))

        await self._broadcast(job_id).record.change(change)

    def token(self, job: LiveJob, user: RtcUser) -> tuple[str, int]:
        """Return a room token of a user of a job's RTC room, and when it expires (Unix seconds).

        Raises:
            KeyError: the job's application is not configured any more.
        """
        app = self._apps[job.place.app_id]
        now_s = self._tools.wall_clock.utc_ms() // 1_000
        expires_at_s = now_s + TOKEN_S
        token = room_token.mint(
            app_id=app.app_id,
            app_key=app.app_key,
            room_id=job.place.room_id,
            user_id=user.user_id,
            privileges={_PRIVILEGES[user.kind]: expires_at_s},
            issued_at_s=now_s,
            expires_at_s=expires_at_s,
            nonce=secrets.randbits(32),
        )
        return token, expires_at_s

    async def recover(self, project_ids: Iterable[str] = ()) -> None:
        """Go on with the jobs that had not ended when the server did.

        Args:
            project_ids: Whose temporary rooms are removed, if their job ended right before.
        """
        for job in await self._stores.jobs.unfinished_jobs():
            # The time until now does not count as on air.
            job = replace(job, updated_at_ms=self._tools.wall_clock.utc_ms())
            await self._stores.jobs.save_job(job)
            broadcast = self._run(job)
            if job.place.app_id not in self._apps:
                broadcast.end(Ending(JobEvent.BROKE, Fault.GENERAL))
        left_over = RoomQuery(
            window=Window(limit=100),
            types=frozenset({LiveRoomType.TEMP}),
            last_job_states=FINAL_STATES,
        )
        for project_id in project_ids:
            while rooms := (await self._stores.rooms.rooms(project_id, left_over)).items:
                for room, _ in rooms:
                    await self._stores.rooms.remove_room(room.room_id)

    async def suspend(self) -> None:
        """Fall silent; unfinished jobs go on at the next start. No job is started any more."""
        self._is_suspended = True
        suspending = [
            asyncio.create_task(broadcast.suspend()) for broadcast in self._running.values()
        ]
        if suspending:
            _, late = await asyncio.wait(suspending, timeout=SUSPEND_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*suspending, return_exceptions=True)

    async def _ordered(self, project: Project, room: LiveRoom, order: JobOrder) -> LiveJob:
        config = await self._stores.config_of(project.project_id) or LiveUserConfig(
            project_id=project.project_id
        )
        program = order.program or Program(policy=room.draft.policy)
        policy = program.policy
        policy = replace(policy, exit=policy.exit or config.exit)
        callback = order.callback or room.draft.callback or config.callback
        if callback is not None:
            self._check_callback(callback)
        notices = room.draft.rtc_notices if order.rtc_notices is None else order.rtc_notices
        job_id = str(uuid.uuid4())
        now_ms = self._tools.wall_clock.utc_ms()
        return LiveJob(
            job_id=job_id,
            project_id=project.project_id,
            room_id=room.room_id,
            room_name=room.draft.name,
            program=Program(scenes=program.scenes or room.draft.scenes, policy=policy),
            place=rtc_place(project.app_id, job_id, has_capture=policy.needs_capture_user),
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            callback=callback,
            rtc_notices=(RtcNotice.LIVE_PROGRESS,) if notices is None else notices,
            extras={**room.draft.extras, **order.extras},
        )

    def _check_callback(self, callback: LiveCallback) -> None:
        if callback.auth is CallbackAuth.MEITUAN:
            raise InvalidInput(
                "live_event_callback_config.auth_type", "how MEITUAN_DEFAULT signs is not known"
            )
        try:
            if callback.url:
                self._check_callback_url(callback.url)
        except ValueError as error:
            raise InvalidInput(
                "live_event_callback_config.live_event_type_callback_url", str(error)
            ) from None

    def _run(self, job: LiveJob) -> Broadcast:
        record = JobRecord(
            job,
            store=self._stores.jobs,
            wall_clock=self._tools.wall_clock,
            sleep=self._tools.sleep,
        )
        broadcast = Broadcast(record, self._tools)
        place = RoomKey(job.place.app_id, job.place.room_id)
        self._running[job.job_id] = self._places[place] = broadcast
        broadcast.start()
        ending = asyncio.create_task(self._ended(broadcast, place))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return broadcast

    async def _ended(self, broadcast: Broadcast, place: RoomKey) -> None:
        """Wait for the end of a broadcast, and put away what was only for it."""
        job = broadcast.record.job
        try:
            await broadcast.finished()
        except Exception:
            _log.exception("live job %s goes on at the next start", job.job_id)
        finally:
            del self._running[job.job_id], self._places[place]
        room = await self._stores.rooms.find_room(job.room_id)
        if room is None or room.draft.type is not LiveRoomType.TEMP:
            return
        if not await self._stores.jobs.has_unfinished_job(job.room_id):
            await self._stores.rooms.remove_room(job.room_id)

    def _broadcast(self, job_id: str) -> Broadcast:
        broadcast = self._running.get(job_id)
        if broadcast is None:
            raise LiveJobFinished(f"live job {job_id} has ended")
        return broadcast

    async def _end(self, job_id: str, ending: Ending) -> LiveJob:
        broadcast = self._broadcast(job_id)
        if not broadcast.end(ending):
            raise LiveJobFinished(f"live job {job_id} is ending already")
        await broadcast.finished()
        return broadcast.record.job


def _check_program(job: LiveJob) -> None:
    """Find out whether there is something to play. Not for the event loop: texts may be long.

    Raises:
        InvalidInput: there is not, or a text must not be read.
    """
    mode = job.program.policy.mode
    if mode is PlayMode.NO_PRESET:
        return
    try:
        if mode is PlayMode.TEXT:
            for scene in job.program.scenes:
                for paragraph in scene.paragraphs:
                    sentences(paragraph.text, DEFAULT_VOICE)
        line = Script(job.program, seed=job.job_id).line_at(Cursor())
    except MarkupRefused as error:
        raise InvalidInput("scene_scripts.shoot_scripts.text_config.text", str(error)) from None
    if line is None:
        wanted = "audio_config" if mode is PlayMode.AUDIO else "text_config"
        raise InvalidInput(
            f"scene_scripts.shoot_scripts.{wanted}", f"nothing to play in play mode {mode}"
        )
