"""Which operations this wire has, and which use case each one calls.

Source of the versions and of the limits per second: the page of each operation, see requests.py,
moderation.py and callbacks.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

import msgspec

from airslice.domain.apps import Account
from airslice.domain.ban import BanScope
from airslice.domain.callback import CallbackSetting
from airslice.domain.room import RoomKey
from airslice.domain.slice_task import SliceTask, TaskChange, TaskKey, TaskOrder
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
"""Result of starting a task that runs; no failure (docs/6348/1188212, field TaskId)."""

Done = Annotated[str, documented(enum=["ok"])]
Started = Annotated[str, documented(enum=["ok", ALREADY_STARTED])]


class SliceTasks(Protocol):
    """The use cases on tasks; each raises errors of `airslice.domain.errors`."""

    async def start(self, account: Account, order: TaskOrder) -> bool:
        """Start a task; False if one with its key is running, which is left as it is."""

    async def update(self, account: Account, key: TaskKey, change: TaskChange) -> None:
        """Change a running task."""

    async def stop(self, account: Account, key: TaskKey) -> None:
        """Stop a running task."""

    async def find(self, account: Account, key: TaskKey) -> SliceTask:
        """Return the latest run of `key` that was started within 72 h."""


class Moderation(Protocol):
    """The use cases on users and rooms; each raises errors of `airslice.domain.errors`."""

    async def ban(self, account: Account, scope: BanScope, *, length_s: int) -> None:
        """Send users out and keep them out; 0 lets them come back."""

    async def kick(self, account: Account, room: RoomKey, user_id: str) -> None:
        """Send a user out of a room."""

    async def dismiss(self, account: Account, room: RoomKey) -> None:
        """Send everybody out of a room."""

    async def online_users(self, account: Account, room: RoomKey) -> Sequence[str]:
        """Return who is in a room, the first who came first."""


class CallbackSettings(Protocol):
    """The use cases on callback settings; each raises errors of `airslice.domain.errors`."""

    async def create(self, account: Account, setting: CallbackSetting) -> None:
        """Set who is told, where nothing is set yet."""

    async def update(
        self, account: Account, setting: CallbackSetting, *, keep_secret: bool
    ) -> None:
        """Replace a setting; `keep_secret`: but for its secret."""

    async def delete(self, account: Account, app_id: str, business_id: str) -> None:
        """Remove a setting."""

    async def settings(self, account: Account, app_id: str) -> Sequence[CallbackSetting]:
        """Return all settings of an application."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UseCases:
    """What is behind the operations."""

    tasks: SliceTasks
    moderation: Moderation
    callbacks: CallbackSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A verified request for an operation."""

    account: Account
    version: str
    query: Mapping[str, str]
    content_type: str
    body: bytes = field(repr=False)
    redundant_unit_ms: int
    """Milliseconds that one unit of RedundantDuration stands for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One row of the table."""

    method: str
    per_second: int
    """Requests that an account may send in one second."""
    takes: type[msgspec.Struct]
    """Shape of the body or, of a GET, of the query."""
    gives: Any
    """Type of the Result."""
    run: Callable[[UseCases, Call, Any], Awaitable[object]]
    """Calls the use case for a request of that shape; returns the Result."""

    async def answer(self, use_cases: UseCases, call: Call) -> object:
        """Read the request, run it, return the Result."""
        if self.method == "GET":
            return await self.run(use_cases, call, from_query(call.query, self.takes))
        request = from_body(call.body, call.content_type, self.takes)
        return await self.run(use_cases, call, request)


async def _start(
    use_cases: UseCases, call: Call, request: StartSegment20201201 | StartSegment20220601
) -> str:
    order = request.order(call.version, redundant_unit_ms=call.redundant_unit_ms)
    return "ok" if await use_cases.tasks.start(call.account, order) else ALREADY_STARTED


async def _update(use_cases: UseCases, call: Call, request: UpdateSegment) -> str:
    await use_cases.tasks.update(call.account, request.key(), request.change(call.version))
    return "ok"


async def _stop(use_cases: UseCases, call: Call, request: TaskRequest) -> str:
    await use_cases.tasks.stop(call.account, request.key())
    return "ok"


async def _get(use_cases: UseCases, call: Call, request: TaskRequest) -> GetSegmentTaskResult:
    task = await use_cases.tasks.find(call.account, request.key())
    return GetSegmentTaskResult(segment_task=segment_task(task))


async def _ban(use_cases: UseCases, call: Call, request: BanRoomUser) -> Message:
    scope, length_s = request.scope(), request.length_s()
    await use_cases.moderation.ban(call.account, scope, length_s=length_s)
    return Message()


async def _ban_20201201(use_cases: UseCases, call: Call, request: BanRoomUser) -> OldMessage:
    await _ban(use_cases, call, request)
    return OldMessage()


async def _kick(use_cases: UseCases, call: Call, request: KickUser) -> OldMessage:
    await use_cases.moderation.kick(call.account, request.room(), request.user())
    return OldMessage()


async def _dismiss(use_cases: UseCases, call: Call, request: RoomRequest) -> OldMessage:
    await use_cases.moderation.dismiss(call.account, request.room())
    return OldMessage()


async def _get_users(use_cases: UseCases, call: Call, request: RoomRequest) -> RoomUsers:
    return room_users(await use_cases.moderation.online_users(call.account, request.room()))


async def _create_callback(use_cases: UseCases, call: Call, request: NewCallback) -> str:
    await use_cases.callbacks.create(call.account, request.setting())
    return "ok"


async def _update_callback(use_cases: UseCases, call: Call, request: CallbackBody) -> str:
    await use_cases.callbacks.update(
        call.account, request.setting(), keep_secret=request.keeps_secret
    )
    return "ok"


async def _delete_callback(use_cases: UseCases, call: Call, request: CallbackRequest) -> str:
    await use_cases.callbacks.delete(call.account, request.app(), request.business())
    return "ok"


async def _get_callback(
    use_cases: UseCases, call: Call, request: CallbackRequest
) -> CallbackResult:
    app_id = request.app()
    settings = await use_cases.callbacks.settings(call.account, app_id)
    return callback_result(call.account.id, app_id, settings)


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("StartSegment", "2020-12-01"): Operation(
        method="POST", per_second=150, takes=StartSegment20201201, gives=Started, run=_start
    ),
    ("StartSegment", "2022-06-01"): Operation(
        method="POST", per_second=60, takes=StartSegment20220601, gives=Started, run=_start
    ),
    ("StartSegment", "2023-11-01"): Operation(
        method="POST", per_second=60, takes=StartSegment20220601, gives=Started, run=_start
    ),
    ("UpdateSegment", "2020-12-01"): Operation(
        method="POST", per_second=150, takes=UpdateSegment, gives=Done, run=_update
    ),
    ("UpdateSegment", "2022-06-01"): Operation(
        method="POST", per_second=150, takes=UpdateSegment, gives=Done, run=_update
    ),
    ("UpdateSegment", "2023-11-01"): Operation(
        method="POST", per_second=150, takes=UpdateSegment, gives=Done, run=_update
    ),
    ("StopSegment", "2020-12-01"): Operation(
        method="POST", per_second=150, takes=TaskRequest, gives=Done, run=_stop
    ),
    ("StopSegment", "2022-06-01"): Operation(
        method="POST", per_second=150, takes=TaskRequest, gives=Done, run=_stop
    ),
    ("StopSegment", "2023-11-01"): Operation(
        method="POST", per_second=150, takes=TaskRequest, gives=Done, run=_stop
    ),
    ("GetSegmentTask", "2022-06-01"): Operation(
        method="GET", per_second=60, takes=TaskRequest, gives=GetSegmentTaskResult, run=_get
    ),
    ("GetSegmentTask", "2023-11-01"): Operation(
        method="GET", per_second=60, takes=TaskRequest, gives=GetSegmentTaskResult, run=_get
    ),
    ("BanRoomUser", "2020-12-01"): Operation(
        method="POST", per_second=20, takes=BanRoomUser, gives=OldMessage, run=_ban_20201201
    ),
    ("BanRoomUser", "2023-11-01"): Operation(
        method="POST", per_second=20, takes=BanRoomUser, gives=Message, run=_ban
    ),
    ("KickUser", "2020-12-01"): Operation(
        method="POST", per_second=60, takes=KickUser, gives=OldMessage, run=_kick
    ),
    ("DismissRoom", "2020-12-01"): Operation(
        method="POST", per_second=60, takes=RoomRequest, gives=OldMessage, run=_dismiss
    ),
    ("GetRoomOnlineUsers", "2023-08-01"): Operation(
        method="GET", per_second=40, takes=RoomRequest, gives=RoomUsers, run=_get_users
    ),
    ("GetRoomOnlineUsers", "2023-11-01"): Operation(
        method="GET", per_second=40, takes=RoomRequest, gives=RoomUsers, run=_get_users
    ),
    ("CreateCallback", "2020-12-01"): Operation(
        method="POST", per_second=60, takes=NewCallback, gives=Done, run=_create_callback
    ),
    ("UpdateCallback", "2020-12-01"): Operation(
        method="POST", per_second=60, takes=CallbackBody, gives=Done, run=_update_callback
    ),
    ("DeleteCallback", "2020-12-01"): Operation(
        method="POST", per_second=60, takes=CallbackRequest, gives=Done, run=_delete_callback
    ),
    ("GetCallback", "2020-12-01"): Operation(
        method="GET", per_second=60, takes=CallbackRequest, gives=CallbackResult, run=_get_callback
    ),
}
"""(Action, Version) to operation."""
