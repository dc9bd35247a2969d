"""Routes of the console: the page, its files, and the admin API."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from airslice import __version__
from airslice.domain.errors import AirsliceError
from airslice.facades.console.access import AdminAccess
from airslice.facades.console.delivery_operations import DeliveryOperations
from airslice.facades.console.live_job_operations import LiveJobOperations
from airslice.facades.console.openapi import Operation, openapi_document
from airslice.facades.console.problems import problem_response
from airslice.facades.console.room_operations import ConsoleServices, RoomOperations
from airslice.facades.console.session_operations import SessionOperations
from airslice.facades.http.openapi import shown
from airslice.facades.http.refusals import Refusal, WireError

logger = logging.getLogger(__name__)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

NOT_FOUND = WireError("not_found", 404, "there is nothing at %s")
METHOD_NOT_ALLOWED = WireError("method_not_allowed", 405, "allowed: %s")
INTERNAL_ERROR = WireError("internal_error", 500, "an internal error; see the log")

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
    """Answers the console's page, its files and the admin API."""

    def __init__(self, services: ConsoleServices, access: AdminAccess) -> None:
        self._access = access
        self._operations = (
            *SessionOperations(access).table(),
            *RoomOperations(services).table(),
            *DeliveryOperations(services.deliveries).table(),
            *LiveJobOperations(services.live_jobs, services.project_ids).table(),
        )
        folder = files("airslice.facades.console").joinpath("page")
        self._index = folder.joinpath("index.html").read_bytes()
        self._assets = {name: folder.joinpath(name).read_bytes() for name in ASSETS}

    def routes(self) -> list[Route]:
        """Return the routes of `/`, `/console/…` and `/api/…`."""
        document = openapi_document(self._operations, version=__version__)
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in self._operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        return [
            Route("/", self._guarded(self._page), methods=["GET"]),
            Route("/console/{name}", self._guarded(self._asset), methods=["GET"]),
            Route("/api/openapi.json", self._guarded(shown(document)), methods=["GET"]),
            *(
                Route(path, self._guarded(_dispatch(methods, self._access)), methods=METHODS)
                for path, methods in by_path.items()
            ),
            Route("/api/{rest:path}", self._guarded(_no_such_path), methods=METHODS),
        ]

    def _guarded(
        self, handle: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Refuse whom the console does not answer, and render what goes wrong."""

        async def endpoint(request: Request) -> Response:
            try:
                self._access.require_reachable(request)
                return await handle(request)
            except (Refusal, AirsliceError) as error:
                return problem_response(error)
            except ClientDisconnect:
                return Response()  # nobody reads it
            except Exception:
                logger.exception("the console failed to answer %r", request.url.path)
                return problem_response(Refusal(INTERNAL_ERROR))

        return endpoint

    async def _page(self, request: Request) -> Response:
        del request
        return Response(self._index, media_type="text/html; charset=utf-8", headers=PAGE_HEADERS)

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._assets:
            return await _no_such_path(request)
        return Response(self._assets[name], media_type=ASSETS[name], headers=PAGE_HEADERS)


def _dispatch(
    methods: Mapping[str, Operation], access: AdminAccess
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = methods.get(method)
        if operation is None:
            allowed = ", ".join(methods)
            raise Refusal(METHOD_NOT_ALLOWED, allowed, headers={"Allow": allowed})
        if not operation.open:
            access.require_signed_in(request)
        return await operation.handle(request)

    return endpoint


async def _no_such_path(request: Request) -> Response:
    raise Refusal(NOT_FOUND, request.url.path[:200])
