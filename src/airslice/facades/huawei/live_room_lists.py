"""Lists of live rooms: which are wanted, and how each is shown there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from airslice.application.ports.live import Page, RoomQuery
from airslice.domain.live_job import JobState, LiveJob
from airslice.domain.live_room import (
    ConfirmState,
    LiveRoom,
    LiveRoomState,
    LiveRoomType,
    TemplateOwner,
)
from airslice.facades.huawei.bodies import known, split_list
from airslice.facades.huawei.calls import Call
from airslice.facades.huawei.fields import (
    NoBody,
    Text256,
    WindowQuery,
    Wire,
    rfc3339,
    since_ms,
    until_ms,
)
from airslice.facades.huawei.live_rooms import ErrorResponse, SharedConfig, ViewMode

TEMPLATE_OWNERS = {
    "OWNED": TemplateOwner.OWNED,
    "SHARED_TO_OHTERS": TemplateOwner.SHARED_TO_OTHERS,
    "SHARED_FROM_OHTERS": TemplateOwner.SHARED_FROM_OTHERS,
    "PUBLIC": TemplateOwner.PUBLIC,
}

CANCELED = "CANCELED"
"""A state that no job here has."""

LIVE_STATES: Mapping[str, JobState | None] = {
    "WAITING": JobState.WAITING,
    "PROCESSING": JobState.PROCESSING,
    "SUCCESS": JobState.SUCCEED,
    "SUCCEED": JobState.SUCCEED,
    "FAILED": JobState.FAILED,
    "BLOCKED": JobState.BLOCKED,
    "NULL": None,
}

CONFIRM_STATES = {
    "unconfirm": ConfirmState.UNCONFIRMED,
    "confirmed": ConfirmState.CONFIRMED,
    "reject": ConfirmState.REJECTED,
}


class SmartLiveRoomsQuery(WindowQuery, frozen=True, kw_only=True):
    """Which rooms are asked for."""

    room_name: Text256 | None = None
    dh_id: Text256 | None = None
    model_name: Text256 | None = None
    live_state: Text256 | None = None
    start_time: str | None = None
    end_time: str | None = None
    room_type: LiveRoomType | None = None
    template_own_type: (
        Literal["OWNED", "SHARED_TO_OHTERS", "SHARED_FROM_OHTERS", "PUBLIC"] | None
    ) = None
    confirm_state: Text256 | None = None

    @property
    def owner(self) -> TemplateOwner | None:
        """Whose templates are asked for; None if rooms are."""
        given = self.template_own_type
        return None if given is None else TEMPLATE_OWNERS[given]

    @property
    def is_in_vain(self) -> bool:
        """Whether no room can fit what is asked for."""
        return set(split_list(self.live_state)) == {CANCELED}

    def query(self) -> RoomQuery:
        """Return the query that is asked for.

        Raises:
            InvalidInput: a value is none of the known ones.
        """
        states = [state for state in split_list(self.live_state) if state != CANCELED]
        return RoomQuery(
            window=self.window(),
            name=self.room_name or "",
            dh_id=self.dh_id or "",
            model_name=self.model_name or "",
            last_job_states=frozenset(known("live_state", state, LIVE_STATES) for state in states),
            last_job_since_ms=since_ms("start_time", self.start_time),
            last_job_until_ms=until_ms("end_time", self.end_time),
            types=frozenset({self.room_type}) if self.room_type else frozenset(),
            confirm_state=(
                known("confirm_state", self.confirm_state.lower(), CONFIRM_STATES)
                if self.confirm_state
                else None
            ),
        )


class ModelInfo(Wire, frozen=True, kw_only=True):
    """A look that scenes of a room have."""

    model_asset_id: str | None = None
    asset_name: str | None = None
    backup_model_asset_ids: list[str] | None = None


class SmartLiveRoomBaseInfo(Wire, frozen=True, kw_only=True):
    """A room in a list."""

    room_id: str | None = None
    project_id: str | None = None
    room_name: str | None = None
    room_type: LiveRoomType | None = None
    room_state: LiveRoomState | None = None
    view_mode: ViewMode | None = None
    error_info: ErrorResponse | None = None
    shared_config: SharedConfig | None = None
    room_description: str | None = None
    cover_url: str | None = None
    thumbnail: str | None = None
    model_infos: list[ModelInfo] | None = None
    create_time: str | None = None
    update_time: str | None = None
    last_job_start_time: str | None = None
    last_job_end_time: str | None = None
    last_job_status: JobState | None = None
    priv_data: str | None = None
    confirm_state: ConfirmState | None = None

    @classmethod
    def of(cls, room: LiveRoom, job: LiveJob | None) -> SmartLiveRoomBaseInfo:
        """Return what shows a room in a list, with its latest job."""
        draft = room.draft
        models = dict.fromkeys(s.model_asset_id for s in draft.scenes if s.model_asset_id)
        backups = list(draft.backup_model_asset_ids) or None
        return cls(
            room_id=room.room_id,
            project_id=room.project_id,
            room_name=draft.name,
            room_type=draft.type,
            room_state=room.state,
            view_mode=draft.extras.get("view_mode"),
            shared_config=SharedConfig.of(draft.sharing) if draft.sharing else None,
            room_description=draft.description or None,
            model_infos=[
                ModelInfo(model_asset_id=model, backup_model_asset_ids=backups) for model in models
            ]
            or None,
            create_time=rfc3339(room.created_at_ms),
            update_time=rfc3339(room.updated_at_ms),
            last_job_start_time=rfc3339(job.started_at_ms) if job else None,
            last_job_end_time=rfc3339(job.ended_at_ms) if job else None,
            last_job_status=job.state if job else None,
            priv_data=draft.extras.get("priv_data"),
            confirm_state=room.confirm_state,
        )


class SmartLiveRooms(Wire, frozen=True, kw_only=True):
    """Some rooms, and how many there are."""

    count: int
    smart_live_rooms: list[SmartLiveRoomBaseInfo]


async def list_rooms(call: Call[SmartLiveRoomsQuery, NoBody]) -> SmartLiveRooms:
    """List live rooms, or templates, each with its latest job."""
    asked, query = call.query, call.query.query()
    found: Page[tuple[LiveRoom, LiveJob | None]] = Page(0, ())
    if asked.owner is not None:
        found = await call.use_cases.rooms.templates(call.project_id, asked.owner, query)
    elif not asked.is_in_vain:
        found = await call.use_cases.rooms.list(call.project_id, query)
    return SmartLiveRooms(
        count=found.count,
        smart_live_rooms=[SmartLiveRoomBaseInfo.of(room, job) for room, job in found.items],
    )
