"""The endpoint ``/whep/{AppId}/{RoomId}``, its sessions, and what goes with them.

A session's ``/events`` are the messages of the room's broadcast as Server-Sent Events; its
``/commands`` takes a player's. Both need no token: who knows the session's address may use it,
as with any WHEP extension, and a browser's EventSource could send none.

Source: draft-ietf-wish-whep; the HTML standard, section 9.2 (Server-Sent Events).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from airslice.application.broadcast.player_notices import Subscription
from airslice.application.listening.sessions import Listening
from airslice.facades.whip.exchange import (
    SDP,
    bearer_token,
    body_text,
    opened_session,
    route,
    session_handlers,
)
from airslice.facades.whip.live_messages import notice_message, read_control

EVENTS_RELATION = "urn:ietf:params:whep:ext:core:server-sent-events"

KEEP_ALIVE_S = 15
"""A comment is sent when there was no message for so long; proxies cut off what is silent."""


class WhepFacade:
    """Answers listeners' HTTP."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    def routes(self) -> list[Route]:
        """Return the routes of the endpoint and of its sessions."""
        path = "/whep/{app_id}/{room_id}"
        session = f"{path}/{{session_id}}"
        return [
            route(path, {"POST": self._listen}),
            route(session, session_handlers(self._listening)),
            route(f"{session}/events", {"GET": self._events}),
            route(f"{session}/commands", {"POST": self._command}),
        ]

    async def _listen(self, request: Request) -> Response:
        token = bearer_token(request)
        offer = await body_text(request, SDP)
        opened = self._listening.open(
            request.path_params["app_id"],
            request.path_params["room_id"],
            token=token,
            offer=offer,
            user_id=request.query_params.get("user"),
        )
        response = opened_session(request, opened.session_id, opened.etag, opened.answer)
        events = f"{response.headers['Location']}/events"
        response.headers["Link"] = f'<{events}>; rel="{EVENTS_RELATION}"; events="message"'
        return response

    async def _events(self, request: Request) -> Response:
        events = self._listening.events(request.path_params["session_id"])
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_lines(events), headers=headers, media_type="text/event-stream")

    async def _command(self, request: Request) -> Response:
        command, timing = read_control(await body_text(request, "application/json"))
        session_id = request.path_params["session_id"]
        state = await self._listening.command(session_id, command, timing)
        return JSONResponse(notice_message(state))


async def _lines(events: Subscription) -> AsyncIterator[str]:
    with events:
        yield ": these are the messages of the room's broadcast\n\n"
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    notice = await anext(events)
            except TimeoutError:
                yield ": still here\n\n"
            except StopAsyncIteration:
                return
            else:
                yield f"data: {json.dumps(notice_message(notice), ensure_ascii=False)}\n\n"
