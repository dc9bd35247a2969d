"""JSON in and out."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from airslice.facades.http import bodies
from airslice.facades.http.headers import media_type
from airslice.facades.http.refusals import Refusal, WireError

MAX_BODY_BYTES = 16_384

NOT_JSON = WireError("not_json", 415, "expected Content-Type: application/json")
TOO_LARGE = WireError("too_large", 413, f"the body is over {MAX_BODY_BYTES} bytes")
INVALID = WireError("invalid_input", 400)

Body = TypeVar("Body", bound=msgspec.Struct)


def json_response(body: msgspec.Struct, *, status: int = 200) -> Response:
    """Render a body that no cache keeps: it may hold tokens and signed URLs."""
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def read_body(request: Request, shape: type[Body]) -> Body:
    """Read a small JSON body.

    Raises:
        Refusal: it is not JSON, too large, or not of the shape.
    """
    # Also what makes a browser ask first before it sends another site's request.
    if media_type(request) != "application/json":
        raise Refusal(NOT_JSON)
    body = await bodies.read_body(request, max_bytes=MAX_BODY_BYTES, too_large=Refusal(TOO_LARGE))
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as error:
        raise Refusal(INVALID, str(error)) from error
