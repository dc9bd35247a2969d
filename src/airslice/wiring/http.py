"""The HTTP listeners, and who answers what on them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from airslice.config import Address, ConfigError
from airslice.facades.volcengine import VolcengineFacade

REQUEST_GRACE_S = 5
"""How long requests that are being answered may take once the server stops."""

MAX_CONNECTIONS = 4_096


class Root:
    """Volcengine's wire and everything else share one address."""

    def __init__(self, volcengine: VolcengineFacade, routes: Sequence[BaseRoute]) -> None:
        self._volcengine = volcengine
        self._others = Starlette(routes=routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._others
        if scope["type"] == "http" and scope["path"] == "/" and self._volcengine.takes(scope):
            app = self._volcengine
        await app(scope, receive, send)


class HttpServer(uvicorn.Server):
    """Leaves signals alone: `serve` handles them for all parts together."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving_http(name: str, address: Address, app: ASGIApp) -> AsyncIterator[Address]:
    """Serve `app` over HTTP; yields the address, with its port if that was left to the system."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the console trusts the peer's address, never a header
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=REQUEST_GRACE_S,
    )
    listener = _listener(name, address)
    server = HttpServer(config)
    serving = asyncio.create_task(server.serve([listener]), name=name)
    try:
        await server.listening.wait()
        yield Address(address.host, listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving


def _listener(name: str, address: Address) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError([f"{name}: {address} cannot be bound: {error.strerror}"]) from error
    return listener
