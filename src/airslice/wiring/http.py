"""HTTP servers, and what they answer while the rest starts; afterwards `facades` answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from airslice.config import Address, ConfigError
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


class _Uvicorn(uvicorn.Server):
    """Leaves signals alone: `serve` handles them for all parts together."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.started_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.started_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves an application until it is closed; made by `start_http`."""

    def __init__(self, server: _Uvicorn, serving: asyncio.Task[None], address: Address) -> None:
        self._server = server
        self._serving = serving
        self.address = address
        """Where it is reached, with its port, if that was left to the system."""

    async def close(self) -> None:
        """Let requests end that are being answered; closing again does nothing."""
        self._server.should_exit = True
        await self._serving


async def start_http(name: str, address: Address, app: ASGIApp) -> HttpServer:
    """Serve `app` over HTTP; `name` is the setting that holds the address.

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
    bound = _bound_socket(name, address)
    server = _Uvicorn(config)
    serving = asyncio.create_task(server.serve([bound]), name=name)
    await server.started_up.wait()
    return HttpServer(server, serving, Address(address.host, bound.getsockname()[1]))


def _bound_socket(name: str, address: Address) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise ConfigError([f"{name}: {address} cannot be bound: {error.strerror}"]) from error
    return bound
