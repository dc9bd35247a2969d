"""Live rooms in memory, for tests and trials."""

from __future__ import annotations

from dataclasses import replace

from airslice.application.ports.live import Page, RoomQuery
from airslice.domain.live_job import LiveJob
from airslice.domain.live_room import LiveRoom, LiveRoomType, SharedType, Sharing, TemplateOwner
from tests.support.memory.live_jobs import MemoryLiveJobStore, is_within


class MemoryLiveRoomStore:
    """A LiveRoomStore that forgets everything with the process.

    Args:
        jobs: Of these rooms.
    """

    def __init__(self, jobs: MemoryLiveJobStore) -> None:
        self._jobs = jobs
        # In order of insertion; replacing a room keeps its place.
        self._rooms: dict[str, LiveRoom] = {}

    async def save_room(self, room: LiveRoom) -> None:
        """Insert or replace a room."""
        self._rooms[room.room_id] = room

    async def find_room(self, room_id: str) -> LiveRoom | None:
        """Return a room, whosever it is."""
        return self._rooms.get(room_id)

    async def remove_room(self, room_id: str) -> None:
        """Remove a room; there need not be one. Its jobs stay."""
        self._rooms.pop(room_id, None)

    async def rooms(
        self, project_id: str, query: RoomQuery
    ) -> Page[tuple[LiveRoom, LiveJob | None]]:
        """Return rooms of a project, each with its latest created job."""
        return self._page(
            [room for room in self._rooms.values() if room.project_id == project_id], query
        )

    async def templates(
        self, project_id: str, owner: TemplateOwner, query: RoomQuery, *, now_ms: int
    ) -> Page[tuple[LiveRoom, LiveJob | None]]:
        """Return the templates that a project owns or can use now, as `rooms` does."""
        found = [
            room
            for room in self._rooms.values()
            if room.draft.type is LiveRoomType.TEMPLATE and _is_of(room, owner, project_id, now_ms)
        ]
        return self._page(found, query)

    async def count_rooms(self, project_id: str) -> int:
        """Return how many rooms a project has."""
        return sum(room.project_id == project_id for room in self._rooms.values())

    def _page(
        self, rooms: list[LiveRoom], query: RoomQuery
    ) -> Page[tuple[LiveRoom, LiveJob | None]]:
        pairs = [(room, self._jobs.latest_job(room.room_id)) for room in rooms]
        found = [(room, job) for room, job in pairs if _matches(room, job, query)]
        found.sort(key=lambda pair: pair[0].updated_at_ms)
        found.reverse()
        first = query.window.offset
        part = found[first : first + query.window.limit]
        return Page(len(found), tuple((_without_paragraphs(room), job) for room, job in part))


def _is_of(room: LiveRoom, owner: TemplateOwner, project_id: str, now_ms: int) -> bool:
    sharing = room.draft.sharing or Sharing()
    is_own = room.project_id == project_id
    if owner is TemplateOwner.OWNED:
        return is_own
    if owner is TemplateOwner.SHARED_TO_OTHERS:
        return is_own and sharing.is_open(now_ms=now_ms)
    if owner is TemplateOwner.PUBLIC:
        return sharing.type is SharedType.PUBLIC and sharing.is_open(now_ms=now_ms)
    is_named = sharing.type is SharedType.SHARED and project_id in sharing.project_ids
    return not is_own and is_named and sharing.is_open(now_ms=now_ms)


def _matches(room: LiveRoom, job: LiveJob | None, query: RoomQuery) -> bool:
    draft = room.draft
    return (
        query.name.casefold() in draft.name.casefold()
        and (not query.dh_id or any(scene.dh_id == query.dh_id for scene in draft.scenes))
        and (
            not query.model_name
            or any(
                query.model_name.casefold() in scene.model_asset_id.casefold()
                for scene in draft.scenes
            )
        )
        and (not query.types or draft.type in query.types)
        and (query.confirm_state is None or room.confirm_state is query.confirm_state)
        and is_within(query.window, room.created_at_ms)
        and _has_such_a_job(job, query)
    )


def _has_such_a_job(job: LiveJob | None, query: RoomQuery) -> bool:
    if query.last_job_states and (job.state if job else None) not in query.last_job_states:
        return False
    since_ms, until_ms = query.last_job_since_ms, query.last_job_until_ms
    if since_ms is None and until_ms is None:
        return True
    return (
        job is not None
        and (since_ms is None or since_ms <= job.created_at_ms)
        and (until_ms is None or job.created_at_ms <= until_ms)
    )


def _without_paragraphs(room: LiveRoom) -> LiveRoom:
    scenes = tuple(replace(scene, paragraphs=()) for scene in room.draft.scenes)
    return replace(room, draft=replace(room.draft, scenes=scenes))
