"""What broadcasts are told while they are on air.

Commands that only ask or set something are carried out at once. Those that change what is played
are stored in the order in which they come; what becomes of them on air is not decided here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace

from airslice.application.catalogue.live_rooms import with_rule_indexes
from airslice.application.ports.live import (
    CommandQuery,
    JobExits,
    LiveCommandStore,
    LiveJobStore,
    LiveRoomStore,
    OwnerWords,
    Page,
)
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import InvalidInput, LiveJobFinished, LiveJobNotFound, QuotaExceeded
from airslice.domain.fields import LiveField
from airslice.domain.live_command import (
    INSERTS,
    REWRITES,
    AudienceEvent,
    CommandName,
    CommandState,
    LiveCommand,
)
from airslice.domain.live_job import FINAL_STATES, LiveJob
from airslice.domain.live_room import LiveRoom, RoomDraft
from airslice.domain.script import JsonObject, LiveExit

MAX_COMMANDS = 10_000
"""How many commands a job takes in all."""

KEPT_EVENTS = 1_000
"""How many events of a job are remembered: the latest."""


class LiveCommands:
    """The commands and audience events of all jobs.

    Whatever names a job and its room raises LiveJobNotFound if the room has no such job, and
    LiveJobFinished if it has ended; its insertions alone can be listed even then.
    """

    def __init__(
        self,
        *,
        commands: LiveCommandStore,
        jobs: LiveJobStore,
        rooms: LiveRoomStore,
        exits: JobExits,
        words: OwnerWords,
        wall_clock: WallClock,
    ) -> None:
        """Begin with what the stores remember; `wall_clock` dates commands."""
        self._commands = commands
        self._jobs = jobs
        self._rooms = rooms
        self._exits = exits
        self._words = words
        self._wall_clock = wall_clock

    async def execute(
        self, project_id: str, room_id: str, job_id: str, name: CommandName, params: JsonObject
    ) -> str:
        """Take a command that changes what is played; return its id.

        Args:
            project_id: Whose the job is.
            room_id: The job's.
            job_id: Which broadcast.
            name: One of `STORED`.
            params: Of the command, of the right form.

        Raises:
            QuotaExceeded: the job has taken `MAX_COMMANDS`.
        """
        job = await self._unfinished(project_id, room_id, job_id)
        if await self._commands.count_commands(job_id) >= MAX_COMMANDS:
            raise QuotaExceeded(f"a job takes at most {MAX_COMMANDS} commands")
        if name is CommandName.REWRITE_INTERACTION_RULES:
            rules = with_rule_indexes(params.get("interaction_rules") or ())
            params = {**params, "interaction_rules": list(rules)}
        command = LiveCommand(
            command_id=str(uuid.uuid4()),
            project_id=project_id,
            room_id=room_id,
            job_id=job.job_id,
            name=name,
            params=params,
            created_at_ms=self._wall_clock.utc_ms(),
        )
        await self._commands.add_command(command)
        return command.command_id

    async def take_back(
        self, project_id: str, room_id: str, job_id: str, command_ids: frozenset[str]
    ) -> None:
        """Forget insertions that wait for their turn; without ids, all of them."""
        await self._unfinished(project_id, room_id, job_id)
        await self._commands.remove_queued_commands(job_id, INSERTS, command_ids)

    async def reset_exit(
        self, project_id: str, room_id: str, job_id: str, live_exit: LiveExit
    ) -> None:
        """Let a broadcast end by itself as `live_exit` says from now on."""
        await self._unfinished(project_id, room_id, job_id)
        await self._exits.reset_exit(job_id, live_exit)

    async def as_played(self, project_id: str, room_id: str, job_id: str) -> LiveRoom:
        """Return a job's room as the job has it: the room may have changed since, or be gone."""
        job = await self._unfinished(project_id, room_id, job_id)
        room = await self._rooms.find_room(job.room_id) or LiveRoom(
            room_id=job.room_id,
            project_id=job.project_id,
            draft=RoomDraft(name=job.room_name),
            created_at_ms=job.created_at_ms,
            updated_at_ms=job.created_at_ms,
            script_version=str(job.created_at_ms),
        )
        own = {name: job.extras[name] for name in self._words.job_extras & job.extras.keys()}
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

    async def insert_commands(
        self, project_id: str, room_id: str, job_id: str, *, offset: int, limit: int
    ) -> Page[LiveCommand]:
        """Return the insertions of a job that wait for their turn, the earliest first."""
        await self._job(project_id, room_id, job_id)
        query = CommandQuery(names=INSERTS, job_id=job_id, offset=offset, limit=limit)
        return await self._commands.queued_commands(project_id, query)

    async def unjudged(
        self, project_id: str, job_id: str | None, name: CommandName, *, offset: int, limit: int
    ) -> Page[LiveCommand]:
        """Return the rewrites that nobody has judged, the earliest first.

        Args:
            project_id: Whose they are.
            job_id: Of which job; None: of all the project's.
            name: One of `REWRITES`.
            offset: How many to leave out.
            limit: How many to return at most, 1 to 100.
        """
        query = CommandQuery(names=frozenset({name}), job_id=job_id, offset=offset, limit=limit)
        return await self._commands.queued_commands(project_id, query)

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
            InvalidInput: commands of this name are not for a person to judge.
        """
        if name not in REWRITES:
            known = ", ".join(sorted(REWRITES))
            raise InvalidInput(LiveField.JUDGED_COMMAND, f"must be one of {known}")
        await self._unfinished(project_id, room_id, job_id)
        state = CommandState.CONFIRMED if confirmed else CommandState.REJECTED
        await self._commands.settle_commands(job_id, frozenset({name}), command_ids, state)

    async def report_events(
        self, project_id: str, room_id: str, job_id: str, events: Iterable[AudienceEvent]
    ) -> None:
        """Take what the audience of a broadcast did; of events that cannot all be read, none.

        Raises:
            InvalidInput: `events`, which is read after this is known, raises it.
        """
        await self._unfinished(project_id, room_id, job_id)
        await self._commands.add_events(job_id, tuple(events), keep=KEPT_EVENTS)

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
