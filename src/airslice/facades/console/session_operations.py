"""The operations of the admin API on the caller's own session."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from airslice.facades.console import views
from airslice.facades.console.access import AdminAccess
from airslice.facades.console.bodies import json_response, read_body


class SessionOperations:
    """What one can do before being signed in."""

    def __init__(self, access: AdminAccess) -> None:
        self._access = access

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
