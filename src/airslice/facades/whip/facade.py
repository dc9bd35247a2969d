"""The endpoint ``/whip/{AppId}/{RoomId}`` and the sessions that it creates.

Source: RFC 9725 (WHIP).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airslice.application.rooms.publishing import Publishing
from airslice.domain import errors
from airslice.domain.room import StreamType
from airslice.facades.whip.exchange import (
    SDP,
    bearer_token,
    body_text,
    opened_session,
    route,
    session_handlers,
)

STREAM_TYPES = {"main": StreamType.MAIN, "screen": StreamType.SCREEN}
"""Values of the query parameter `stream`."""


class WhipFacade:
    """Answers publishers' HTTP."""

    def __init__(self, publishing: Publishing) -> None:
        self._publishing = publishing

    def routes(self) -> list[Route]:
        """Return the routes of the endpoint and of its sessions."""
        path = "/whip/{app_id}/{room_id}"
        return [
            route(path, {"POST": self._publish}),
            route(f"{path}/{{session_id}}", session_handlers(self._publishing)),
        ]

    async def _publish(self, request: Request) -> Response:
        kind = request.query_params.get("stream", "main")
        if kind not in STREAM_TYPES:
            raise errors.InvalidInput("stream", f"must be one of {', '.join(STREAM_TYPES)}")
        token = bearer_token(request)
        offer = await body_text(request, SDP)
        opened = self._publishing.publish(
            request.path_params["app_id"],
            request.path_params["room_id"],
            token=token,
            offer=offer,
            stream_type=STREAM_TYPES[kind],
        )
        return opened_session(request, opened.session_id, opened.etag, opened.answer)
