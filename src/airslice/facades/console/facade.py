"""Routes of the console: the page, its files, and the admin API."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from airslice import __version__
from airslice.domain.errors import AirsliceError
from airslice.facades.console import views
from airslice.facades.console.access import AdminAccess
from airslice.facades.console.delivery_operations import MAX_DELIVERIES, STATES, DeliveryOperations
from airslice.facades.console.live_job_operations import STATES as JOB_STATES
from airslice.facades.console.live_job_operations import LiveJobOperations
from airslice.facades.console.openapi import Operation, openapi_document
from airslice.facades.console.problems import Problem, problem_of
from airslice.facades.console.room_operations import MAX_SLICES, ConsoleServices, RoomOperations
from airslice.facades.console.session_operations import SessionOperations

logger = logging.getLogger(__name__)

ROOM = "/api/rooms/{app_id}/{room_id}"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ASSETS = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "whip.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

PAGE_HEADERS = {
    # Nothing from elsewhere, nothing inline: a user id that looks like HTML stays text.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class ConsoleFacade:
    """The console and its API.

    Args:
        services: What it shows, and whom it orders.
        access: Who may use it.
    """

    def __init__(self, services: ConsoleServices, access: AdminAccess) -> None:
        self._access = access
        self._operations = (
            *_session_operations(access),
            *_room_operations(services),
            *_slicing_operations(services),
            *_delivery_operations(services),
            *_live_job_operations(services),
        )
        self._openapi = msgspec.json.encode(openapi_document(self._operations, version=__version__))
        folder = files("airslice.facades.console").joinpath("page")
        self._index = folder.joinpath("index.html").read_bytes()
        self._assets = {name: folder.joinpath(name).read_bytes() for name in ASSETS}

    def routes(self) -> list[Route]:
        """Return the routes of `/`, `/console/…` and `/api/…`."""
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in self._operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        return [
            Route("/", self.page, methods=["GET"]),
            Route("/console/{name}", self._guarded(self._asset), methods=["GET"]),
            Route("/api/openapi.json", self._guarded(self._show_openapi), methods=["GET"]),
            *(
                Route(path, self._guarded(_dispatch(methods, self._access)), methods=METHODS)
                for path, methods in by_path.items()
            ),
            Route("/api/{rest:path}", self._guarded(_no_such_path), methods=METHODS),
        ]

    async def page(self, request: Request) -> Response:
        """Answer `/` with the console's page."""
        return await self._guarded(self._show_page)(request)

    def _guarded(
        self, handle: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Refuse whom the console does not answer, and render what goes wrong."""

        async def endpoint(request: Request) -> Response:
            try:
                self._access.require_reachable(request)
                return await handle(request)
            except Problem as problem:
                return problem.response()
            except AirsliceError as error:
                return problem_of(error).response()
            except ClientDisconnect:
                return Response()  # nobody reads it
            except Exception:
                logger.exception("the console failed to answer %r", request.url.path)
                return Problem(500, "internal_error", "an internal error; see the log").response()

        return endpoint

    async def _show_page(self, request: Request) -> Response:
        del request
        return Response(self._index, media_type="text/html; charset=utf-8", headers=PAGE_HEADERS)

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._assets:
            return await _no_such_path(request)
        return Response(self._assets[name], media_type=ASSETS[name], headers=PAGE_HEADERS)

    async def _show_openapi(self, request: Request) -> Response:
        del request
        return Response(self._openapi, media_type="application/json")


def _session_operations(access: AdminAccess) -> tuple[Operation, ...]:
    sessions, path = SessionOperations(access), "/api/session"
    return (
        Operation(
            method="GET", path=path, handle=sessions.show_session, gives=views.Session, open=True
        ),
        Operation(
            method="POST",
            path=path,
            handle=sessions.sign_in,
            takes=views.Password,
            status=204,
            errors=(400, 401, 413, 415, 429),
            open=True,
        ),
        Operation(method="DELETE", path=path, handle=sessions.sign_out, status=204, open=True),
    )


def _room_operations(services: ConsoleServices) -> tuple[Operation, ...]:
    rooms = RoomOperations(services)
    return (
        Operation(method="GET", path="/api/apps", handle=rooms.list_apps, gives=views.Apps),
        Operation(
            method="GET", path=ROOM, handle=rooms.show_room, gives=views.Room, errors=(400, 404)
        ),
        Operation(
            method="POST",
            path=f"{ROOM}/tokens",
            handle=rooms.mint_token,
            takes=views.User,
            gives=views.Token,
            status=201,
            errors=(400, 404, 413, 415),
        ),
    )


def _slicing_operations(services: ConsoleServices) -> tuple[Operation, ...]:
    rooms = RoomOperations(services)
    return (
        Operation(
            method="PUT",
            path=f"{ROOM}/slicing",
            handle=rooms.start_slicing,
            takes=views.SlicingOrder,
            gives=views.SlicingStarted,
            status=201,
            also=(200,),
            errors=(400, 404, 413, 415, 429, 502, 503),
        ),
        Operation(
            method="DELETE",
            path=f"{ROOM}/slicing",
            handle=rooms.stop_slicing,
            status=204,
            errors=(400, 404, 429),
        ),
        Operation(
            method="GET",
            path=f"{ROOM}/slices",
            handle=rooms.list_slices,
            gives=views.Slices,
            errors=(400, 404),
            query={"limit": {"type": "integer", "minimum": 1, "maximum": MAX_SLICES}},
        ),
    )


def _delivery_operations(services: ConsoleServices) -> tuple[Operation, ...]:
    deliveries, path = DeliveryOperations(services.deliveries), "/api/deliveries"
    return (
        Operation(
            method="GET",
            path=path,
            handle=deliveries.list_deliveries,
            gives=views.Deliveries,
            errors=(400, 503),
            query={
                "state": {"type": "string", "enum": list(STATES)},
                "after": {"type": "integer", "minimum": 0},
                "limit": {"type": "integer", "minimum": 1, "maximum": MAX_DELIVERIES},
            },
        ),
        Operation(
            method="POST",
            path=f"{path}/retry-dead",
            handle=deliveries.retry_dead,
            gives=views.Revived,
            errors=(503,),
        ),
        Operation(
            method="GET",
            path=f"{path}/{{delivery_id}}",
            handle=deliveries.show_delivery,
            gives=views.Delivery,
            errors=(400, 404, 503),
        ),
        Operation(
            method="POST",
            path=f"{path}/{{delivery_id}}/retry",
            handle=deliveries.retry_delivery,
            gives=views.Delivery,
            errors=(400, 404, 503),
        ),
    )


def _live_job_operations(services: ConsoleServices) -> tuple[Operation, ...]:
    live_jobs = LiveJobOperations(services.live_jobs, services.project_ids)
    path = "/api/live-jobs"
    return (
        Operation(
            method="GET",
            path=path,
            handle=live_jobs.list_live_jobs,
            gives=views.LiveJobs,
            errors=(400,),
            query={"state": {"type": "string", "enum": list(JOB_STATES)}},
        ),
        Operation(
            method="POST",
            path=f"{path}/{{job_id}}/block",
            handle=live_jobs.block_live_job,
            takes=views.BlockOrder,
            gives=views.LiveJob,
            errors=(400, 404, 409, 413, 415),
        ),
    )


def _dispatch(
    methods: Mapping[str, Operation], access: AdminAccess
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = methods.get(method)
        if operation is None:
            allowed = ", ".join(methods)
            raise Problem(
                405, "method_not_allowed", f"allowed: {allowed}", headers={"Allow": allowed}
            )
        if not operation.open:
            access.require_signed_in(request)
        return await operation.handle(request)

    return endpoint


async def _no_such_path(request: Request) -> Response:
    raise Problem(404, "not_found", f"there is nothing at {request.url.path[:200]}")
