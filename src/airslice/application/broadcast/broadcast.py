"""One live job on air: from its first speech to its end."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from airslice.application.broadcast.player_notices import LiveNotices
from airslice.application.broadcast.playout import Playout
from airslice.application.broadcast.record import JobRecord
from airslice.application.broadcast.speech_ahead import SpeechAhead, Studio, Take
from airslice.application.pacing import FRAME_MS, Frame, Pacer, RtpStart, Transmission
from airslice.application.ports.live import RecordingNotFound, SpeechFailed
from airslice.application.ports.media import OpusEncoders
from airslice.application.rooms.publishing import LocalPublisher
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import AirsliceError, UserBanned
from airslice.domain.live_callback import LiveEventKind, RtcNotice
from airslice.domain.live_control import PlayCommand, PlayState, Timing
from airslice.domain.live_job import (
    JobEvent,
    JobFault,
    JobState,
    LiveJob,
    RtcUserKind,
)
from airslice.domain.live_notice import paragraph_message, progress_notice, state_notice
from airslice.domain.playing import Line, Script, may_end_between
from airslice.domain.room import RoomKey
from airslice.domain.room_event import EndReason
from airslice.domain.script import AutoStop, LiveExit, PlayMode

SYSTEM_PATIENCE_MIN = 3
"""How long something may be wrong where the owner has not said."""

BANNED = "the presenter is banned from its RTC room"
"""Why a job is blocked whose user is."""

_log = logging.getLogger(__name__)


class Stage(Protocol):
    """Lets a broadcast into its RTC room (`Publishing`)."""

    def present(
        self, room: RoomKey, user_id: str, on_ended: Callable[[EndReason], None]
    ) -> LocalPublisher:
        """See `Publishing.present`."""


class LiveEvents(Protocol):
    """Tells a job's owner what happens."""

    async def announce(self, job: LiveJob, kind: LiveEventKind, message: str) -> None:
        """Take an event; return when it can be lost no more, or nobody is to be told.

        Raises:
            StoreFailed: it is not taken.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class BroadcastTools:
    """What all broadcasts share."""

    studio: Studio
    encoders: OpusEncoders
    silence: Frame
    """20 ms of it, see `speech_ahead.silent_frame`."""
    stage: Stage
    pacer: Pacer
    notices: LiveNotices
    events: LiveEvents
    wall_clock: WallClock
    sleep: Callable[[float], Awaitable[None]]


class Ending(NamedTuple):
    """How a broadcast ends."""

    event: JobEvent
    fault: JobFault | None = None
    block_reason: str = ""


class LostFrames(NamedTuple):
    """Frames of 20 ms that were not sent as they should."""

    starved: int = 0
    """Silence within sentences, see `Playout`."""
    skipped: int = 0
    """Left out, see `Transmission`."""

    def plus(self, other: LostFrames) -> LostFrames:
        """Return both together."""
        return LostFrames(self.starved + other.starved, self.skipped + other.skipped)


class Fault:
    """Why broadcasts fail, in the words of the cloud's table of worker errors."""

    GENERAL = JobFault(code="MSS.47000001", message="the broadcast failed for an internal error")
    NO_PLACE = JobFault(code="MSS.47000005", message="the RTC room takes no more publishers")
    SENT_OUT = JobFault(code="MSS.47000012", message="the presenter was sent out of its RTC room")
    NO_RECORDING = JobFault(code="MSS.20010067", message="a recording is not found")
    SPEECH = JobFault(code="MSS.47000029", message="speech cannot be made")


class Broadcast:
    """The presenter of one job, on air until its end.

    The cursor is recorded as that of the sentence after, before a sentence sounds: whatever
    happens then, none is told twice, and none is left out but the one that was interrupted.
    """

    def __init__(self, record: JobRecord, tools: BroadcastTools) -> None:
        """Do nothing until `start`."""
        self.record = record
        self._tools = tools
        job = record.job
        self._room = RoomKey(job.place.app_id, job.place.room_id)
        self._script = Script(job.program, seed=job.job_id)
        self._ahead = SpeechAhead(self._script, job.cursor, self._recorded, tools.encoders)
        self._playout = Playout(tools.silence, self._begins, self._ahead.played)
        self._playout.is_paused = job.is_paused
        self._started = asyncio.Event()
        self._presence: LocalPublisher | None = None
        self._transmission: Transmission | None = None
        self._on_air_before_ms = job.on_air_ms
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._state: PlayState | None = None
        self._next_line: Line | None = None  # recorded as told, and not begun yet
        self._running: asyncio.Task[None] | None = None

    @property
    def state(self) -> PlayState:
        """What it does now."""
        return self._state or PlayState.PREPROCESSING

    @property
    def lost_frames(self) -> LostFrames:
        """Those of this broadcast since `start`."""
        sent = self._transmission
        return LostFrames(self._playout.starved_frames, sent.skipped_frames if sent else 0)

    def start(self) -> None:
        """Begin; the job may have been on air before."""
        self._running = asyncio.create_task(self._run(), name=f"job {self.record.job.job_id}")

    async def finished(self) -> None:
        """Wait until the job has ended, and that is recorded."""
        if self._running is not None:
            await asyncio.shield(self._running)

    def end(self, ending: Ending) -> bool:
        """Fall silent before this returns, and then end; False if it is ending already."""
        if self._ending.done():
            return False
        self._ending.set_result(ending)
        self._fall_silent(EndReason.LEFT)
        return True

    async def suspend(self) -> None:
        """Fall silent; the job goes on at the next start. One that is ending ends first."""
        if self._running is None or self._ending.done():
            await self.finished()
            return
        self._fall_silent(EndReason.SHUTDOWN)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        line = self._next_line
        await self.record.change(lambda job: replace(job, cursor=line.cursor) if line else job)

    async def control(self, command: PlayCommand, timing: Timing) -> PlayState:
        """Do what a player asks for; what does not fit the moment changes nothing."""
        is_on_air = self.record.job.state is JobState.PROCESSING
        match command:
            case PlayCommand.START:
                self._started.set()
            case PlayCommand.PAUSE if is_on_air:
                self._playout.pause(timing)
                await self._note_pause(is_paused=True)
            case PlayCommand.RESUME if is_on_air:
                self._playout.resume()
                await self._note_pause(is_paused=False)
        return self.state

    async def _note_pause(self, *, is_paused: bool) -> None:
        if self._transmission is not None:  # else it is coming back after a restart
            self._tell_if_paused()
        await self.record.change(lambda job: replace(job, is_paused=is_paused))

    async def _run(self) -> None:
        performance = asyncio.create_task(self._perform())
        try:
            self._tell_state(PlayState.PREPROCESSING)
            ending = await self._ending
        finally:
            performance.cancel()
            await asyncio.gather(performance, return_exceptions=True)
            await self._ahead.close()
            self._fall_silent(EndReason.LEFT)  # it may just have gone on air
        await self.record.move(
            ending.event,
            lambda job: replace(job, fault=ending.fault, block_reason=ending.block_reason),
        )
        self._tell_state(PlayState.PLAY_END)
        self._tools.notices.end(self._room)

    async def _perform(self) -> None:
        try:
            self.end(await self._play())
        except UserBanned:
            self.end(Ending(JobEvent.BLOCKED, block_reason=BANNED))
        except SpeechFailed as error:
            is_missing = isinstance(error, RecordingNotFound)
            fault = Fault.NO_RECORDING if is_missing else Fault.SPEECH
            self.end(Ending(JobEvent.BROKE, replace(fault, message=f"{fault.message}: {error}")))
        except AirsliceError as error:
            self.end(Ending(JobEvent.BROKE, replace(Fault.NO_PLACE, message=str(error))))
        except Exception:
            _log.exception("job %s failed", self.record.job.job_id)
            self.end(Ending(JobEvent.BROKE, Fault.GENERAL))

    async def _play(self) -> Ending:
        policy = self.record.job.program.policy
        take = None
        if policy.mode is not PlayMode.NO_PRESET:
            self._ahead.start()
            take = await self._ahead.next()
        if self.record.job.state is JobState.WAITING and not policy.auto_play:
            self._tell_state(PlayState.PLAY_READY)
            await self._started.wait()
        await self._go_on_air()
        if policy.mode is PlayMode.NO_PRESET:
            await asyncio.Event().wait()  # until it is stopped
        played: Line | None = None
        while take is not None:
            await self._playout.may_begin()
            if played is not None and self._ends_before(played, take.line):
                await self._playout.over()
                return Ending(JobEvent.TIME_LIMIT_REACHED)
            await self._commit(take.line)
            self._playout.queue(take)
            await self._playout.wants_next()
            played, take = take.line, await self._ahead.next()
        await self._playout.over()
        return Ending(JobEvent.SCRIPT_ENDED)

    async def _go_on_air(self) -> None:
        tools, job = self._tools, self.record.job
        presence = tools.stage.present(
            self._room, job.place.user_id(RtcUserKind.RENDER), self._sent_out
        )
        self._presence = presence
        if job.state is JobState.WAITING:
            await self.record.move(JobEvent.WENT_ON_AIR)
        start = RtpStart(secrets.randbits(32), secrets.randbits(15), secrets.randbits(32))
        self._transmission = Transmission(
            presence, self._playout.next_frame, start=start, wall_clock=tools.wall_clock
        )
        tools.pacer.add(self)
        self._tell_if_paused()

    def beat(self, now_ns: int) -> None:
        """Send what is due (`pacing.Paced`)."""
        if self._transmission is None or self._presence is None:
            return
        self._transmission.beat(now_ns)
        elapsed_ms = self._transmission.elapsed_frames * FRAME_MS
        self.record.on_air_ms = self._on_air_before_ms + elapsed_ms
        self._tell_if_paused()
        is_forced = self._limit.auto_stop is AutoStop.FORCE_EXIT or self._playout.is_resting
        if self._time_is_up and is_forced:
            self.end(Ending(JobEvent.TIME_LIMIT_REACHED))

    async def _commit(self, line: Line) -> None:
        """Let a sentence be the one that is interrupted from now on; tell of its paragraph."""
        await self.record.change(lambda job: replace(job, cursor=line.following))
        self._next_line = line
        if line.opens_paragraph:
            job = self.record.job
            try:
                await self._tools.events.announce(
                    job, LiveEventKind.SHOOT_SCRIPT_SWITCH, paragraph_message(job, line)
                )
            except AirsliceError as error:  # the broadcast is worth more than a report of it
                _log.warning("a paragraph of job %s is not reported: %s", job.job_id, error)

    def _begins(self, take: Take) -> None:
        self._next_line = None
        if RtcNotice.LIVE_PROGRESS in self.record.job.rtc_notices:
            self._tools.notices.notify(self._room, progress_notice(take.line))

    def _sent_out(self, reason: EndReason) -> None:
        if self._presence is None:
            return  # by ourselves
        if reason is EndReason.BANNED:
            self.end(Ending(JobEvent.BLOCKED, block_reason=BANNED))
        else:
            self.end(Ending(JobEvent.BROKE, Fault.SENT_OUT))

    def _fall_silent(self, reason: EndReason) -> None:
        self._tools.pacer.remove(self)
        if self._presence is not None:
            presence, self._presence = self._presence, None
            presence.close(reason)

    def _tell_if_paused(self) -> None:
        self._tell_state(PlayState.PLAY_PAUSE if self._playout.is_resting else PlayState.PROCESSING)

    def _tell_state(self, state: PlayState) -> None:
        if state is not self._state:
            self._state = state
            self._tools.notices.notify(self._room, state_notice(state))

    async def _recorded(self, line: Line) -> bytes:
        minutes = self._limit.max_exception_min
        if minutes is None:
            minutes = SYSTEM_PATIENCE_MIN
        return await self._tools.studio.record(
            self.record.job.project_id,
            line,
            patience_ns=minutes * 60_000_000_000 if minutes else None,
        )

    @property
    def _limit(self) -> LiveExit:
        policy = self.record.job.program.policy
        limit = policy.exit or LiveExit()
        if policy.mode is PlayMode.NO_PRESET:  # it has no other ends
            return replace(limit, auto_stop=AutoStop.FORCE_EXIT)
        return limit

    @property
    def _time_is_up(self) -> bool:
        hours = self._limit.max_live_h
        return bool(hours) and self.record.on_air_ms >= hours * 3_600_000

    def _ends_before(self, played: Line, following: Line) -> bool:
        return self._time_is_up and may_end_between(
            self._limit.auto_stop, played.cursor, following.cursor
        )
