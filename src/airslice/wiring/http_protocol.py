"""HTTP/1.1 as uvicorn speaks it, with bounds on what a peer may send, and on how long he may take.

uvicorn's own do not replace them: `h11_max_incomplete_event_size` is for its other parser, h11,
which takes 0.2 ms more of a core per request; `timeout_keep_alive` begins when a request has been
answered and ends with the first byte of the next; `limit_concurrency` is looked at once a request
has come, and keeps its connection. The size of a request's content is bounded by each façade.
"""

from __future__ import annotations

import asyncio
import resource

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
"""Between two pieces of content: of the request line and the headers, of what introduces a chunk,
of trailers. What is received at once counts as a whole, and may be 256 KiB."""

MAX_CONNECTIONS = 4_096
"""To one address; less where the process may open few files, for slices need some too."""

REQUEST_TIMEOUT_S = 30.0
"""For a whole request, from its first byte to its last, and for the first byte of a connection:
enough for 1 MiB, the largest body, at 300 kbit/s."""

STALL_TIMEOUT_S = 30.0
"""How long an answer waits for a peer who reads none of it."""

LINGER_S = 2.0
"""How long the rest of a request is thrown away that was answered before its end. Closing at
once would take the answer from a peer who still writes (RFC 9112 section 9.6)."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Lets go of connections that are too many, on which nothing moves, or which bring no content.

    A request is refused of which over `MAX_HEAD_BYTES` were received without any content: headers
    that never end would fill the memory before anybody is asked who sends them.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Override `asyncio.Protocol`, as the methods below do it or uvicorn's protocol."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._request_timer: asyncio.TimerHandle | None = None
        self._writing_timer: asyncio.TimerHandle | None = None
        self._unsent_bytes = 0
        self._linger_timer: asyncio.TimerHandle | None = None
        if len(self.connections) > _most_connections():
            transport.abort()
        else:
            self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_request_timer()
        self._cancel_writing_timer()
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._request_timer is None:
            self._expect_request()
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")
        self._watch_writing()

    def on_message_begin(self) -> None:
        self._expect_request()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        self._cancel_request_timer()
        super().on_message_complete()
        if self._linger_timer is not None:
            self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_writing()
        if (
            self.cycle.response_complete
            and self.cycle.more_body
            and not self.transport.is_closing()
        ):
            self._unset_keepalive_if_required()
            self.transport.write_eof()
            self._linger_timer = self.loop.call_later(LINGER_S, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing(anew=True)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch_writing(anew=True)

    def _expect_request(self) -> None:
        self._cancel_request_timer()
        self._request_timer = self.loop.call_later(REQUEST_TIMEOUT_S, self.transport.abort)

    def _cancel_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _watch_writing(self, *, anew: bool = False) -> None:
        """Look later at what the peer has not read; `anew`: as he has just read something."""
        if anew:
            self._cancel_writing_timer()
        if self._writing_timer is None:
            self._unsent_bytes = self.transport.get_write_buffer_size()
            if self._unsent_bytes:
                self._writing_timer = self.loop.call_later(STALL_TIMEOUT_S, self._check_writing)

    def _check_writing(self) -> None:
        if self.transport.get_write_buffer_size() >= self._unsent_bytes:
            self.transport.abort()
        else:
            self._watch_writing(anew=True)

    def _cancel_writing_timer(self) -> None:
        if self._writing_timer is not None:
            self._writing_timer.cancel()
            self._writing_timer = None


def _most_connections() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(MAX_CONNECTIONS, files // 2)
