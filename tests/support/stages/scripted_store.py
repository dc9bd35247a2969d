"""A store on loopback that answers as it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Self

from aiohttp import web
from aiohttp.test_utils import TestServer

from airslice.domain.storage_endpoints import StorageMatch, StorageOverride

ACCESS_KEY = "AKscripted"
SECRET_KEY = "SKscripted"


@dataclass
class Received:
    """A request, as far as it was read."""

    method: str
    path: str
    """As it came, percent-encoded."""
    headers: Mapping[str, str]
    body: bytes = b""


Script = Callable[[Received, web.Request], Awaitable[web.StreamResponse]]


class ScriptedStore:
    """Answers each request by the next script; once there are none, as S3 would."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.requests: list[Received] = []
        self.objects: dict[str, bytes] = {}
        self.delay_s = 0.0
        """Before it looks at a request."""
        self.released = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(app)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.released.set()
        await self._server.close()

    def override(self, bucket: str | None = None) -> StorageOverride:
        return StorageOverride(
            match=StorageMatch(bucket=bucket),
            endpoint=str(self._server.make_url("")).rstrip("/"),
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
        )

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.method, request.raw_path, request.headers)
        self.requests.append(received)
        await asyncio.sleep(self.delay_s)
        script = self.scripts.pop(0) if self.scripts else self.as_s3
        return await script(received, request)

    async def as_s3(self, received: Received, request: web.Request) -> web.StreamResponse:
        """Do what is asked, and give the checksums that were asked for."""
        if request.method == "DELETE":
            self.objects.pop(request.path, None)
            return web.Response(status=204)
        if request.method == "HEAD":
            body = self.objects.get(request.path)
            return web.Response(status=404) if body is None else web.Response(body=body)
        received.body = await _read(request)
        self.objects[request.path] = received.body
        sha256 = base64.b64encode(hashlib.sha256(received.body).digest()).decode()
        return web.Response(headers={"ETag": etag(received.body), "x-amz-checksum-sha256": sha256})

    async def hangs(self, received: Received, request: web.Request) -> web.StreamResponse:
        """Take the body and say nothing."""
        received.body = await _read(request)
        await self.released.wait()
        return web.Response(status=500)

    async def stores_and_hangs(
        self, received: Received, request: web.Request
    ) -> web.StreamResponse:
        """Do as asked, and say so when nobody waits for it any more."""
        answer = await self.as_s3(received, request)
        await self.released.wait()
        return answer

    async def resets(self, received: Received, request: web.Request) -> web.StreamResponse:
        """Break the connection when the body begins."""
        received.body = await request.content.readany()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    def says(self, status: int, code: str = "", **headers: str) -> Script:
        """Take the body and give this answer, whatever was asked."""

        async def script(received: Received, request: web.Request) -> web.StreamResponse:
            received.body = await _read(request)
            body = f"<Error><Code>{code}</Code><Message>{SECRET_KEY}</Message></Error>"
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(status=status, headers=names, text=body if code else "")

        return script


async def _read(request: web.Request) -> bytes:
    return b"".join([chunk async for chunk in request.content.iter_any()])


def etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'
