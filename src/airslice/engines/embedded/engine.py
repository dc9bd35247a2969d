"""The engine's shell: a UDP socket, two timers and the event loop.

Sessions, and what they do with datagrams, are in `switchboard` and below, without I/O.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence

from airslice.application.ports.clock import Clock
from airslice.application.ports.media import StreamSink
from airslice.domain.room_event import EndReason
from airslice.engines.embedded.answer import Transport
from airslice.engines.embedded.dtls import DtlsServer
from airslice.engines.embedded.sending import ListenerSession
from airslice.engines.embedded.session import Session
from airslice.engines.embedded.stats import EngineStats
from airslice.engines.embedded.switchboard import Switchboard
from airslice.engines.embedded.udp import BATCH, UdpPort

POLL_INTERVAL_S = 0.010
"""While packets come, the socket is read this often instead of at each packet."""

IDLE_POLLS = 3
"""Polls that find nothing before the event loop watches the socket again."""

BATCHES_PER_POLL = 8
"""Batches read at most before other tasks get the event loop."""

TICK_INTERVAL_S = 0.25
"""How often time-outs and reports are looked at; a handshake retransmits after 1 s."""

HELD_UP_NS = 1_000_000_000
"""If the process stood still for so long, no session is timed out before the next tick: until then
all that came meanwhile is read, which is no more than the socket's buffer holds."""

_DOCUMENTATION_ADDRESSES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that nobody has (RFC 5737, RFC 3849): a socket connected to one, which sends nothing,
tells which of our addresses is used towards the outside."""


class EmbeddedEngine:
    """Receives publishers and serves listeners (ports `MediaEngine` and `ListeningEngine`).

    It runs between `start` and `close`.

    Args:
        media_address: Numeric host and UDP port to bind; ``::`` takes IPv4 too.
        advertise: Numeric addresses that clients are told instead of the bound one, the
            preferred first.
        clock: The machine's clock.
        max_sessions: Publishers at a time.
        max_listeners: Listeners at a time.

    Raises:
        ValueError: a host is not a numeric address.
    """

    def __init__(
        self,
        media_address: tuple[str, int],
        advertise: Sequence[str],
        clock: Clock,
        max_sessions: int,
        max_listeners: int = 0,
    ) -> None:
        host, self._bind_port = media_address
        self._bind_host = str(ipaddress.ip_address(host))
        self._advertise = [str(ipaddress.ip_address(address)) for address in advertise]
        self._clock = clock
        self._max_sessions = max_sessions
        self._max_listeners = max_listeners
        self._udp: UdpPort | None = None
        self._switchboard: Switchboard | None = None
        self._poll_timer: asyncio.Handle | None = None
        self._tick_timer: asyncio.Handle | None = None
        self._idle_polls = 0
        self._emptied_ns = clock.monotonic_ns()
        """When the socket was last found empty (monotonic): what it has now came after that."""
        self._ticked_ns = clock.monotonic_ns()

    @property
    def port(self) -> int:
        """The bound UDP port, once the engine is started."""
        return self._running()[0].port

    async def start(self) -> None:
        """Open the socket and begin to receive.

        Raises:
            OSError: the address cannot be bound.
        """
        udp = UdpPort(self._bind_host, self._bind_port)
        dtls_server = DtlsServer(self._clock.utc_ns())
        self._udp = udp
        self._switchboard = Switchboard(
            transport=Transport(
                hosts=self._advertise or hosts_of(self._bind_host),
                port=udp.port,
                fingerprint=dtls_server.fingerprint,
            ),
            dtls_server=dtls_server,
            slots=udp.slots,
            send=udp.send,
            max_sessions=self._max_sessions,
            max_listeners=self._max_listeners,
        )
        self._watch()
        self._tick()

    async def close(self) -> None:
        """End all sessions and close the socket."""
        if self._udp is None or self._switchboard is None:
            return
        udp, self._udp = self._udp, None
        asyncio.get_running_loop().remove_reader(udp.fileno())
        for timer in (self._poll_timer, self._tick_timer):
            if timer is not None:
                timer.cancel()
        self._switchboard.close()
        udp.close()

    def open(self, offer: str, sink: StreamSink) -> Session:
        """Answer a publisher's offer (port `MediaEngine`)."""
        return self._running()[1].open(offer, sink, self._clock.monotonic_ns())

    def listen(self, offer: str, on_ended: Callable[[EndReason], None]) -> ListenerSession:
        """Answer a listener's offer (port `ListeningEngine`)."""
        return self._running()[1].listen(offer, on_ended, self._clock)

    def stats(self) -> EngineStats:
        """Return the engine's counters."""
        return self._running()[1].stats()

    def _running(self) -> tuple[UdpPort, Switchboard]:
        if self._udp is None or self._switchboard is None:
            raise RuntimeError("the engine is not running")
        return self._udp, self._switchboard

    def _watch(self) -> None:
        """Wait for packets without polling."""
        self._poll_timer = None
        asyncio.get_running_loop().add_reader(self._running()[0].fileno(), self._wake)

    def _wake(self) -> None:
        asyncio.get_running_loop().remove_reader(self._running()[0].fileno())
        self._idle_polls = 0
        self._poll()

    def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        count = self._drain()
        if count == BATCHES_PER_POLL * BATCH:  # there is more, but others wait for the loop
            self._poll_timer = loop.call_soon(self._poll)
            return
        self._idle_polls = 0 if count else self._idle_polls + 1
        if self._idle_polls < IDLE_POLLS:
            self._poll_timer = loop.call_later(POLL_INTERVAL_S, self._poll)
        else:
            self._watch()

    def _drain(self) -> int:
        """Take what the socket has; return the number of datagrams."""
        udp, switchboard = self._running()
        clock = self._clock
        total = 0
        for _ in range(BATCHES_PER_POLL):
            before_ns = clock.monotonic_ns()
            count, datagrams = udp.read()
            if count:
                now_ns, utc_ns = clock.monotonic_ns(), clock.utc_ns()
                switchboard.receive(
                    datagrams, since_ns=self._emptied_ns, now_ns=now_ns, utc_ns=utc_ns
                )
            total += count
            if count < BATCH:
                self._emptied_ns = before_ns
                break
        return total

    def _tick(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._ticked_ns < HELD_UP_NS:
            self._running()[1].tick(now_ns)
        self._ticked_ns = now_ns
        loop = asyncio.get_running_loop()
        self._tick_timer = loop.call_later(TICK_INTERVAL_S, self._tick)


def hosts_of(bind_host: str) -> list[str]:
    """Return the addresses at which clients reach a socket bound to `bind_host`, at least one."""
    address = ipaddress.ip_address(bind_host)
    if not address.is_unspecified:
        return [bind_host]
    hosts = []
    for family, outside in _DOCUMENTATION_ADDRESSES:
        if address.version == 4 and family == socket.AF_INET6:
            continue
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((outside, 9))  # of a datagram socket: sends nothing
            except OSError:  # no route
                continue
            hosts.append(str(probe.getsockname()[0]))
    return hosts or ["127.0.0.1"]
