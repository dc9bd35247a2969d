"""Request bodies: read them within bounds, and tell which of their fields is wrong."""

from __future__ import annotations

import re

from starlette.requests import Request

from airslice.domain.errors import InvalidInput
from airslice.facades.http.refusals import Refusal

_WITH_PATH = re.compile(r"(?P<problem>.*) - at `\$\.?(?P<path>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>\w+)`")


async def read_body(request: Request, *, max_bytes: int, too_large: Refusal) -> bytes:
    """Return the whole body of a request, whatever its transfer encoding.

    Raises:
        Refusal: `too_large`, as soon as over `max_bytes` have come; the rest is not read.
        ClientDisconnect: the client is gone.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise too_large
    return bytes(body)


def invalid_input(message: str) -> InvalidInput:
    """Turn msgspec's ``Expected `int`, got `str` - at `$.Control.Align` `` into our error."""
    match = _WITH_PATH.fullmatch(message)
    path, problem = (match["path"], match["problem"]) if match else ("", message)
    missing = _MISSING.fullmatch(problem)
    if missing is None:
        return InvalidInput(path or "body", problem)
    return InvalidInput(f"{path}.{missing['name']}".lstrip("."), "must be given")
