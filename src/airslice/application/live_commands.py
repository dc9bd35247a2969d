"""What broadcasts are told while they are on air.

Commands that only ask or set something are carried out at once. Those that change what is played
are stored in the order in which they come; what becomes of them on air is not decided here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace

from airslice.application.live_ports import (
    CommandQuery,
    JobExits,
    LiveCommandStore,
    LiveJobStore,
    LiveRoomStore,
    Page,
)
from airslice.application.live_rooms import with_rule_indexes
from airslice.application.report_keys import ReportKeys
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import InvalidInput, LiveJobFinished, LiveJobNotFound, QuotaExceeded
from airslice.domain.live_command import (
    INSERTS,
    REWRITES,
    STORED,
    CommandName,
    CommandState,
    LiveCommand,
    LiveEvent,
    LiveEventType,
)
from airslice.domain.live_job import FINAL_STATES, LiveJob
from airslice.domain.live_room import LiveRoom, RoomDraft
from airslice.domain.script import AutoStop, JsonObject, LiveExit, Scene

MAX_COMMANDS = 10_000
"""Stored of a job."""

KEPT_EVENTS = 1_000
"""Of a job: the latest."""

_OF_A_JOB = ("video_config", "output_urls", "stream_keys", "view_mode", "co_streamer_config")
"""Extras that the start of a job can override in its room."""

_FACTS: dict[int, dict[str, type]] = {
    LiveEventType.COMMENT: {"user": dict, "content": str},
    LiveEventType.ENTER: {"user": dict},
    LiveEventType.LIKE: {"user": dict},
    LiveEventType.GIFT: {"user": dict, "gift": dict},
    LiveEventType.VIEWERS: {"numberOfViewers": int},
}
"""What the content of each type has, and of which JSON type that is."""


class LiveCommands:
    """The commands and audience events of all jobs."""

    def __init__(
        self,
        *,
        commands: LiveCommandStore,
        jobs: LiveJobStore,
        rooms: LiveRoomStore,
        exits: JobExits,
        show_room: Callable[[LiveRoom], JsonObject],
        report_keys: ReportKeys,
        wall_clock: WallClock,
    ) -> None:
        """Begin with what the stores remember.

        Args:
            commands: Remembers commands and events.
            jobs: Knows the jobs.
            rooms: Knows their rooms.
            exits: Changes when jobs end by themselves.
            show_room: Puts a room into the caller's words, as when a room is shown.
            report_keys: Makes and checks the keys of report addresses.
            wall_clock: Dates commands.
        """
        self._commands = commands
        self._jobs = jobs
        self._rooms = rooms
        self._exits = exits
        self._show_room = show_room
        self._report_keys = report_keys
        self._wall_clock = wall_clock

    async def execute(
        self, project_id: str, room_id: str, job_id: str, name: CommandName, params: JsonObject
    ) -> tuple[str, str]:
        """Take a command.

        Args:
            project_id: Whose the job is.
            room_id: The job's.
            job_id: Which broadcast.
            name: What is commanded.
            params: Of the command, of the right form.

        Returns:
            The command's id, and what it answers: JSON text, or nothing.

        Raises:
            LiveJobNotFound: the room has no such job.
            LiveJobFinished: the job has ended.
            InvalidInput: a parameter is out of range.
            QuotaExceeded: the job has taken `MAX_COMMANDS`.
        """
        job = await self._unfinished(project_id, room_id, job_id)
        command_id = str(uuid.uuid4())
        if name in STORED:
            await self._store(job, command_id, name, params)
        elif name is CommandName.CLEAN_UP_INSERT_COMMAND:
            command_ids = frozenset(params.get("command_ids") or ())
            await self._commands.remove_queued_commands(job_id, INSERTS, command_ids)
        elif name is CommandName.RESET_EXIT_CONFIG:
            await self._exits.reset_exit(job_id, _read_exit(params))
        elif name is CommandName.GET_CURRENT_PLAYING_SCRIPTS:
            scenes = [_playing(scene) for scene in job.program.scenes]
            return command_id, _text({"scene_scripts": scenes})
        else:
            return command_id, _text(self._show_room(await self._as_played(job)))
        return command_id, ""

    async def insert_commands(
        self, project_id: str, room_id: str, job_id: str, *, offset: int, limit: int
    ) -> Page[LiveCommand]:
        """Return the insertions of a job that wait for their turn, the earliest first.

        Raises:
            LiveJobNotFound: the room has no such job.
        """
        await self._job(project_id, room_id, job_id)
        query = CommandQuery(names=INSERTS, job_id=job_id, offset=offset, limit=limit)
        return await self._commands.queued_commands(project_id, query)

    async def rule_commands(
        self, project_id: str, job_id: str | None, *, offset: int, limit: int
    ) -> Page[LiveCommand]:
        """Return the rewritten rules that nobody has judged, of a job or of all the project's."""
        return await self._unjudged(
            project_id, job_id, CommandName.REWRITE_INTERACTION_RULES, offset, limit
        )

    async def script_commands(
        self, project_id: str, job_id: str | None, *, offset: int, limit: int
    ) -> Page[LiveCommand]:
        """Return the rewritten scripts that nobody has judged, as `rule_commands` does."""
        return await self._unjudged(
            project_id, job_id, CommandName.REWRITE_PLAY_SCRIPT, offset, limit
        )

    async def confirm(
        self,
        project_id: str,
        room_id: str,
        job_id: str,
        *,
        name: CommandName,
        command_ids: frozenset[str],
        confirmed: bool,
    ) -> None:
        """Note what a person says of rewritten scripts or rules; without ids, of all that wait.

        Commands that were judged before stay as they are.

        Raises:
            LiveJobNotFound: the room has no such job.
            LiveJobFinished: the job has ended.
            InvalidInput: commands of this name are not for a person to judge.
        """
        if name not in REWRITES:
            raise InvalidInput("command", f"must be one of {', '.join(sorted(REWRITES))}")
        await self._unfinished(project_id, room_id, job_id)
        state = CommandState.CONFIRMED if confirmed else CommandState.REJECTED
        await self._commands.settle_commands(job_id, frozenset({name}), command_ids, state)

    async def report_events(
        self, project_id: str, room_id: str, job_id: str, events: tuple[LiveEvent, ...]
    ) -> None:
        """Take what the audience of a broadcast did.

        Raises:
            LiveJobNotFound: the room has no such job.
            LiveJobFinished: the job has ended.
            InvalidInput: an event is not of the form that its type has.
        """
        await self._unfinished(project_id, room_id, job_id)
        for number, event in enumerate(events):
            _check_event(event, f"events[{number}].content")
        await self._commands.add_events(job_id, events, keep=KEPT_EVENTS)

    def report_key(self, job: LiveJob) -> tuple[str, int]:
        """Return the key of a job's report address and its end, milliseconds since the epoch."""
        return self._report_keys.mint(job.project_id, job.room_id, job.job_id)

    def check_report_key(
        self, project_id: str, room_id: str, job_id: str, *, key: str, expires_at_ms: int
    ) -> None:
        """Check that `report_key` has made this key for this job, and that it still holds.

        Raises:
            ReportKeyRefused: one of the two is not so.
        """
        self._report_keys.check(project_id, room_id, job_id, key=key, expires_at_ms=expires_at_ms)

    async def _job(self, project_id: str, room_id: str, job_id: str) -> LiveJob:
        job = await self._jobs.find_job(project_id, job_id)
        if job is None or job.room_id != room_id:
            raise LiveJobNotFound(f"live room {room_id} has no job {job_id}")
        return job

    async def _unfinished(self, project_id: str, room_id: str, job_id: str) -> LiveJob:
        job = await self._job(project_id, room_id, job_id)
        if job.state in FINAL_STATES:
            raise LiveJobFinished(f"job {job_id} has ended")
        return job

    async def _store(
        self, job: LiveJob, command_id: str, name: CommandName, params: JsonObject
    ) -> None:
        if await self._commands.count_commands(job.job_id) >= MAX_COMMANDS:
            raise QuotaExceeded(f"a job takes at most {MAX_COMMANDS} commands")
        if name is CommandName.REWRITE_INTERACTION_RULES:
            rules = with_rule_indexes(params.get("interaction_rules") or ())
            params = {**params, "interaction_rules": list(rules)}
        command = LiveCommand(
            command_id=command_id,
            project_id=job.project_id,
            room_id=job.room_id,
            job_id=job.job_id,
            name=name,
            params=params,
            created_at_ms=self._wall_clock.utc_ms(),
        )
        await self._commands.add_command(command)

    async def _unjudged(
        self, project_id: str, job_id: str | None, name: CommandName, offset: int, limit: int
    ) -> Page[LiveCommand]:
        query = CommandQuery(names=frozenset({name}), job_id=job_id, offset=offset, limit=limit)
        return await self._commands.queued_commands(project_id, query)

    async def _as_played(self, job: LiveJob) -> LiveRoom:
        """Return a job's room as the job has it: the room may have changed since, or be gone."""
        room = await self._rooms.find_room(job.room_id) or LiveRoom(
            room_id=job.room_id,
            project_id=job.project_id,
            draft=RoomDraft(name=job.room_name),
            created_at_ms=job.created_at_ms,
            updated_at_ms=job.created_at_ms,
            script_version=str(job.created_at_ms),
        )
        own = {name: job.extras[name] for name in _OF_A_JOB if name in job.extras}
        draft = replace(
            room.draft,
            name=job.room_name,
            scenes=job.program.scenes,
            policy=job.program.policy,
            callback=job.callback,
            rtc_notices=job.rtc_notices,
            extras={**room.draft.extras, **own},
        )
        return replace(room, draft=draft)


def _read_exit(params: JsonObject) -> LiveExit:
    """Read a LiveExitConfig; what is missing has its default.

    Raises:
        InvalidInput: a value is out of range.
    """
    default = LiveExit()
    hours = params.get("max_live_duration", default.max_live_h)
    minutes = params.get("max_exception_waiting_duration", default.max_exception_min)
    mode = params.get("auto_stop_mode", default.auto_stop)
    if type(hours) is not int or not 0 <= hours <= 168:
        raise InvalidInput("params.max_live_duration", "must be 0 to 168")
    if minutes is not None and (type(minutes) is not int or not 0 <= minutes <= 60):
        raise InvalidInput("params.max_exception_waiting_duration", "must be 0 to 60")
    if mode not in list(AutoStop):
        raise InvalidInput("params.auto_stop_mode", f"must be one of {', '.join(AutoStop)}")
    return LiveExit(max_live_h=hours, auto_stop=AutoStop(mode), max_exception_min=minutes)


def _playing(scene: Scene) -> JsonObject:
    """Put a scene into the words of LivePlayingScriptInfo."""
    return {
        "script_name": scene.name,
        "model_asset_id": scene.model_asset_id,
        "shoot_scripts": [
            {"sequence_no": paragraph.number, "title": paragraph.title, "text": paragraph.text}
            for paragraph in scene.paragraphs
        ],
    }


def _text(value: JsonObject) -> str:
    return json.dumps(value, ensure_ascii=False)


def _check_event(event: LiveEvent, field: str) -> None:
    """Check that an event says what its type is about; types of no meaning may say anything.

    Raises:
        InvalidInput: it does not.
    """
    if not event.content and event.type not in _FACTS:
        return
    try:
        content = json.loads(event.content)
    except (ValueError, RecursionError):
        raise InvalidInput(field, "must be JSON text") from None
    if not isinstance(content, dict):
        raise InvalidInput(field, "must be a JSON object")
    for name, kind in _FACTS.get(event.type, {}).items():
        if type(content.get(name)) is not kind:
            raise InvalidInput(field, f"must have a {name} for type {event.type}")
