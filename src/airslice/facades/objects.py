"""Local objects over HTTP: ``GET /objects/{bucket}/{key}``, by signed and expiring URL only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from airslice.domain.apps import SliceFormat
from airslice.domain.errors import ObjectNotFound

MEDIA_TYPES = {f".{kind.extension}": kind.content_type for kind in SliceFormat}
"""Media types by file name extension; other object stores are told the same."""


class UrlVerifier(Protocol):
    """Tells whether a URL was signed by this server and has not expired."""

    def is_valid(
        self, bucket: str, key: str, *, expires: str, signature: str, now_s: float
    ) -> bool:
        """Whether the query of a request allows reading the object; `now_s` is Unix time."""


class ObjectsFacade:
    """Serves the objects of the local store to whoever has a signed URL."""

    def __init__(
        self, verifier: UrlVerifier, find: Callable[[str, str], Path], now_s: Callable[[], float]
    ) -> None:
        """Serve what `find(bucket, key)` finds; it raises `ObjectNotFound`."""
        self._verifier = verifier
        self._find = find
        self._now_s = now_s

    def routes(self) -> list[Route]:
        """Return the route of all objects."""
        return [Route("/objects/{bucket}/{key}", self._get, methods=["GET"])]

    async def _get(self, request: Request) -> Response:
        bucket, key = request.path_params["bucket"], request.path_params["key"]
        allowed = self._verifier.is_valid(
            bucket,
            key,
            expires=request.query_params.get("expires", ""),
            signature=request.query_params.get("signature", ""),
            now_s=self._now_s(),
        )
        if not allowed:
            return PlainTextResponse("the URL's signature is wrong, or it has expired\n", 403)
        try:
            path = self._find(bucket, key)
        except ObjectNotFound:
            return PlainTextResponse("no such object\n", 404)
        media_type = MEDIA_TYPES.get(Path(key).suffix, "application/octet-stream")
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"}
        return FileResponse(path, media_type=media_type, headers=headers)
