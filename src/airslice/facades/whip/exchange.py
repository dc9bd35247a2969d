"""What publishers and listeners have in common: sessions, tokens, bodies, errors, CORS.

Source: RFC 9725 (WHIP), RFC 8840 (ICE fragments), RFC 9457 (errors).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from airslice.application.rooms.room_sessions import RoomSessions
from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.domain.fields import SessionField
from airslice.facades.http.bodies import read_body
from airslice.facades.http.headers import media_type
from airslice.facades.http.refusals import Refusal, WireError

MAX_BODY_BYTES = 65_536
"""Longest body that is read; an offer of a browser has under 10 KB."""

UNSUPPORTED_MEDIA_TYPE = WireError("unsupported_media_type", 415, "Content-Type must be %s")
BODY_TOO_LARGE = WireError("body_too_large", 413, f"the body exceeds {MAX_BODY_BYTES} bytes")

SDP = "application/sdp"
ICE_FRAGMENT = "application/trickle-ice-sdpfrag"

STATUS: Mapping[type[AirsliceError], int] = {
    errors.AppNotFound: 404,
    errors.InvalidInput: 400,
    errors.TokenRefused: 401,
    errors.UserBanned: 403,
    errors.OfferRefused: 422,  # RFC 9725 section 4.2: an offer that cannot be accepted
    errors.RoomFull: 503,
    errors.ServerFull: 503,
    errors.SessionNotFound: 404,
    errors.PreconditionFailed: 412,
    errors.LiveJobNotFound: 404,
    errors.LiveJobFinished: 409,
}
"""HTTP status of each error; one that is not listed is the server's own fault, with 500."""

FIELDS: Mapping[str, str] = {
    SessionField.ROOM: "RoomId",
    SessionField.HEARD_USER: "user",
    SessionField.PLAY_COMMAND: "command",
    SessionField.PLAY_TIMING: "params.timing",
}
"""How requests call what use cases find fault with."""

CORS_HEADERS = {
    # Room tokens are the only authority here and no cookie is: any page may use one.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Accept-Patch, Link",
}
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
    "Accept-Post": SDP,
}

_log = logging.getLogger(__name__)

Handle: TypeAlias = Callable[[Request], Awaitable[Response]]


async def _preflight(request: Request) -> Response:
    """Let pages of any origin send what is sent here."""
    del request
    return Response(status_code=204, headers=PREFLIGHT_HEADERS)


def opened_session(request: Request, session_id: str, etag: str, answer: str) -> Response:
    """Answer the offer that has opened a session, and say where the session is."""
    headers = {
        "Location": f"{request.url.path}/{session_id}",
        "ETag": f'"{etag}"',
        "Accept-Patch": ICE_FRAGMENT,
    }
    return Response(answer, 201, headers, media_type=SDP)


def session_handlers(sessions: RoomSessions[Any]) -> dict[str, Handle]:
    """Return the handlers of a session's methods: PATCH restarts ICE, DELETE ends the session."""

    async def restart(request: Request) -> Response:
        token = bearer_token(request)
        fragment = await body_text(request, ICE_FRAGMENT)
        answer, etag = sessions.restart(
            request.path_params["session_id"], token=token, etag=etag_of(request), fragment=fragment
        )
        headers = {"ETag": f'"{etag}"'}
        if not answer:
            return Response(status_code=204, headers=headers)
        return Response(answer, 200, headers, media_type=ICE_FRAGMENT)

    async def end(request: Request) -> Response:
        sessions.end(request.path_params["session_id"], token=bearer_token(request))
        return Response(status_code=200)

    return {"PATCH": restart, "DELETE": end}


def route(path: str, handlers: Mapping[str, Handle]) -> Route:
    """Return a route that calls a handler by the method, and may be used by any page."""
    every = {**handlers, "OPTIONS": _preflight}

    async def answer(request: Request) -> Response:
        try:
            response = await every[request.method](request)
        except ClientDisconnect:
            response = Response()  # nobody reads it
        except Refusal as refused:
            response = _problem(refused.error.status, refused.error.code, str(refused))
        except AirsliceError as error:
            status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
            response = _problem(status, error.code, error.told(FIELDS))
        except Exception:
            _log.exception("a request of a publisher or listener failed")
            response = _problem(500, "internal_error", "an internal error; see the server's log")
        response.headers.update(CORS_HEADERS)
        return response

    return Route(path, answer, methods=list(every))


def _problem(status: int, code: str, detail: str) -> Response:
    body = json.dumps({"type": "about:blank", "status": status, "code": code, "detail": detail})
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers["Retry-After"] = "5"
    return Response(body, status, headers, media_type="application/problem+json")


def bearer_token(request: Request) -> str:
    """Return the room token in the header Authorization.

    Raises:
        TokenRefused: there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise errors.TokenRefused("the header Authorization must carry a room token: Bearer 001…")
    return token.strip()


def etag_of(request: Request) -> str | None:
    """Return the entity tag that the caller believes to be current, if it names one."""
    if_match = request.headers.get("if-match")
    return None if if_match is None else if_match.removeprefix("W/").strip('"')


async def body_text(request: Request, content_type: str) -> str:
    """Return the body, which must be UTF-8 of `content_type`.

    Raises:
        Refusal: it is of another type, or longer than `MAX_BODY_BYTES`.
        OfferRefused: it is not UTF-8.
    """
    if media_type(request).lower() != content_type:
        raise Refusal(UNSUPPORTED_MEDIA_TYPE, content_type)
    body = await read_body(request, max_bytes=MAX_BODY_BYTES, too_large=Refusal(BODY_TOO_LARGE))
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise errors.OfferRefused("the body is not UTF-8") from None
