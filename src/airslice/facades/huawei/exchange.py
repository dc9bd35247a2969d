"""One HTTP exchange: a request as it arrived, and how it is answered."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from airslice.facades.http.bodies import read_body
from airslice.facades.http.headers import joined_headers
from airslice.facades.http.refusals import Refusal
from airslice.facades.http.signatures import SignedRequest
from airslice.facades.huawei import errors
from airslice.facades.huawei.bodies import parse_query
from airslice.facades.huawei.fields import Wire

MAX_BODY_BYTES = 4 * 1_048_576
"""300,000 characters, the longest script, are 1.8 MB where each is written as `\\uXXXX`."""


GATEWAY = "APIGW."
"""How the codes of the gateway begin, whose answers name the request."""


class ErrorBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a request failed."""

    error_code: str
    error_msg: str
    request_id: str | None = None
    """Id of the request; only the gateway's answers have it."""


@dataclass(kw_only=True)
class Exchange:
    """A request as it arrived, with the answers that can be given to it."""

    request: Request
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def method(self) -> str:
        """HTTP method in capitals."""
        return self.request.method

    @property
    def path(self) -> bytes:
        """Path as received: percent-encoded, and without the query."""
        path: bytes = self.request.scope["raw_path"]
        return path.partition(b"?")[0]

    @property
    def base_url(self) -> str:
        """Address by which the client reaches this server."""
        host = self.headers.get("host", "localhost")
        return f"{self.request.scope['scheme']}://{host}"

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """Decoded pairs of the query, in the order received."""
        return parse_query(self.request.scope["query_string"])

    @cached_property
    def headers(self) -> dict[str, str]:
        """Headers by name in lower case; values of a repeated header are joined by a comma."""
        return joined_headers(self.request, encoding="utf-8")

    async def body(self) -> bytes:
        """Return the whole body, whatever its transfer encoding.

        Raises:
            Refusal: it is over `MAX_BODY_BYTES`; the rest is not read.
        """
        return await read_body(
            self.request, max_bytes=MAX_BODY_BYTES, too_large=Refusal(errors.TOO_LARGE)
        )

    def signed(self, body: bytes) -> SignedRequest:
        """Return the request as far as its signature goes."""
        return SignedRequest(
            method=self.method,
            path=unquote_to_bytes(self.path),
            query=self.query,
            headers=self.headers,
            body=body,
        )

    def success(self, result: Wire | dict[str, Any], *, status: int = 200) -> Response:
        """Answer with a result; one that has no fields at all is an empty body."""
        has_body = isinstance(result, dict) or bool(result.__struct_fields__)
        return Response(
            msgspec.json.encode(result) if has_body else b"",
            status_code=status,
            media_type="application/json" if has_body else None,
            headers={"X-Request-Id": self.id, "Cache-Control": "no-store"},
        )

    def failure(self, refusal: Refusal) -> Response:
        """Answer with an error."""
        error = refusal.error
        # What is quoted of a request need not be text.
        message = str(refusal).encode(errors="replace").decode()
        body = ErrorBody(
            error_code=error.code,
            error_msg=message,
            request_id=self.id if error.code.startswith(GATEWAY) else None,
        )
        headers = {"X-Request-Id": self.id}
        if error is errors.THROTTLED:
            headers["Retry-After"] = "1"  # limits are by the second
        return Response(
            msgspec.json.encode(body),
            status_code=error.status,
            media_type="application/json",
            headers=headers,
        )
