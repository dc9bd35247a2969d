"""Commands and audience events of live jobs in the SQLite file."""

from __future__ import annotations

import json
import sqlite3

from airslice.application.ports.live import CommandQuery, Page
from airslice.domain.live_command import (
    AudienceEvent,
    CommandName,
    CommandSource,
    CommandState,
    LiveCommand,
)
from airslice.domain.script import JsonObject
from airslice.persistence.sqlite.database import SqliteStore
from airslice.persistence.sqlite.rows import Row, columns, record
from airslice.persistence.sqlite.secrets import SecretBox
from airslice.persistence.sqlite.statements import statements

_COMMANDS = statements("live_commands")


class SqliteLiveCommandStore(SqliteStore):
    """A LiveCommandStore in the SQLite file; the parameters of commands are sealed."""

    async def add_command(self, command: LiveCommand) -> None:
        """Insert a command."""
        sealed = self._database.box.seal_json(command.params, context=_context(command.command_id))
        row = {**columns(command), "params": sealed}
        await self._database.execute(_COMMANDS["add_command"], row)

    async def queued_commands(self, project_id: str, query: CommandQuery) -> Page[LiveCommand]:
        """Return commands of a project that are queued."""
        wanted: Row = {
            "project_id": project_id,
            "job_id": query.job_id,
            "names": json.dumps(list(query.names)),
            "offset": query.offset,
            "limit": query.limit,
        }

        def read(connection: sqlite3.Connection) -> Page[LiveCommand]:
            count = connection.execute(_COMMANDS["count_queued"], wanted).fetchone()["commands"]
            rows = connection.execute(_COMMANDS["queued"], wanted)
            return Page(count, tuple(_read_command(row, self._database.box) for row in rows))

        return await self._database.read(read)

    async def count_commands(self, job_id: str) -> int:
        """Return how many commands a job has taken, whatever became of them."""
        [row] = await self._database.rows(_COMMANDS["count_of_job"], {"job_id": job_id})
        count: int = row["commands"]
        return count

    async def settle_commands(
        self,
        job_id: str,
        names: frozenset[CommandName],
        command_ids: frozenset[str],
        state: CommandState,
    ) -> None:
        """Move queued commands of a job to `state`: those with these ids, or all if none is given.

        Only commands that have one of `names` are moved.
        """
        wanted = {**_which(job_id, names, command_ids), "state": state}
        await self._database.execute(_COMMANDS["settle"], wanted)

    async def remove_queued_commands(
        self, job_id: str, names: frozenset[CommandName], command_ids: frozenset[str]
    ) -> None:
        """Remove queued commands of a job: those with these ids, or all if none is given.

        Only commands that have one of `names` are removed.
        """
        wanted = _which(job_id, names, command_ids)
        await self._database.execute(_COMMANDS["remove_queued"], wanted)

    async def add_events(
        self, job_id: str, events: tuple[AudienceEvent, ...], *, keep: int
    ) -> None:
        """Append events, and forget all but the latest `keep` of the job."""
        rows = [{"job_id": job_id, **columns(event)} for event in events]

        def change(connection: sqlite3.Connection) -> None:
            connection.executemany(_COMMANDS["add_event"], rows)
            connection.execute(_COMMANDS["forget_events"], {"job_id": job_id, "keep": keep})

        await self._database.write(change)

    async def events(self, job_id: str) -> list[AudienceEvent]:
        """Return the remembered events of a job, the first added first."""
        rows = await self._database.rows(_COMMANDS["events"], {"job_id": job_id})
        return [record(AudienceEvent, row) for row in rows]


def _which(job_id: str, names: frozenset[CommandName], command_ids: frozenset[str]) -> Row:
    return {
        "job_id": job_id,
        "names": json.dumps(list(names)),
        "command_ids": json.dumps(list(command_ids)) if command_ids else None,
    }


def _context(command_id: str) -> str:
    """Bind the seal to the row: moved to another, it does not open."""
    return f"parameters of live command {command_id}"


def _read_command(row: sqlite3.Row, box: SecretBox) -> LiveCommand:
    params: JsonObject = box.unseal_json(row["params"], dict, context=_context(row["command_id"]))
    return record(
        LiveCommand,
        row,
        params=params,
        name=CommandName(row["name"]),
        source=CommandSource(row["source"]),
        state=CommandState(row["state"]),
    )
