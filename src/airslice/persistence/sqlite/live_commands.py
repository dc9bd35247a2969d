"""Commands and audience events in the SQLite file."""

from __future__ import annotations

import json
import sqlite3

import msgspec

from airslice.application.ports.live import CommandQuery, Page
from airslice.domain.live_command import (
    AudienceEvent,
    CommandName,
    CommandSource,
    CommandState,
    LiveCommand,
)
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.rows import Row
from airslice.persistence.sqlite.secrets import SecretBox
from airslice.persistence.sqlite.statements import statements

_COMMANDS = statements("live_commands")


class SqliteLiveCommandStore:
    """A LiveCommandStore; what commands carry is sealed."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def add_command(self, command: LiveCommand) -> None:
        """Insert a command."""
        await self._execute("add_command", _command_row(command, self._database.box))

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
        rows = await self._database.rows(_COMMANDS["count_of_job"], {"job_id": job_id})
        count: int = rows[0]["commands"]
        return count

    async def settle_commands(
        self,
        job_id: str,
        names: frozenset[CommandName],
        command_ids: frozenset[str],
        state: CommandState,
    ) -> None:
        """Move queued commands of a job to `state`; without ids, all of these names."""
        await self._execute("settle", {**_which(job_id, names, command_ids), "state": state})

    async def remove_queued_commands(
        self, job_id: str, names: frozenset[CommandName], command_ids: frozenset[str]
    ) -> None:
        """Remove queued commands of a job; without ids, all of these names."""
        await self._execute("remove_queued", _which(job_id, names, command_ids))

    async def add_events(
        self, job_id: str, events: tuple[AudienceEvent, ...], *, keep: int
    ) -> None:
        """Append events, and forget all but the latest `keep` of the job."""
        rows = [
            {
                "job_id": job_id,
                "timestamp_ms": event.timestamp_ms,
                "type": event.type,
                "content": event.content,
            }
            for event in events
        ]

        def change(connection: sqlite3.Connection) -> None:
            connection.executemany(_COMMANDS["add_event"], rows)
            connection.execute(_COMMANDS["forget_events"], {"job_id": job_id, "keep": keep})

        await self._database.write(change)

    async def events(self, job_id: str) -> list[AudienceEvent]:
        """Return the events that are remembered of a job, the first added first."""
        rows = await self._database.rows(_COMMANDS["events"], {"job_id": job_id})
        return [
            AudienceEvent(
                timestamp_ms=row["timestamp_ms"], type=row["type"], content=row["content"]
            )
            for row in rows
        ]

    async def _execute(self, statement: str, row: Row) -> None:
        await self._database.write(lambda connection: connection.execute(_COMMANDS[statement], row))


def _which(job_id: str, names: frozenset[CommandName], command_ids: frozenset[str]) -> Row:
    return {
        "job_id": job_id,
        "names": json.dumps(list(names)),
        "command_ids": json.dumps(list(command_ids)) if command_ids else None,
    }


def _context(command_id: str) -> str:
    """Bind the seal to the row: moved to another, it does not open."""
    return f"parameters of live command {command_id}"


def _command_row(command: LiveCommand, box: SecretBox) -> Row:
    return {
        "command_id": command.command_id,
        "project_id": command.project_id,
        "room_id": command.room_id,
        "job_id": command.job_id,
        "name": command.name,
        "state": command.state,
        "source": command.source,
        "created_at_ms": command.created_at_ms,
        "params": box.seal(
            msgspec.json.encode(command.params), context=_context(command.command_id)
        ),
    }


def _read_command(row: sqlite3.Row, box: SecretBox) -> LiveCommand:
    params = box.unseal(row["params"], context=_context(row["command_id"]))
    return LiveCommand(
        command_id=row["command_id"],
        project_id=row["project_id"],
        room_id=row["room_id"],
        job_id=row["job_id"],
        name=CommandName(row["name"]),
        params=msgspec.json.decode(params),
        created_at_ms=row["created_at_ms"],
        source=CommandSource(row["source"]),
        state=CommandState(row["state"]),
    )
