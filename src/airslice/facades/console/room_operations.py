"""The operations of the admin API on RTC rooms: who is in, and slicing them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.console import RoomConsole
from airslice.application.delivery.deliveries import Deliveries
from airslice.application.ports.records import TaskStore
from airslice.application.tasks.slice_tasks import SliceTasks
from airslice.domain.apps import Account, RtcApp
from airslice.domain.errors import AppNotFound, InvalidInput
from airslice.domain.room import RoomKey, is_valid_id
from airslice.domain.slice_record import SliceState
from airslice.domain.slice_task import ACTIVE_STATES, SliceControl, TaskKey, TaskOrder
from airslice.domain.storage_target import StorageTarget, StorageVendor
from airslice.facades.console import views
from airslice.facades.console.bodies import json_response, read_body
from airslice.facades.console.openapi import Operation

ROOM = "/api/rooms/{app_id}/{room_id}"

MAX_SLICES = 200
DEFAULT_SLICES = 50

TASK_ID = "console"
"""Id of the console's task, of which there is one per room."""

BUCKET = "console"
"""Where the console's slices go, unless the app has a storage of its own for auto slicing."""

# GetSegmentTask shows the console's tasks in the newest version's terms.
API_VERSION = "2023-11-01"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsoleServices:
    """The use cases and values that the console works with."""

    apps: Sequence[RtcApp]
    accounts: Sequence[Account]
    tasks: SliceTasks
    slices: TaskStore
    """Remembers tasks and slices."""
    deliveries: Deliveries
    live_jobs: LiveJobs
    project_ids: Sequence[str]
    """Projects whose live jobs are shown."""
    rooms: RoomConsole


class RoomOperations:
    """Answers what is asked about RTC rooms, and orders their slicing."""

    def __init__(self, services: ConsoleServices) -> None:
        self._services = services
        self._apps = {app.app_id: app for app in services.apps}
        self._accounts = {account.id: account for account in services.accounts}

    def table(self) -> tuple[Operation, ...]:
        """Return the operations on RTC rooms."""
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_SLICES}
        return (
            Operation("GET", "/api/apps", self.list_apps, gives=views.Apps),
            Operation("GET", ROOM, self.show_room, gives=views.Room, errors=(400, 404)),
            Operation(
                "POST",
                f"{ROOM}/tokens",
                self.mint_token,
                takes=views.User,
                gives=views.Token,
                status=201,
                errors=(400, 404, 413, 415),
            ),
            Operation(
                "PUT",
                f"{ROOM}/slicing",
                self.start_slicing,
                takes=views.SlicingOrder,
                gives=views.SlicingStarted,
                status=201,
                also=(200,),
                errors=(400, 404, 413, 415, 429, 502, 503),
            ),
            Operation(
                "DELETE", f"{ROOM}/slicing", self.stop_slicing, status=204, errors=(400, 404, 429)
            ),
            Operation(
                "GET",
                f"{ROOM}/slices",
                self.list_slices,
                gives=views.Slices,
                errors=(400, 404),
                query={"limit": limit},
            ),
        )

    async def list_apps(self, request: Request) -> Response:
        """List the RTC applications."""
        del request
        return json_response(views.Apps(apps=[views.App.of(app) for app in self._services.apps]))

    async def mint_token(self, request: Request) -> Response:
        """Make a token with which a user can publish into the room for a while."""
        app, room = self._room(request)
        user = await read_body(request, views.User)
        if not is_valid_id(user.user_id):
            raise InvalidInput("user_id", "expected 1 to 128 of a-z A-Z 0-9 _ @ - .")
        token = views.Token(
            token=self._services.rooms.mint_token(app, room.room_id, user.user_id),
            whip_path=f"/whip/{room.app_id}/{room.room_id}",
        )
        return json_response(token, status=201)

    async def show_room(self, request: Request) -> Response:
        """Show who publishes in the room, whether the console slices it, and what is wrong."""
        _, room = self._room(request)
        task = await self._services.slices.find_task(TaskKey(*room, TASK_ID), since_ms=0)
        return json_response(
            views.Room(
                streams=[views.Stream.of(stream) for stream in self._services.rooms.streams(room)],
                slicing=task is not None and task.state in ACTIVE_STATES,
                problems=[
                    views.TaskProblem(task_id=task.key.task_id, problem=task.problem)
                    for task in self._services.tasks.in_room(room)
                    if task.problem
                ],
            )
        )

    async def start_slicing(self, request: Request) -> Response:
        """Slice all streams of the room, as they come and go."""
        app, room = self._room(request)
        wanted = await read_body(request, views.SlicingOrder)
        order = TaskOrder(
            key=TaskKey(*room, TASK_ID),
            api_version=API_VERSION,
            storage=_storage_of(app),
            identifier=str(uuid.uuid4()),
            duration_s=wanted.duration_s,
            control=SliceControl(
                align=wanted.align, mixed=wanted.mixed, ignore_silence=wanted.ignore_silence
            ),
        )
        started = await self._services.tasks.start(self._accounts[app.account_id], order)
        return json_response(views.SlicingStarted(started=started), status=201 if started else 200)

    async def stop_slicing(self, request: Request) -> Response:
        """Close the current slices and end the task that the console started."""
        app, room = self._room(request)
        await self._services.tasks.stop(self._accounts[app.account_id], TaskKey(*room, TASK_ID))
        return Response(status_code=204)

    async def list_slices(self, request: Request) -> Response:
        """List the latest slices of the room, of all its tasks, newest first."""
        _, room = self._room(request)
        found = await self._services.slices.room_slices(*room, limit=_limit(request))
        slices = []
        for task, record in found:
            url = None
            if record.state is not SliceState.SPOOLED:
                url = self._services.rooms.sign_url(task.order.storage.bucket, record.object_key)
            slices.append(views.Slice.of(task, record, url))
        return json_response(views.Slices(slices=slices))

    def _room(self, request: Request) -> tuple[RtcApp, RoomKey]:
        app_id, room_id = request.path_params["app_id"], request.path_params["room_id"]
        app = self._apps.get(app_id)
        if app is None:
            raise AppNotFound("there is no such app")
        if not is_valid_id(room_id):
            raise InvalidInput("room_id", "expected 1 to 128 of a-z A-Z 0-9 _ @ - .")
        return app, RoomKey(app_id, room_id)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_SLICES))
    # The length first: Python refuses to read a number of thousands of digits.
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    if not is_number or not 1 <= int(text) <= MAX_SLICES:
        raise InvalidInput("limit", f"expected 1 to {MAX_SLICES}")
    return int(text)


def _storage_of(app: RtcApp) -> StorageTarget:
    if app.auto_slice is not None:
        return app.auto_slice.storage
    return StorageTarget(
        vendor=StorageVendor.TOS, region=0, bucket=BUCKET, account_id=app.account_id
    )
