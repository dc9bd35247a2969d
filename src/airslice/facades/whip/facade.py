"""The endpoint ``/whip/{AppId}/{RoomId}`` and the sessions that it creates.

Source: RFC 9725 (WHIP), RFC 8840 (ICE fragments), RFC 9457 (errors).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from airslice.application.publishing import Publishing
from airslice.domain import errors
from airslice.domain.errors import AirsliceError
from airslice.domain.room import StreamType

MAX_BODY_BYTES = 65_536
"""An offer of a browser has under 10 KB."""

SDP = "application/sdp"
ICE_FRAGMENT = "application/trickle-ice-sdpfrag"

STREAM_TYPES = {"main": StreamType.MAIN, "screen": StreamType.SCREEN}
"""Values of the query parameter `stream`."""

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
}
"""What can go wrong while publishing; anything else is our own fault, 500."""

CORS_HEADERS = {
    # Room tokens are the only authority here and no cookie is: any page may publish with one.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Accept-Patch",
}
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
    "Accept-Post": SDP,
}

_log = logging.getLogger(__name__)

_Handle = Callable[[Request], Awaitable[Response]]


class _Refused(Exception):
    """A request that is no WHIP: HTTP status and what is wrong."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class WhipFacade:
    """Answers publishers."""

    def __init__(self, publishing: Publishing) -> None:
        self._publishing = publishing

    def routes(self) -> list[Route]:
        """Return the routes of the endpoint and of its sessions."""
        endpoint = {"POST": self._publish, "OPTIONS": _preflight}
        session = {"PATCH": self._restart, "DELETE": self._end, "OPTIONS": _preflight}
        path = "/whip/{app_id}/{room_id}"
        return [
            Route(path, _answered(endpoint), methods=list(endpoint)),
            Route(path + "/{session_id}", _answered(session), methods=list(session)),
        ]

    async def _publish(self, request: Request) -> Response:
        kind = request.query_params.get("stream", "main")
        if kind not in STREAM_TYPES:
            raise errors.InvalidInput("stream", f"must be one of {', '.join(STREAM_TYPES)}")
        token = _token(request)
        offer = await _body(request, SDP)
        opened = self._publishing.publish(
            request.path_params["app_id"],
            request.path_params["room_id"],
            token=token,
            offer=offer,
            stream_type=STREAM_TYPES[kind],
        )
        headers = {
            "Location": f"{request.url.path}/{opened.session_id}",
            "ETag": f'"{opened.etag}"',
            "Accept-Patch": ICE_FRAGMENT,
        }
        return Response(opened.answer, 201, headers, media_type=SDP)

    async def _restart(self, request: Request) -> Response:
        token = _token(request)
        fragment = await _body(request, ICE_FRAGMENT)
        if_match = request.headers.get("if-match")
        answer, etag = self._publishing.restart(
            request.path_params["session_id"],
            token=token,
            etag=None if if_match is None else if_match.removeprefix("W/").strip('"'),
            fragment=fragment,
        )
        headers = {"ETag": f'"{etag}"'}
        if not answer:
            return Response(status_code=204, headers=headers)
        return Response(answer, 200, headers, media_type=ICE_FRAGMENT)

    async def _end(self, request: Request) -> Response:
        self._publishing.end(request.path_params["session_id"], token=_token(request))
        return Response(status_code=200)


async def _preflight(request: Request) -> Response:
    del request
    return Response(status_code=204, headers=PREFLIGHT_HEADERS)


def _answered(handlers: Mapping[str, _Handle]) -> _Handle:
    """Dispatch on the method; render what goes wrong; let any page read the answer."""

    async def answer(request: Request) -> Response:
        try:
            response = await handlers[request.method](request)
        except ClientDisconnect:
            response = Response()  # nobody reads it
        except _Refused as refused:
            response = _problem(refused.status, refused.code, str(refused))
        except AirsliceError as error:
            status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
            response = _problem(status, error.code, str(error))
        except Exception:
            _log.exception("publishing failed")
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


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise errors.TokenRefused("the header Authorization must carry a room token: Bearer 001…")
    return token.strip()


async def _body(request: Request, content_type: str) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != content_type:
        raise _Refused(415, "unsupported_media_type", f"Content-Type must be {content_type}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _Refused(413, "body_too_large", f"the body exceeds {MAX_BODY_BYTES} bytes")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise errors.OfferRefused("the body is not UTF-8") from None
