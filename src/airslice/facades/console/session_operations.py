"""The operations of the admin API on the caller's own session."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from airslice.facades.console import views
from airslice.facades.console.access import AdminAccess
from airslice.facades.console.bodies import json_response, read_body
from airslice.facades.console.openapi import Operation

PATH = "/api/session"


class SessionOperations:
    """Answers what can be asked before anybody is signed in."""

    def __init__(self, access: AdminAccess) -> None:
        self._access = access

    def table(self) -> tuple[Operation, ...]:
        """Return the operations on sessions."""
        return (
            Operation("GET", PATH, self.show_session, gives=views.Session, open=True),
            Operation(
                "POST",
                PATH,
                self.sign_in,
                takes=views.Password,
                status=204,
                errors=(400, 401, 413, 415, 429),
                open=True,
            ),
            Operation("DELETE", PATH, self.sign_out, status=204, open=True),
        )

    async def show_session(self, request: Request) -> Response:
        """Tell whether the caller is signed in, and whether he needs to be."""
        return json_response(
            views.Session(
                signed_in=self._access.is_signed_in(request),
                needs_password=self._access.needs_password,
            )
        )

    async def sign_in(self, request: Request) -> Response:
        """Start a session of twelve hours, kept in a cookie."""
        given = await read_body(request, views.Password)
        return self._access.sign_in(request, given.password)

    async def sign_out(self, request: Request) -> Response:
        """Make the browser forget its session."""
        return self._access.sign_out(request)
