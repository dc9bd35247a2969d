"""Start, show, steer and end live jobs."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace

from airslice.application.broadcast.broadcast import (
    Broadcast,
    BroadcastTools,
    Ending,
    Fault,
    LostFrames,
)
from airslice.application.broadcast.orders import LiveOrders
from airslice.application.broadcast.record import JobRecord
from airslice.application.ports.live import (
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
from airslice.domain.fields import SessionField
from airslice.domain.live_job import (
    FINAL_STATES,
    JobEvent,
    JobOrder,
    JobState,
    LiveJob,
    RtcUser,
    RtcUserKind,
)
from airslice.domain.live_room import LiveRoomState, LiveRoomType
from airslice.domain.players import PlayCommand, PlayState, Timing
from airslice.domain.projects import Project
from airslice.domain.room import RoomKey
from airslice.domain.room_token import Privilege, RoomClaims
from airslice.domain.script import LiveExit

TOKEN_S = 86_400
"""How many seconds the token of a user in a job's RTC room is valid."""

SUSPEND_TIMEOUT_S = 5.0
"""How many seconds the end of the server waits for the jobs to be recorded."""

_PRIVILEGES: Mapping[RtcUserKind, Privilege] = {
    RtcUserKind.RENDER: Privilege.PUBLISH_STREAM,
    RtcUserKind.CAPTURE: Privilege.PUBLISH_STREAM,
    RtcUserKind.PLAYER: Privilege.SUBSCRIBE_STREAM,
}

_log = logging.getLogger(__name__)


class LiveJobs:
    """The live jobs of this machine."""

    def __init__(
        self,
        *,
        apps: Mapping[str, RtcApp],
        jobs: LiveJobStore,
        rooms: LiveRoomStore,
        orders: LiveOrders,
        tools: BroadcastTools,
        max_jobs: int,
    ) -> None:
        """Run nothing; `recover` brings back what ran at the last end.

        `apps` has the RTC applications by id; at most `max_jobs` jobs run at a time.
        """
        self._apps = apps
        self._jobs = jobs
        self._rooms = rooms
        self._orders = orders
        self._tools = tools
        self._max_jobs = max_jobs
        self._running: dict[str, Broadcast] = {}
        self._places: dict[RoomKey, Broadcast] = {}
        self._lost_before = LostFrames()  # by broadcasts that have ended
        self._endings: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()
        self._is_suspended = False

    @property
    def running(self) -> int:
        """Jobs that have not ended."""
        return len(self._running)

    @property
    def on_air(self) -> int:
        """Jobs that can be heard."""
        states = (broadcast.record.job.state for broadcast in self._running.values())
        return sum(state is JobState.PROCESSING for state in states)

    @property
    def lost_frames(self) -> LostFrames:
        """The frames that all broadcasts have lost since the start of the server."""
        lost = self._lost_before
        for broadcast in self._running.values():
            lost = lost.plus(broadcast.lost_frames)
        return lost

    async def start(self, project: Project, room_id: str, order: JobOrder) -> LiveJob:
        """Start a broadcast from a room as it stands now; return its job, which is waiting.

        Raises:
            LiveRoomNotFound: the project has no such room.
            LiveRoomUnusable: it is a template, or not enabled.
            InvalidInput: there is nothing to play, or the owner cannot be called back.
            LiveJobRunning: the room has a job, and the order wants to be alone.
            TooManyLiveJobs: the server takes no more.
        """
        room = await self._rooms.find_room(room_id)
        if room is None or room.project_id != project.project_id:
            raise LiveRoomNotFound(f"there is no live room {room_id}")
        if room.draft.type is LiveRoomType.TEMPLATE or room.state is not LiveRoomState.ENABLE:
            raise LiveRoomUnusable(f"live room {room_id} is a template, or not enabled")
        job = await self._orders.job(project, room, order)
        async with self._starting:  # or two that want to be alone would not see each other
            if self._is_suspended or len(self._running) >= self._max_jobs:
                raise TooManyLiveJobs(f"the server takes {self._max_jobs} live jobs at most")
            if order.single_job_in_room and await self._jobs.has_unfinished_job(room_id):
                raise LiveJobRunning(f"live room {room_id} has a job that has not ended")
            await self._jobs.save_job(job)
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
        job = await self._jobs.find_job(project_id, job_id)
        if job is None or job.room_id != room_id:
            raise LiveJobNotFound(f"live room {room_id} has no job {job_id}")
        return job

    async def list(self, project_id: str, query: JobQuery) -> Page[LiveJob]:
        """Return jobs of a project, see `LiveJobStore.jobs`."""
        return await self._jobs.jobs(project_id, query)

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
            raise InvalidInput(
                SessionField.PLAY_COMMAND, f"expected one of {', '.join(PlayCommand)}"
            ) from None
        try:
            when = Timing(timing)
        except ValueError:
            raise InvalidInput(
                SessionField.PLAY_TIMING, f"expected one of {', '.join(Timing)}"
            ) from None
        broadcast = self._places.get(room)
        if broadcast is None:
            raise LiveJobNotFound(f"no broadcast is heard in room {room.room_id}")
        if user_id not in {user.user_id for user in broadcast.record.job.place.users}:
            raise TokenRefused(f"user {user_id} may listen to this broadcast, and nothing else")
        return await broadcast.control(asked, when)

    async def reset_exit(self, job_id: str, live_exit: LiveExit) -> None:
        """Take `live_exit` for a job's own from now on (port `JobExits`)."""

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
        claims = RoomClaims.lasting(
            job.place.room_id,
            user.user_id,
            [_PRIVILEGES[user.kind]],
            now_s=now_s,
            valid_s=TOKEN_S,
        )
        token = room_token.mint(
            claims, app_id=app.app_id, app_key=app.app_key, nonce=secrets.randbits(32)
        )
        return token, claims.expires_at_s

    async def recover(self, project_ids: Iterable[str] = ()) -> None:
        """Go on with the jobs that had not ended when the server did.

        Args:
            project_ids: Whose temporary rooms are removed, if their job ended right before.
        """
        for job in await self._jobs.unfinished_jobs():
            # The time until now does not count as on air.
            job = replace(job, updated_at_ms=self._tools.wall_clock.utc_ms())
            await self._jobs.save_job(job)
            broadcast = self._run(job)
            if job.place.app_id not in self._apps:
                broadcast.end(Ending(JobEvent.BROKE, Fault.INTERNAL))
        left_over = RoomQuery(
            window=Window(limit=100),
            types=frozenset({LiveRoomType.TEMP}),
            last_job_states=FINAL_STATES,
        )
        for project_id in project_ids:
            while rooms := (await self._rooms.rooms(project_id, left_over)).items:
                for room, _ in rooms:
                    await self._rooms.remove_room(room.room_id)

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

    def _run(self, job: LiveJob) -> Broadcast:
        record = JobRecord(
            job,
            store=self._jobs,
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
            self._lost_before = self._lost_before.plus(broadcast.lost_frames)
        room = await self._rooms.find_room(job.room_id)
        if room is None or room.draft.type is not LiveRoomType.TEMP:
            return
        if not await self._jobs.has_unfinished_job(job.room_id):
            await self._rooms.remove_room(job.room_id)

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
