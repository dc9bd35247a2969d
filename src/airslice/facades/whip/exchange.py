"""What publishers and listeners have in common: sessions, tokens, bodies, errors, CORS.

Source: RFC 9725 (WHIP), RFC 8840 (ICE fragments), RFC 9457 (errors).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.domain.fields import SessionField

MAX_BODY_BYTES = 65_536
"""An offer of a browser has under 10 KB."""

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
"""What can go wrong; anything else is our own fault, 500."""

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


class Sessions(Protocol):
    """What the endpoint's sessions are kept by: `Publishing` or `Listening`."""

    def restart(
        self, session_id: str, *, token: str, etag: str | None, fragment: str
    ) -> tuple[str, str]:
        """See `Publishing.restart`."""

    def end(self, session_id: str, *, token: str) -> None:
        """See `Publishing.end`."""


class RequestRefused(Exception):
    """A request that is no WHIP or WHEP: HTTP status and what is wrong."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


async def preflight(request: Request) -> Response:
    """Let pages of any origin send what is sent here."""
    del request
    return Response(status_code=204, headers=PREFLIGHT_HEADERS)


def session_handlers(sessions: Sessions) -> dict[str, Handle]:
    """Return what can be asked of a session: PATCH restarts ICE, DELETE ends it."""

    async def restart(request: Request) -> Response:
        token = bearer_token(request)
        fragment = await body_text(request, ICE_FRAGMENT)
        answer, etag = sessions.restart(
            request.path_params["session_id"],
            token=token,
            etag=etag_of(request),
            fragment=fragment,
        )
        headers = {"ETag": f'"{etag}"'}
        if not answer:
            return Response(status_code=204, headers=headers)
        return Response(answer, 200, headers, media_type=ICE_FRAGMENT)

    async def end(request: Request) -> Response:
        sessions.end(request.path_params["session_id"], token=bearer_token(request))
        return Response(status_code=200)

    return {"PATCH": restart, "DELETE": end, "OPTIONS": preflight}


def answered(handlers: Mapping[str, Handle]) -> Handle:
    """Dispatch on the method; render what goes wrong; let any page read the answer."""

    async def answer(request: Request) -> Response:
        try:
            response = await handlers[request.method](request)
        except ClientDisconnect:
            response = Response()  # nobody reads it
        except RequestRefused as refused:
            response = _problem(refused.status, refused.code, str(refused))
        except AirsliceError as error:
            status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
            response = _problem(status, error.code, error.told(FIELDS))
        except Exception:
            _log.exception("a request of a publisher or listener failed")
            response = _problem(500, "internal_error", "an internal error; see the server's log")
        response.headers.update(CORS_HEADERS)
        return response

    return answer


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
        RequestRefused: it is of another type, or longer than `MAX_BODY_BYTES`.
        OfferRefused: it is not UTF-8.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != content_type:
        raise RequestRefused(415, "unsupported_media_type", f"Content-Type must be {content_type}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RequestRefused(413, "body_too_large", f"the body exceeds {MAX_BODY_BYTES} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise errors.OfferRefused("the body is not UTF-8") from None
