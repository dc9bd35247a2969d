"""Live rooms and templates: made, changed, shared and confirmed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import replace

from airslice.application.ports.live import (
    LiveJobStore,
    LiveRoomStore,
    LiveUserConfigStore,
    OwnerWords,
    Page,
    RoomQuery,
)
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import InvalidInput, LiveJobRunning, LiveRoomNotFound, QuotaExceeded
from airslice.domain.fields import LiveField
from airslice.domain.live_job import LiveJob
from airslice.domain.live_room import (
    MAX_SHARED_PROJECTS,
    ConfirmState,
    LiveRoom,
    LiveRoomType,
    LiveWarning,
    RoomDraft,
    Sharing,
    TemplateOwner,
)
from airslice.domain.live_warnings import live_warnings
from airslice.domain.script import JsonObject, Scene

MAX_ROOMS = 10_000
"""How many rooms a project can have, templates included."""


class LiveRooms:
    """The live rooms of all projects.

    Whatever names a room raises LiveRoomNotFound if the project has no such room; `show` also finds
    templates of others.
    """

    def __init__(
        self,
        *,
        rooms: LiveRoomStore,
        jobs: LiveJobStore,
        configs: LiveUserConfigStore,
        words: OwnerWords,
        wall_clock: WallClock,
    ) -> None:
        """Begin with what the stores remember; `wall_clock` dates changes."""
        self._rooms = rooms
        self._jobs = jobs
        self._configs = configs
        self._words = words
        self._wall_clock = wall_clock
        self._changing = asyncio.Lock()
        """A room is changed by writing it anew: of two changes at once, one would be lost."""

    async def create(self, project_id: str, draft: RoomDraft) -> LiveRoom:
        """Make a room.

        Raises:
            InvalidInput: more than a template is shared, or with too many.
            QuotaExceeded: the project has `MAX_ROOMS`.
        """
        filled = _filled(draft)
        if await self._rooms.count_rooms(project_id) >= MAX_ROOMS:
            raise QuotaExceeded(f"a project has at most {MAX_ROOMS} live rooms")
        now_ms = self._wall_clock.utc_ms()
        room = LiveRoom(
            room_id=str(uuid.uuid4()),
            project_id=project_id,
            draft=filled,
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            script_version=str(now_ms),
        )
        await self._rooms.save_room(room)
        return room

    async def show(self, project_id: str, room_id: str) -> LiveRoom:
        """Return a room of the project, or a template of another's that it can use now.

        Others do not see what is its owner's alone: callback, stream addresses and keys, private
        data, and with whom else it is shared.
        """
        room = await self._rooms.find_room(room_id)
        if room is not None and room.project_id == project_id:
            return room
        if room is not None and _is_open_to(room, project_id, now_ms=self._wall_clock.utc_ms()):
            return self._as_others_see(room)
        raise _not_found(room_id)

    async def update(self, project_id: str, room_id: str, draft: RoomDraft) -> LiveRoom:
        """Replace what the owner gave of a room; a person has to confirm it anew.

        Raises:
            InvalidInput: more than a template is shared, or with too many.
        """
        filled = _filled(draft)
        async with self._changing:
            room = await self._own(project_id, room_id)
            now_ms = self._wall_clock.utc_ms()
            changed = replace(
                room,
                draft=filled,
                updated_at_ms=now_ms,
                # Two changes within a millisecond are two versions.
                script_version=str(max(now_ms, int(room.script_version) + 1)),
                confirm_state=ConfirmState.UNCONFIRMED,
            )
            await self._rooms.save_room(changed)
        return changed

    async def remove(self, project_id: str, room_id: str) -> None:
        """Remove a room; its jobs can still be listed.

        Raises:
            LiveJobRunning: a job of the room has not ended.
        """
        async with self._changing:
            await self._own(project_id, room_id)
            if await self._jobs.has_unfinished_job(room_id):
                raise LiveJobRunning(f"live room {room_id} has a job that has not ended")
            await self._rooms.remove_room(room_id)

    async def list(
        self, project_id: str, query: RoomQuery
    ) -> Page[tuple[LiveRoom, LiveJob | None]]:
        """Return rooms of the project, each with its latest job, see `LiveRoomStore.rooms`."""
        return await self._rooms.rooms(project_id, query)

    async def templates(
        self, project_id: str, own: TemplateOwner, query: RoomQuery
    ) -> Page[tuple[LiveRoom, LiveJob | None]]:
        """Return templates that the project owns or can use now, as `list` does."""
        now_ms = self._wall_clock.utc_ms()
        page = await self._rooms.templates(project_id, own, query, now_ms=now_ms)
        items = tuple(
            (room if room.project_id == project_id else self._as_others_see(room), job)
            for room, job in page.items
        )
        return Page(page.count, items)

    async def confirm(
        self, project_id: str, room_id: str, *, confirmed: bool, script_version: str
    ) -> None:
        """Note what a person has said of a room's script.

        Raises:
            InvalidInput: the script has another version by now.
        """
        state = ConfirmState.CONFIRMED if confirmed else ConfirmState.REJECTED
        async with self._changing:
            room = await self._own(project_id, room_id)
            if room.script_version != script_version:
                raise InvalidInput(LiveField.VERSION, f"is {room.script_version} by now")
            await self._rooms.save_room(replace(room, confirm_state=state))

    async def warnings(self, project_id: str, room_id: str) -> tuple[tuple[LiveWarning, ...], int]:
        """Return what should be better before a room goes on air, and its time limit in hours.

        The limit is the room's, else the project's; 0 is none.
        """
        draft = (await self._own(project_id, room_id)).draft
        live_exit = draft.policy.exit
        if live_exit is None:
            config = await self._configs.find_config(project_id)
            live_exit = config.exit if config is not None else None
        warnings = live_warnings(draft, self._words.answers_comments)
        return warnings, live_exit.max_live_h if live_exit is not None else 0

    def _as_others_see(self, room: LiveRoom) -> LiveRoom:
        draft, private = room.draft, self._words.private_extras
        own = replace(
            draft,
            callback=None,
            sharing=replace(draft.sharing, project_ids=()) if draft.sharing is not None else None,
            extras={name: value for name, value in draft.extras.items() if name not in private},
        )
        return replace(room, draft=own)

    async def _own(self, project_id: str, room_id: str) -> LiveRoom:
        room = await self._rooms.find_room(room_id)
        if room is None or room.project_id != project_id:
            raise _not_found(room_id)
        return room


def with_rule_indexes(rules: Iterable[JsonObject]) -> tuple[JsonObject, ...]:
    """Return rules of which each has a `rule_index` of its own; given ones are kept."""
    seen: set[str] = set()
    return tuple({**rule, "rule_index": _own_id(rule.get("rule_index"), seen)} for rule in rules)


def with_script_ids(scenes: Iterable[Scene]) -> tuple[Scene, ...]:
    """Return scenes of which each has a `script_id` of its own; given ones are kept."""
    seen: set[str] = set()
    return tuple(replace(scene, script_id=_own_id(scene.script_id, seen)) for scene in scenes)


def _own_id(given: str | None, seen: set[str]) -> str:
    own = given if given and given not in seen else str(uuid.uuid4())
    seen.add(own)
    return own


def _filled(draft: RoomDraft) -> RoomDraft:
    """Return `draft` with what the server fills in."""
    return replace(
        draft,
        scenes=with_script_ids(draft.scenes),
        interaction_rules=with_rule_indexes(draft.interaction_rules),
        sharing=_checked(draft.sharing, draft.type),
    )


def _checked(sharing: Sharing | None, room_type: LiveRoomType) -> Sharing | None:
    if sharing is None:
        return None
    if room_type is not LiveRoomType.TEMPLATE:
        raise InvalidInput(LiveField.SHARING, "only a template can be shared")
    projects = tuple(dict.fromkeys(sharing.project_ids))
    if len(projects) > MAX_SHARED_PROJECTS:
        raise InvalidInput(LiveField.SHARED_PROJECTS, f"must be at most {MAX_SHARED_PROJECTS}")
    return replace(sharing, project_ids=projects)


def _is_open_to(room: LiveRoom, project_id: str, *, now_ms: int) -> bool:
    sharing = room.draft.sharing
    return (
        room.draft.type is LiveRoomType.TEMPLATE
        and sharing is not None
        and sharing.is_open_to(project_id, now_ms=now_ms)
    )


def _not_found(room_id: str) -> LiveRoomNotFound:
    return LiveRoomNotFound(f"there is no live room {room_id}")
