"""What is remembered over restarts: tasks and slices, bans, presences, callback settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from airslice.domain.ban import Ban, BanScope
from airslice.domain.callback import CallbackSetting
from airslice.domain.room_event import Presence
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import SliceTask, TaskKey


class TaskStore(Protocol):
    """Remembers tasks and their slices."""

    async def save_task(self, task: SliceTask) -> None:
        """Insert or replace the run `task.run_id`."""

    async def find_task(self, key: TaskKey, *, since_ms: int) -> SliceTask | None:
        """Return the latest run of `key` that started at `since_ms` (UTC) or later."""

    async def find_run(self, run_id: str) -> SliceTask | None:
        """Return a run, however old."""

    async def unfinished_tasks(self) -> list[SliceTask]:
        """Return all runs that are not in a final state, oldest first."""

    async def next_index(self, run_id: str) -> dict[tuple[str, int], int]:
        """Return the next free slice index of each (user id, stream type) of a run."""

    async def spool_names(self, run_id: str) -> set[str]:
        """Return the names, in the spool, of all slices that a run has in the records."""

    async def add_slice(self, record: SliceRecord) -> None:
        """Insert a slice, and its upload into the outbox, in one transaction.

        Inserting the same (run, stream, index) again changes nothing.
        """

    async def room_slices(
        self, app_id: str, room_id: str, *, limit: int
    ) -> list[tuple[SliceTask, SliceRecord]]:
        """Return the latest slices of a room, newest first."""

    async def forget_before(self, ended_before_ms: int) -> None:
        """Remove runs that ended before, with their slices, if all of them were delivered."""


class BanStore(Protocol):
    """Remembers bans over restarts."""

    async def save_ban(self, ban: Ban) -> None:
        """Insert the ban, or replace the one of its scope."""

    async def lift_ban(self, scope: BanScope) -> None:
        """Remove the ban of `scope`; there need not be one."""

    async def bans(self) -> list[Ban]:
        """Return all bans, the first to expire first."""

    async def forget_bans(self, now_ms: int) -> None:
        """Remove those that have expired at `now_ms` (UTC)."""


class PresenceStore(Protocol):
    """Remembers over a crash who was told to be in which room."""

    async def note(
        self, *, entered: Sequence[Presence] = (), left: Sequence[Presence] = ()
    ) -> None:
        """Remember what has come and forget what has gone, in one transaction."""

    async def present(self) -> list[Presence]:
        """Return what has come and not gone."""

    async def sign(self, at_ms: int) -> None:
        """Remember that the server lives at `at_ms` (UTC)."""

    async def last_sign_ms(self) -> int:
        """Return when it lived last; 0 if nobody knows."""


class CallbackSettingStore(Protocol):
    """Remembers who is told of which events."""

    async def save_setting(self, setting: CallbackSetting) -> None:
        """Insert or replace the setting of its application and business."""

    async def find_setting(self, app_id: str, business_id: str) -> CallbackSetting | None:
        """Return the setting of an application, or of one business in it."""

    async def settings(self, app_id: str) -> list[CallbackSetting]:
        """Return all settings of an application, in order of their business ids."""

    async def remove_setting(self, app_id: str, business_id: str) -> None:
        """Remove a setting; there need not be one."""
