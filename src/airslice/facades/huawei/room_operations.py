"""The operations on live rooms: call a use case, show what it returns."""

from __future__ import annotations

from airslice.application.ports.live import Page
from airslice.domain.live_job import LiveJob
from airslice.domain.live_room import LiveRoom
from airslice.facades.huawei.calls import Call, UseCases
from airslice.facades.huawei.fields import NoBody, NoQuery
from airslice.facades.huawei.live_room_queries import SmartLiveRoomsQuery
from airslice.facades.huawei.live_rooms import (
    ConfirmSmarLiveRoomReq,
    CreateSmartLiveRoomReq,
    LiveWarnings,
    RoomId,
    SmartLiveRoom,
    SmartLiveRoomBaseInfo,
    SmartLiveRooms,
    warning_items,
)


async def create_room(use_cases: UseCases, call: Call[NoQuery, CreateSmartLiveRoomReq]) -> RoomId:
    """Make a live room."""
    room = await use_cases.rooms.create(call.project_id, call.body.draft())
    return RoomId(room_id=room.room_id)


async def list_rooms(
    use_cases: UseCases, call: Call[SmartLiveRoomsQuery, NoBody]
) -> SmartLiveRooms:
    """List live rooms, or templates, each with its latest job."""
    asked, query = call.query, call.query.query()
    found: Page[tuple[LiveRoom, LiveJob | None]] = Page(0, ())
    if asked.owner is not None:
        found = await use_cases.rooms.templates(call.project_id, asked.owner, query)
    elif not asked.is_in_vain:
        found = await use_cases.rooms.list(call.project_id, query)
    return SmartLiveRooms(
        count=found.count,
        smart_live_rooms=[SmartLiveRoomBaseInfo.of(room, job) for room, job in found.items],
    )


async def show_room(use_cases: UseCases, call: Call[NoQuery, NoBody]) -> SmartLiveRoom:
    """Show a live room."""
    room = await use_cases.rooms.show(call.project_id, call.ids["room_id"])
    return SmartLiveRoom.of(room)


async def update_room(
    use_cases: UseCases, call: Call[NoQuery, CreateSmartLiveRoomReq]
) -> SmartLiveRoom:
    """Replace a live room's contents."""
    draft = call.body.draft()
    return SmartLiveRoom.of(
        await use_cases.rooms.update(call.project_id, call.ids["room_id"], draft)
    )


async def delete_room(use_cases: UseCases, call: Call[NoQuery, NoBody]) -> NoBody:
    """Delete a live room that has no running job."""
    await use_cases.rooms.remove(call.project_id, call.ids["room_id"])
    return NoBody()


async def confirm_room(use_cases: UseCases, call: Call[NoQuery, ConfirmSmarLiveRoomReq]) -> NoBody:
    """Say that a live room's script may be used, or may not."""
    room_id, asked = call.ids["room_id"], call.body
    version = asked.script_version
    if version is None:
        version = (await use_cases.rooms.show(call.project_id, room_id)).script_version
    await use_cases.rooms.confirm(
        call.project_id, room_id, confirmed=asked.action == "confirm", script_version=version
    )
    return NoBody()


async def show_warnings(use_cases: UseCases, call: Call[NoQuery, NoBody]) -> LiveWarnings:
    """Show what should be better in a live room before it goes on air."""
    warnings, limit_h = await use_cases.rooms.warnings(call.project_id, call.ids["room_id"])
    return LiveWarnings(live_warning_info=warning_items(warnings), limit_duration=limit_h)
