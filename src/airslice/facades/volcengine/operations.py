"""Which operations this wire has, and which use case each one calls.

Source of the versions and of the limits per second: the page of each operation, see requests.py,
moderation.py and callbacks.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.moderation import Moderation
from airslice.application.tasks.slice_tasks import SliceTasks
from airslice.domain.apps import Account
from airslice.facades.volcengine.bodies import from_body, from_query
from airslice.facades.volcengine.callbacks import (
    CallbackBody,
    CallbackRequest,
    CallbackResult,
    NewCallback,
    callback_result,
)
from airslice.facades.volcengine.fields import documented
from airslice.facades.volcengine.moderation import (
    BanRoomUser,
    KickUser,
    Message,
    OldMessage,
    RoomRequest,
    RoomUsers,
    room_users,
)
from airslice.facades.volcengine.requests import (
    StartSegment20201201,
    StartSegment20220601,
    TaskRequest,
    UpdateSegment,
)
from airslice.facades.volcengine.responses import GetSegmentTaskResult, segment_task

ALREADY_STARTED = (
    "The task has been started. Please do not call the startup task interface repeatedly"
)
"""Result of starting a task that runs, which is no failure (docs/6348/1188212, field TaskId)."""

Done = Annotated[str, documented(enum=["ok"])]
Started = Annotated[str, documented(enum=["ok", ALREADY_STARTED])]


@dataclass(frozen=True, kw_only=True, slots=True)
class UseCases:
    """The use cases that the operations of this wire call."""

    tasks: SliceTasks
    moderation: Moderation
    callbacks: CallbackSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A verified request for an operation."""

    use_cases: UseCases
    account: Account
    version: str
    query: Mapping[str, str]
    content_type: str
    body: bytes = field(repr=False)
    redundant_unit_ms: int
    """Milliseconds that one unit of RedundantDuration stands for."""


@dataclass(frozen=True, slots=True)
class Operation:
    """How one operation is asked, how often, and what it calls."""

    method: str
    per_second: int
    """Requests that an account may send in one second."""
    takes: type[msgspec.Struct]
    """Shape of the body, or of a GET's query."""
    gives: Any
    """Type of the Result in the answer."""
    run: Callable[[Call, Any], Awaitable[object]]
    """Calls the use case for a request of that shape; returns the Result."""

    async def answer(self, call: Call) -> object:
        """Read the request, call the use case and return the Result."""
        if self.method == "GET":
            return await self.run(call, from_query(call.query, self.takes))
        request = from_body(call.body, call.content_type, self.takes)
        return await self.run(call, request)


async def _start(call: Call, request: StartSegment20201201 | StartSegment20220601) -> str:
    order = request.order(call.version, redundant_unit_ms=call.redundant_unit_ms)
    return "ok" if await call.use_cases.tasks.start(call.account, order) else ALREADY_STARTED


async def _update(call: Call, request: UpdateSegment) -> str:
    await call.use_cases.tasks.update(call.account, request.key(), request.change(call.version))
    return "ok"


async def _stop(call: Call, request: TaskRequest) -> str:
    await call.use_cases.tasks.stop(call.account, request.key())
    return "ok"


async def _get(call: Call, request: TaskRequest) -> GetSegmentTaskResult:
    task = await call.use_cases.tasks.find(call.account, request.key())
    return GetSegmentTaskResult(segment_task=segment_task(task))


async def _ban(call: Call, request: BanRoomUser) -> Message:
    scope, length_s = request.scope(), request.length_s()
    await call.use_cases.moderation.ban(call.account, scope, length_s=length_s)
    return Message()


async def _ban_20201201(call: Call, request: BanRoomUser) -> OldMessage:
    await _ban(call, request)
    return OldMessage()


async def _kick(call: Call, request: KickUser) -> OldMessage:
    await call.use_cases.moderation.kick(call.account, request.room(), request.user())
    return OldMessage()


async def _dismiss(call: Call, request: RoomRequest) -> OldMessage:
    await call.use_cases.moderation.dismiss(call.account, request.room())
    return OldMessage()


async def _get_users(call: Call, request: RoomRequest) -> RoomUsers:
    return room_users(await call.use_cases.moderation.online_users(call.account, request.room()))


async def _create_callback(call: Call, request: NewCallback) -> str:
    await call.use_cases.callbacks.create(call.account, request.setting())
    return "ok"


async def _update_callback(call: Call, request: CallbackBody) -> str:
    await call.use_cases.callbacks.update(
        call.account, request.setting(), keep_secret=request.keeps_secret
    )
    return "ok"


async def _delete_callback(call: Call, request: CallbackRequest) -> str:
    await call.use_cases.callbacks.delete(call.account, request.app(), request.business())
    return "ok"


async def _get_callback(call: Call, request: CallbackRequest) -> CallbackResult:
    app_id = request.app()
    settings = await call.use_cases.callbacks.settings(call.account, app_id)
    return callback_result(call.account.id, app_id, settings)


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("StartSegment", "2020-12-01"): Operation("POST", 150, StartSegment20201201, Started, _start),
    ("StartSegment", "2022-06-01"): Operation("POST", 60, StartSegment20220601, Started, _start),
    ("StartSegment", "2023-11-01"): Operation("POST", 60, StartSegment20220601, Started, _start),
    ("UpdateSegment", "2020-12-01"): Operation("POST", 150, UpdateSegment, Done, _update),
    ("UpdateSegment", "2022-06-01"): Operation("POST", 150, UpdateSegment, Done, _update),
    ("UpdateSegment", "2023-11-01"): Operation("POST", 150, UpdateSegment, Done, _update),
    ("StopSegment", "2020-12-01"): Operation("POST", 150, TaskRequest, Done, _stop),
    ("StopSegment", "2022-06-01"): Operation("POST", 150, TaskRequest, Done, _stop),
    ("StopSegment", "2023-11-01"): Operation("POST", 150, TaskRequest, Done, _stop),
    ("GetSegmentTask", "2022-06-01"): Operation("GET", 60, TaskRequest, GetSegmentTaskResult, _get),
    ("GetSegmentTask", "2023-11-01"): Operation("GET", 60, TaskRequest, GetSegmentTaskResult, _get),
    ("BanRoomUser", "2020-12-01"): Operation("POST", 20, BanRoomUser, OldMessage, _ban_20201201),
    ("BanRoomUser", "2023-11-01"): Operation("POST", 20, BanRoomUser, Message, _ban),
    ("KickUser", "2020-12-01"): Operation("POST", 60, KickUser, OldMessage, _kick),
    ("DismissRoom", "2020-12-01"): Operation("POST", 60, RoomRequest, OldMessage, _dismiss),
    ("GetRoomOnlineUsers", "2023-08-01"): Operation("GET", 40, RoomRequest, RoomUsers, _get_users),
    ("GetRoomOnlineUsers", "2023-11-01"): Operation("GET", 40, RoomRequest, RoomUsers, _get_users),
    ("CreateCallback", "2020-12-01"): Operation("POST", 60, NewCallback, Done, _create_callback),
    ("UpdateCallback", "2020-12-01"): Operation("POST", 60, CallbackBody, Done, _update_callback),
    ("DeleteCallback", "2020-12-01"): Operation(
        "POST", 60, CallbackRequest, Done, _delete_callback
    ),
    ("GetCallback", "2020-12-01"): Operation(
        "GET", 60, CallbackRequest, CallbackResult, _get_callback
    ),
}
"""Each operation, by its Action and Version."""
