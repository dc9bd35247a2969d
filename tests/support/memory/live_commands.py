"""Commands and audience events in memory, for tests and trials."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from airslice.application.ports.live import CommandQuery, Page
from airslice.domain.live_command import AudienceEvent, CommandName, CommandState, LiveCommand


class MemoryLiveCommandStore:
    """A LiveCommandStore that forgets everything with the process."""

    def __init__(self) -> None:
        self._commands: dict[str, LiveCommand] = {}
        self._events: dict[str, list[AudienceEvent]] = defaultdict(list)

    async def add_command(self, command: LiveCommand) -> None:
        """Insert a command."""
        self._commands[command.command_id] = command

    async def queued_commands(self, project_id: str, query: CommandQuery) -> Page[LiveCommand]:
        """Return commands of a project that are queued."""
        found = [
            command
            for command in self._commands.values()
            if command.project_id == project_id
            and command.state is CommandState.QUEUED
            and command.name in query.names
            and query.job_id in (None, command.job_id)
        ]
        return Page(len(found), tuple(found[query.offset : query.offset + query.limit]))

    async def count_commands(self, job_id: str) -> int:
        """Return how many commands a job has taken, whatever became of them."""
        return sum(command.job_id == job_id for command in self._commands.values())

    async def settle_commands(
        self,
        job_id: str,
        names: frozenset[CommandName],
        command_ids: frozenset[str],
        state: CommandState,
    ) -> None:
        """Move queued commands of a job to `state`; without ids, all of these names."""
        for command in self._queued(job_id, names, command_ids):
            self._commands[command.command_id] = replace(command, state=state)

    async def remove_queued_commands(
        self, job_id: str, names: frozenset[CommandName], command_ids: frozenset[str]
    ) -> None:
        """Remove queued commands of a job; without ids, all of these names."""
        for command in self._queued(job_id, names, command_ids):
            del self._commands[command.command_id]

    async def add_events(
        self, job_id: str, events: tuple[AudienceEvent, ...], *, keep: int
    ) -> None:
        """Append events, and forget all but the latest `keep` of the job."""
        self._events[job_id] = [*self._events[job_id], *events][-keep:]

    async def events(self, job_id: str) -> list[AudienceEvent]:
        """Return the events that are remembered of a job, the first added first."""
        return list(self._events[job_id])

    def _queued(
        self, job_id: str, names: frozenset[CommandName], command_ids: frozenset[str]
    ) -> list[LiveCommand]:
        return [
            command
            for command in self._commands.values()
            if command.job_id == job_id
            and command.state is CommandState.QUEUED
            and command.name in names
            and (not command_ids or command.command_id in command_ids)
        ]
