"""All sessions of the engine, and which datagram belongs to which.

Sans-IO. The first byte of a datagram says what it is (RFC 7983). A connectivity check belongs to
the session whose ufrag it names; everything else belongs to the session that its source address
is bound to by an authentic check.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from airslice.application.ports.clock import Clock
from airslice.application.ports.media import StreamSink
from airslice.domain.errors import ServerFull
from airslice.domain.room_event import EndReason
from airslice.engines.embedded.answer import Transport
from airslice.engines.embedded.dtls import DtlsServer
from airslice.engines.embedded.receiving import Receiving
from airslice.engines.embedded.sdp import Offer, Role, parse_offer
from airslice.engines.embedded.sending import ListenerSession, Sending
from airslice.engines.embedded.session import MAX_ADDRESSES, Media, Session
from airslice.engines.embedded.stats import Drop, EngineStats
from airslice.engines.embedded.stun import parse_binding_request
from airslice.engines.embedded.udp import SLOT_BYTES, AddressKey, Datagram, Slots

MAX_HANDSHAKING = 512
"""Sessions that may be without keys at a time."""

HANDSHAKES_PER_S = 200
HANDSHAKE_BURST = 200
"""Bounds on handshakes, each of which costs 1 to 2 ms of CPU time."""

_SMALLEST = 12
"""Size in bytes of an RTP header; DTLS records and STUN messages are no shorter."""

_logger = logging.getLogger(__name__)


class Switchboard:
    """Holds all sessions and hands each what is its own.

    It takes `max_sessions` publishers and `max_listeners` at a time; more are refused.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        dtls_server: DtlsServer,
        slots: Slots,
        send: Callable[[bytes, AddressKey], None],
        max_sessions: int,
        max_listeners: int = 0,
    ) -> None:
        self.slots = slots
        self.send = send
        self.transport = transport
        self.dtls_server = dtls_server
        self._max_sessions = max_sessions
        self._max_listeners = max_listeners
        self._by_address: dict[AddressKey, Session] = {}
        self._by_ufrag: dict[bytes, Session] = {}
        self._ufrags: dict[Session, list[bytes]] = {}
        self._listening: set[Session] = set()
        self._handshaking: set[Session] = set()
        self._handshakes_paid_ns = 0
        self._datagrams = 0
        self._dropped: Counter[Drop] = Counter()

    def open(self, offer: str, sink: StreamSink, now_ns: int) -> Session:
        """Answer a publisher's offer (port `MediaEngine`)."""
        if len(self._ufrags) - len(self._listening) >= self._max_sessions:
            raise ServerFull(f"the server takes {self._max_sessions} publishers at most")
        parsed = parse_offer(offer)
        return self._open(parsed, Receiving(parsed, sink, self), now_ns)

    def listen(
        self, offer: str, on_ended: Callable[[EndReason], None], clock: Clock
    ) -> ListenerSession:
        """Answer a listener's offer (port `ListeningEngine`); `clock` times sender reports."""
        if len(self._listening) >= self._max_listeners:
            raise ServerFull(f"the server takes {self._max_listeners} listeners at most")
        parsed = parse_offer(offer, Role.LISTENER)
        sending = Sending(parsed, on_ended, self, clock)
        session = self._open(parsed, sending, clock.monotonic_ns())
        self._listening.add(session)
        return ListenerSession(session, sending)

    def _open(self, offer: Offer, media: Media, now_ns: int) -> Session:
        if len(self._handshaking) >= MAX_HANDSHAKING:
            raise ServerFull("too many peers are connecting at this moment")
        session = Session(offer, media, self, now_ns)
        self.index(session)
        self._handshaking.add(session)
        return session

    def stats(self) -> EngineStats:
        """Return the engine's counters."""
        return EngineStats(
            datagrams=self._datagrams,
            dropped=dict(self._dropped),
            sessions=len(self._ufrags) - len(self._listening),
            listeners=len(self._listening),
            handshaking=len(self._handshaking),
        )

    def receive(
        self, datagrams: Iterable[Datagram], *, since_ns: int, now_ns: int, utc_ns: int
    ) -> None:
        """Hand a batch of datagrams to their sessions.

        Args:
            datagrams: The batch; each is unprotected in its slot.
            since_ns: When the socket was last empty (monotonic). The kernel's time stamps from
                before then are not believed: the wall clock has stepped.
            now_ns: The monotonic clock.
            utc_ns: The wall clock, at the same moment.
        """
        octets = self.slots.octets
        session_at = self._by_address.get
        to_monotonic = now_ns - utc_ns
        count = 0
        for size, slot, offset, key, stamp in datagrams:
            count += 1
            if not _SMALLEST <= size < SLOT_BYTES:
                self._dropped[Drop.MALFORMED] += 1
                continue
            session = session_at(key)
            try:
                if 127 < octets[offset] < 192 and session is not None:
                    arrival_ns = stamp + to_monotonic
                    if not since_ns <= arrival_ns <= now_ns:
                        arrival_ns = now_ns
                    if 191 < octets[offset + 1] < 224:  # RTCP (RFC 5761 section 4)
                        session.take_rtcp(slot, offset, size, arrival_ns)
                    else:
                        session.take_rtp(slot, offset, size, arrival_ns)
                else:
                    data = self.slots.buffer[offset : offset + size]
                    self._receive_other(data, session, key, now_ns)
            except Exception:  # one peer's datagram must not stop the others'
                self._fail(session)
        self._datagrams += count

    def _fail(self, session: Session | None) -> None:
        _logger.exception("A datagram could not be handled")
        self.drop(Drop.FAILED)
        if session is not None:
            session.end("an internal error")

    def _receive_other(
        self, data: bytes, session: Session | None, key: AddressKey, now_ns: int
    ) -> None:
        first = data[0]
        if first < 4:
            self._receive_check(data, key, now_ns)
        elif session is None:
            self.drop(Drop.UNBOUND_ADDRESS)
        elif 19 < first < 64:
            session.take_dtls(data, key, now_ns)
        else:
            self.drop(Drop.MALFORMED)

    def _receive_check(self, data: bytes, key: AddressKey, now_ns: int) -> None:
        request = parse_binding_request(data)
        if request is None:
            self.drop(Drop.MALFORMED)
            return
        session = self._by_ufrag.get(request.username.partition(b":")[0])
        if session is None:
            self.drop(Drop.UNKNOWN_USER)
            return
        session.take_check(data, request, key, now_ns)

    def tick(self, now_ns: int) -> None:
        """Do what is due in all sessions; called a few times a second."""
        for session in list(self._ufrags):
            try:
                session.tick(now_ns)
            except Exception:
                _logger.exception("A session could not do what was due")
                session.end("an internal error")

    def close(self) -> None:
        """End all sessions."""
        for session in list(self._ufrags):
            session.end("the server stops", EndReason.SHUTDOWN)

    def drop(self, reason: Drop) -> None:
        """Count a dropped datagram."""
        self._dropped[reason] += 1

    def bind(self, session: Session, key: AddressKey, now_ns: int) -> bool:
        """Give what comes from `key` to `session`; False if another live session has it.

        An address is not taken from a session whose peer is using it. Otherwise any publisher
        could cut off another by a check with the other's address as its source.
        """
        owner = self._by_address.get(key)
        if owner is session:
            return True
        if owner is not None:
            if owner.is_using(key, now_ns):
                return False
            self.unbind(owner, key)
        if len(session.addresses) >= MAX_ADDRESSES:
            self.unbind(session, next(k for k in session.addresses if k != session.selected))
        self._by_address[key] = session
        session.addresses[key] = None
        return True

    def unbind(self, session: Session, key: AddressKey) -> None:
        """Give what comes from `key` to no session any more."""
        del self._by_address[key]
        del session.addresses[key]
        if session.selected == key:
            session.selected = None

    def index(self, session: Session) -> None:
        """Give connectivity checks with the session's present ufrags to it."""
        for ufrag in self._ufrags.get(session, ()):
            del self._by_ufrag[ufrag]
        self._ufrags[session] = session.ufrags
        for ufrag in session.ufrags:
            self._by_ufrag[ufrag] = session

    def admit_handshake(self, now_ns: int) -> bool:
        """Whether one more handshake may start: a token bucket of `HANDSHAKES_PER_S`.

        It is kept as the time when it will be full again.
        """
        cost_ns = 10**9 // HANDSHAKES_PER_S
        paid_ns = max(self._handshakes_paid_ns, now_ns) + cost_ns
        if paid_ns - now_ns > HANDSHAKE_BURST * cost_ns:
            return False
        self._handshakes_paid_ns = paid_ns
        return True

    def established(self, session: Session) -> None:
        """Note that the session's handshake is done."""
        self._handshaking.discard(session)

    def remove(self, session: Session) -> None:
        """Forget the session, which has ended."""
        for key in list(session.addresses):
            self.unbind(session, key)
        for ufrag in self._ufrags.pop(session, ()):
            del self._by_ufrag[ufrag]
        self._handshaking.discard(session)
        self._listening.discard(session)
