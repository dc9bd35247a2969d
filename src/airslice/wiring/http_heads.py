"""HTTP/1.1 as uvicorn speaks it, with a bound on everything of a request but its content.

Its parser has none: headers that never end would fill the memory before anybody is asked who
sends them. The content is bounded by each façade.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
"""Between two pieces of content: of the request line and the headers, of what introduces a chunk,
of trailers. What is received at once counts as a whole, and may be 256 KiB."""


class BoundedHeadProtocol(HttpToolsProtocol):
    """Refuses a request of which over `MAX_HEAD_BYTES` were received without any content."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`; so are the methods below, or of uvicorn's protocol."""
        self._head_bytes = 0
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        super().on_message_complete()
