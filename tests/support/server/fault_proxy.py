"""A TCP proxy on loopback that lets HTTP through, or fails in the way that it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

from tests.support.server.ports import free_port

_CHUNK_BYTES = 65_536
_LINGER_NEVER = struct.pack("ii", 1, 0)
"""SO_LINGER of a socket whose closing resets its connection."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """One way to fail."""

    name: str
    answer: bytes = b""
    """What is said to whoever asks."""

    def __str__(self) -> str:
        return self.name


REFUSES = Fault("refuses connections")
HANGS = Fault("takes everything and says nothing")
RESETS = Fault("resets amid the body")
ANSWERS_LATE = Fault("does as it is told and says so too late")


def answers(status: int, *headers: str, body: str = "") -> Fault:
    """Return a fault that gives the same answer to everybody."""
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return Fault(f"answers {status}", "\r\n".join([*lines, "", body]).encode())


class FaultProxy:
    """Stands before a server on loopback and lets everything through until told otherwise."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self.fault: Fault | None = None
        """How it fails now."""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.port = free_port()
        self.faults = 0
        """Requests that failed by it; those refused are not seen."""

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def fail(self, fault: Fault | None) -> None:
        """Fail like this from now on; connections that are open break."""
        await self._close()
        self.fault = fault
        if fault is not REFUSES:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # by `_close`; a server's own callback would report it
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self.fault
        if fault is None:
            await self._pass(reader, writer)
        elif fault is RESETS:
            await reader.readuntil(b"\r\n\r\n")
            self.faults += 1
            await reader.readexactly(1)
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NEVER)
            writer.transport.abort()
        else:
            request = await _read_request(reader)
            self.faults += 1
            if fault is ANSWERS_LATE:
                await self._carry_out(request)
            if fault.answer:
                writer.write(fault.answer)
                await writer.drain()
            else:
                await reader.read()  # until the client gives up

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, up_writer))
                group.create_task(_pump(up_reader, writer))
        except* ConnectionError:
            pass
        finally:
            up_writer.close()

    async def _carry_out(self, request: bytes) -> None:
        """Let the server do what is asked; keep its answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        writer.write(request)
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    writer.close()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return head + (await reader.readexactly(int(length[1])) if length else b"")
