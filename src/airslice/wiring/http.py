"""The HTTP listeners, and who answers what on them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from airslice.config import Address, ConfigError
from airslice.facades.huawei import HuaweiFacade
from airslice.facades.volcengine import VolcengineFacade
from airslice.wiring.http_protocol import BoundedHttpProtocol

REQUEST_GRACE_S = 5
"""How long requests that are being answered may take once the server stops."""


class Gate:
    """Answers while the server starts; then hands requests on.

    So `/readyz` says why nobody else is answered, however long recovery takes.
    """

    def __init__(self) -> None:
        self._app: ASGIApp = Starlette(routes=[Route("/healthz", _healthy), Mount("/", _starting)])

    def open(self, app: ASGIApp) -> None:
        """Let `app` answer from now on."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


async def _healthy(request: Request) -> Response:
    del request
    return PlainTextResponse("ok\n")


async def _starting(scope: Scope, receive: Receive, send: Send) -> None:
    response = PlainTextResponse("starting\n", 503, headers={"Retry-After": "1"})
    await response(scope, receive, send)


class Root:
    """Both clouds' wires and everything else share one address."""

    def __init__(
        self, volcengine: VolcengineFacade, huawei: HuaweiFacade, routes: Sequence[BaseRoute]
    ) -> None:
        self._volcengine = volcengine
        self._huawei = huawei
        self._others = Starlette(routes=[*volcengine.routes(), *huawei.routes(), *routes])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._others
        if scope["type"] == "http" and scope["path"] == "/" and self._volcengine.takes(scope):
            app = self._volcengine
        elif scope["type"] == "http" and self._huawei.takes(scope):
            app = self._huawei
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


class HttpListener:
    """Serves an application until it is closed; made by `start_http`."""

    def __init__(self, server: HttpServer, serving: asyncio.Task[None], address: Address) -> None:
        self._server = server
        self._serving = serving
        self.address = address
        """With its port, if that was left to the system."""

    async def close(self) -> None:
        """Let requests end that are being answered; closing again does nothing."""
        self._server.should_exit = True
        await self._serving


async def start_http(name: str, address: Address, app: ASGIApp) -> HttpListener:
    """Serve `app` over HTTP.

    Raises:
        ConfigError: the address cannot be bound.
    """
    config = uvicorn.Config(
        app,
        http=BoundedHttpProtocol,
        ws="none",
        lifespan="off",
        log_level="error",  # whoever sends nonsense does not fill the log
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the console trusts the peer's address, never a header
        timeout_graceful_shutdown=REQUEST_GRACE_S,
    )
    listener = _listener(name, address)
    server = HttpServer(config)
    serving = asyncio.create_task(server.serve([listener]), name=name)
    await server.listening.wait()
    return HttpListener(server, serving, Address(address.host, listener.getsockname()[1]))


def _listener(name: str, address: Address) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError([f"{name}: {address} cannot be bound: {error.strerror}"]) from error
    return listener
