"""Peers who take their time, on raw sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from airslice.config import Address
from airslice.wiring import http_protocol
from airslice.wiring.http import start_http
from tests.support.waiting import PATIENCE_S, until

LIMIT_BYTES = 1_000
LARGE = 30_000_000
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
ALLOWED_S = 0.3
"""In place of the 30 seconds."""


class Server:
    """Takes bodies up to `LIMIT_BYTES`."""

    def __init__(self) -> None:
        self.disconnected = 0
        self.address = Address("127.0.0.1", 0)

    async def answer(self, request: Request) -> Response:
        size = 0
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > LIMIT_BYTES:
                    return Response("too large", 413)
        except ClientDisconnect:
            self.disconnected += 1
            raise
        return Response(f"{size}")

    async def stream(self, request: Request) -> Response:
        del request
        return StreamingResponse(_chunks())

    async def large(self, request: Request) -> Response:
        del request
        return Response(bytes(LARGE))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(http_protocol, "REQUEST_TIMEOUT_S", ALLOWED_S)
    monkeypatch.setattr(http_protocol, "STALL_TIMEOUT_S", ALLOWED_S)
    monkeypatch.setattr(http_protocol, "LINGER_S", ALLOWED_S)
    server = Server()
    routes = [
        Route("/", server.answer, methods=["GET", "POST"]),
        Route("/large", server.large),
        Route("/stream", server.stream),
    ]
    listener = await start_http("server.http", server.address, _quiet(Starlette(routes=routes)))
    server.address = listener.address
    yield server
    await listener.close()


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(LARGE // 100_000 + 1):
        yield bytes(100_000)


def _quiet(app: Starlette) -> Starlette:
    async def gone(request: Request, error: Exception) -> Response:
        return Response()

    app.add_exception_handler(ClientDisconnect, gone)
    return app


def post(length: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length


async def trickle(writer: asyncio.StreamWriter, text: bytes) -> None:
    """Send a byte now and then, for ever."""
    while True:
        for at in range(len(text)):
            writer.write(text[at : at + 1])
            await asyncio.sleep(ALLOWED_S / 20)


async def pour(writer: asyncio.StreamWriter) -> None:
    """Send as much as is taken, for ever."""
    while True:
        writer.write(bytes(50_000))
        await writer.drain()
        await asyncio.sleep(0.001)


async def ends(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the connection ends."""
    received = b""
    async with asyncio.timeout(PATIENCE_S):
        try:
            while chunk := await reader.read(65_536):
                received += chunk
        except ConnectionError:
            pass
    return received


async def test_requests_follow_one_another_on_a_connection(server: Server) -> None:
    async with server.connected() as (reader, writer):
        for _ in range(3):
            writer.write(post(5) + b"hello")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(1) == b"5"
            await asyncio.sleep(ALLOWED_S / 2)


async def test_pipelined_requests_are_all_answered(server: Server) -> None:
    async with server.connected() as (reader, writer):
        writer.write(GET * 3 + post(5) + b"hello")
        async with asyncio.timeout(PATIENCE_S):
            for expected in (b"0", b"0", b"0", b"5"):
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(1) == expected


@pytest.mark.parametrize(
    "beginning",
    [b"", b"G", b"GET / HTTP/1.1\r\nX: ", b"\r\n", GET + b"\r\n", GET + b"GET / HT"],
    ids=["nothing", "a byte", "half a header", "blank lines", "and a blank line", "and a half"],
)
async def test_half_a_request_does_not_hold_its_connection(
    server: Server, beginning: bytes
) -> None:
    async with server.connected() as (reader, writer):
        writer.write(beginning)

        received = await ends(reader)

    assert received.count(b"HTTP/1.1 200") == beginning.count(GET)


@pytest.mark.parametrize(
    ("beginning", "rest"),
    [
        (b"", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1_000),
        (b"", b"\r\n"),
        (post(500), b"x"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["header", "blank lines", "body", "chunks"],
)
async def test_a_trickled_request_does_not_hold_its_connection(
    server: Server, beginning: bytes, rest: bytes
) -> None:
    async with server.connected() as (reader, writer):
        writer.write(beginning)
        trickling = asyncio.create_task(trickle(writer, rest))

        assert await ends(reader) == b""

        trickling.cancel()
    assert server.disconnected == (1 if beginning else 0)


async def test_blank_lines_after_a_request_do_not_hold_its_connection(server: Server) -> None:
    async with server.connected() as (reader, writer):
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n0")
        trickling = asyncio.create_task(trickle(writer, b"\r\n"))

        assert await ends(reader) == b""

        trickling.cancel()


@pytest.mark.parametrize("path", ["large", "stream"])
async def test_an_answer_that_nobody_reads_does_not_hold_its_connection(
    server: Server, path: str
) -> None:
    files = _open_files()
    with socket.create_connection(server.address) as peer:
        peer.setblocking(False)
        peer.send(f"GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await until(lambda: _open_files() == files + 2)  # its end and the server's
        await until(lambda: _open_files() == files + 1)

        received = await _rest(peer)

    assert 0 < received < LARGE


@pytest.mark.parametrize("path", ["large", "stream"])
async def test_an_answer_that_is_read_slowly_arrives(
    server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "STALL_TIMEOUT_S", 2)
    async with server.connected() as (reader, writer):
        request = f"GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        received = 0
        async with asyncio.timeout(PATIENCE_S):
            while chunk := await reader.read(1_000_000):
                received += len(chunk)
                await asyncio.sleep(0.1)  # 3 s in all, and never 2 without progress

    assert received > LARGE


async def test_a_body_that_is_too_large_is_answered_and_the_connection_ends(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "LINGER_S", 10 * PATIENCE_S)
    async with server.connected() as (reader, writer):
        writer.write(post(10_000_000) + bytes(200_000))

        async with asyncio.timeout(PATIENCE_S):
            received = await reader.read()  # to its end: the connection is not broken

    assert received.startswith(b"HTTP/1.1 413")
    assert received.endswith(b"too large")


async def test_a_peer_who_goes_on_sending_is_cut_off(server: Server) -> None:
    async with server.connected() as (reader, writer):
        answer = asyncio.create_task(reader.readline())
        writer.write(post(10**12))

        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(ConnectionError):
                await pour(writer)

        assert (await answer).startswith(b"HTTP/1.1 413")


async def test_a_peer_who_finishes_what_is_thrown_away_can_read_the_answer(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "LINGER_S", 10 * PATIENCE_S)
    async with server.connected() as (reader, writer):
        writer.write(post(2_000_000) + bytes(2_000_000))
        await writer.drain()

        async with asyncio.timeout(PATIENCE_S):
            assert (await reader.read()).startswith(b"HTTP/1.1 413")


async def test_connections_are_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "MAX_CONNECTIONS", 2)
    async with server.connected() as first, server.connected() as second:
        for reader, writer in (first, second):
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\n")

        async with server.connected() as (reader, writer):
            writer.write(GET)
            assert await ends(reader) == b""

    async with asyncio.timeout(PATIENCE_S):
        while not await is_answered(server):  # until it has noticed that they are gone
            await asyncio.sleep(0.01)


async def is_answered(server: Server) -> bool:
    async with server.connected() as (reader, writer):
        writer.write(GET)
        try:
            return (await reader.readline()).startswith(b"HTTP/1.1 200")
        except ConnectionError:
            return False


def _open_files() -> int:
    """Count the files of this process, in which the server runs too."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def _rest(peer: socket.socket) -> int:
    """Count the bytes that still come."""
    loop, received = asyncio.get_running_loop(), 0
    async with asyncio.timeout(PATIENCE_S):
        try:
            while chunk := await loop.sock_recv(peer, 1_000_000):
                received += len(chunk)
        except ConnectionError:
            pass
    return received
