"""JSON in and out."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from airslice.facades.console.problems import Problem

MAX_BODY_BYTES = 16_384

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
        Problem: it is not JSON, too large, or not of the shape.
    """
    # Also what makes a browser ask first before it sends another site's request.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Problem(415, "not_json", "expected Content-Type: application/json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Problem(413, "too_large", f"the body is over {MAX_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as error:
        raise Problem(400, "invalid_input", str(error)) from error
