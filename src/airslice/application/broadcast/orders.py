"""Make live jobs: from a room, from what their start says, and from what holds in general."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace

from airslice.application.ports.live import OwnerWords
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import InvalidInput
from airslice.domain.fields import LiveField
from airslice.domain.live_job import JobOrder, LiveJob, rtc_place
from airslice.domain.live_platform import LivePlatform, PlatformApi
from airslice.domain.live_room import LiveRoom
from airslice.domain.live_user_config import LiveUserConfig
from airslice.domain.owner_event import CallbackAuth, LiveCallback, OwnerEventKind
from airslice.domain.players import RtcNotice
from airslice.domain.playing import DEFAULT_VOICE, Script
from airslice.domain.projects import Project
from airslice.domain.script import Cursor, PlayMode, Program
from airslice.domain.sentences import sentences
from airslice.domain.ssml import MarkupRefused


class LiveOrders:
    """Makes jobs of orders. What is said nearer to the job goes before what is said farther off."""

    def __init__(
        self,
        *,
        config_of: Callable[[str], Awaitable[LiveUserConfig | None]],
        platform_of: Callable[[str, str], Awaitable[LivePlatform | None]],
        check_callback_url: Callable[[str], object],
        words: OwnerWords,
        wall_clock: WallClock,
    ) -> None:
        """Take the parts.

        Args:
            config_of: Returns what a project has set in general (`LiveUserConfigStore`).
            platform_of: Returns a project's platform by its id (`LivePlatformStore`).
            check_callback_url: Raises ValueError for an address that must not be called.
            words: Knows what documents in owners' words say.
            wall_clock: Dates jobs.
        """
        self._config_of = config_of
        self._platform_of = platform_of
        self._check_callback_url = check_callback_url
        self._words = words
        self._wall_clock = wall_clock

    async def job(self, project: Project, room: LiveRoom, order: JobOrder) -> LiveJob:
        """Return a new job, which is waiting, of a room as it stands now.

        Raises:
            InvalidInput: there is nothing to play, or the owner cannot be called back.
        """
        draft = room.draft
        config = await self._config_of(project.project_id) or LiveUserConfig(
            project_id=project.project_id
        )
        program = order.program or Program(policy=draft.policy)
        live_exit = program.policy.exit or draft.policy.exit or config.exit
        policy = replace(program.policy, exit=live_exit)
        notices = draft.rtc_notices if order.rtc_notices is None else order.rtc_notices
        job_id = str(uuid.uuid4())
        now_ms = self._wall_clock.utc_ms()
        job = LiveJob(
            job_id=job_id,
            project_id=project.project_id,
            room_id=room.room_id,
            room_name=draft.name,
            program=Program(scenes=program.scenes or draft.scenes, policy=policy),
            place=rtc_place(project.app_id, job_id, has_capture=policy.needs_capture_user),
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            callback=await self._callback(room, order, config),
            rtc_notices=(RtcNotice.LIVE_PROGRESS,) if notices is None else notices,
            extras={**draft.extras, **order.extras},
        )
        await asyncio.to_thread(_check_program, job)
        return job

    async def _callback(
        self, room: LiveRoom, order: JobOrder, config: LiveUserConfig
    ) -> LiveCallback | None:
        """Return the nearest callback that has an address."""
        for given in (
            order.callback,
            room.draft.callback,
            await self._callback_of_platform(room),
            config.callback,
        ):
            if given is not None and given.url:
                self._check_callback(given)
                return given
        return None

    async def _callback_of_platform(self, room: LiveRoom) -> LiveCallback | None:
        draft = room.draft
        if not draft.inherits_callback:
            return None
        platform = await self._platform_of(room.project_id, self._words.platform_id(draft.extras))
        url = platform.url(PlatformApi.LIVE_EVENT_CALLBACK) if platform is not None else None
        if platform is None or url is None:
            return None
        events = draft.callback.events if draft.callback is not None else ()
        return LiveCallback(
            url=url,
            auth=CallbackAuth.HEADERS,
            key=platform.key,
            events=events or tuple(OwnerEventKind),
        )

    def _check_callback(self, callback: LiveCallback) -> None:
        if callback.auth is CallbackAuth.MEITUAN:
            raise InvalidInput(
                LiveField.EVENTS_AUTH, f"how {CallbackAuth.MEITUAN} signs is not known"
            )
        try:
            self._check_callback_url(callback.url)
        except ValueError as error:
            raise InvalidInput(LiveField.EVENTS_ADDRESS, str(error)) from None


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
        raise InvalidInput(LiveField.PARAGRAPH, str(error)) from None
    if line is None:
        field = LiveField.RECORDINGS if mode is PlayMode.AUDIO else LiveField.TEXTS
        raise InvalidInput(field, f"nothing to play in play mode {mode}")
