"""Request headers, as façades read them."""

from __future__ import annotations

from starlette.requests import Request


def joined_headers(request: Request, *, encoding: str = "latin-1") -> dict[str, str]:
    """Return all headers: names in lower case, values of a repeated one joined by a comma.

    Bytes of a value that do not fit `encoding` become surrogates.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode(encoding, "surrogateescape")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def media_type(request: Request) -> str:
    """Return the Content-Type as it was written, without its parameters; empty if there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip()
