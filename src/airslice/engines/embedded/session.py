"""One publisher's session: connectivity checks, then the handshake, then media.

Sans-IO: `Host` sends, and tells the time with each call.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from airslice.application.ports import StreamSink
from airslice.domain.room_event import EndReason
from airslice.engines.embedded import stun
from airslice.engines.embedded.answer import (
    Transport,
    fragment_head,
    render_answer,
    render_fragment,
)
from airslice.engines.embedded.dtls import DtlsAssociation, DtlsServer, DtlsState
from airslice.engines.embedded.ice import IceLite
from airslice.engines.embedded.reception import Reception
from airslice.engines.embedded.rtcp import (
    ntp_to_utc_ns,
    parse_rtcp,
    receiver_report,
    sender_ssrc,
)
from airslice.engines.embedded.rtp import parse_rtp, rtp_ssrc
from airslice.engines.embedded.sdp import AUDIO_LEVEL, Offer, parse_fragment
from airslice.engines.embedded.srtp import REPLAYED, SrtpSession
from airslice.engines.embedded.stats import Drop, SessionStats
from airslice.engines.embedded.udp import AddressKey, unpack_address
from airslice.slicing.packets import RtpPacket, SenderReport

CONSENT_NS = 15 * 10**9
"""A session ends when nothing authenticated came for so long (RFC 7675 section 5.1: 30 s)."""

HANDSHAKE_NS = 30 * 10**9
"""From the answer to the keys."""

REPORT_INTERVAL_NS = 5 * 10**9
"""Between receiver reports (RFC 3550 section 6.2)."""

MAX_ADDRESSES = 8
MAX_SOURCES = 8
MAX_RTCP_SENDERS = 16
"""Bounds of what one peer can make us remember; libsrtp keeps a state for each SSRC too."""

HANDSHAKE_RECORDS = 100
"""DTLS datagrams taken before there are keys; a handshake has about five."""

LATER_RECORDS = 20
"""DTLS datagrams taken per report interval afterwards."""

_new = tuple.__new__
_logger = logging.getLogger(__name__)


class Host(Protocol):
    """What a session needs of the engine around it."""

    slots: Any
    """Where datagrams lie: see `udp.Slots`."""

    send: Callable[[bytes, AddressKey], None]
    """Sends a datagram."""

    def drop(self, reason: Drop) -> None:
        """Count a dropped datagram."""

    def bind(self, session: Session, key: AddressKey, now_ns: int) -> bool:
        """Give what comes from `key` to `session`; False if another live one has it."""

    def unbind(self, session: Session, key: AddressKey) -> None:
        """Undo `bind`."""

    def index(self, session: Session) -> None:
        """Take note of the session's ufrags, which have changed."""

    def admit_handshake(self, now_ns: int) -> bool:
        """Whether one more handshake may start."""

    def established(self, session: Session) -> None:
        """The session's handshake is done."""

    def remove(self, session: Session) -> None:
        """Forget the session."""


class Source:
    """One SSRC of a session."""

    __slots__ = ("reception", "take", "update")

    def __init__(self, ssrc: int) -> None:
        self.reception = Reception(ssrc)
        self.update = self.reception.update
        self.take: Callable[[RtpPacket], object] | None = None


class Session:
    """Implements `application.ports.MediaSession`."""

    def __init__(
        self,
        offer: Offer,
        sink: StreamSink,
        *,
        host: Host,
        transport: Transport,
        dtls_server: DtlsServer,
        now_ns: int,
    ) -> None:
        self.heard_ns = now_ns
        """When something authenticated came last."""
        self.addresses: dict[AddressKey, None] = {}
        """Bound to this session, the oldest first. Kept by the host."""
        self.selected: AddressKey | None = None
        """The bound address that we send to."""
        self._host = host
        self._sink = sink
        self._transport = transport
        self._accept = partial(dtls_server.accept, offer.fingerprints)
        self._dtls: DtlsAssociation | None = None
        self._records_left = HANDSHAKE_RECORDS
        self._srtp: SrtpSession | None = None
        self._ice = IceLite(offer.ice_ufrag)
        self._opened_ns = now_ns
        self._report_at_ns = 0
        self._ssrc = secrets.randbits(32)
        self._cname = secrets.token_hex(8).encode()
        self._payload_type = offer.payload_type
        self._level_id = offer.extensions.get(AUDIO_LEVEL, 0)
        self._sources: dict[int, Source] = {}
        self._rtcp_senders: set[int] = set()
        self._buffer = host.slots.buffer
        self._is_open = True
        self._id = secrets.randbits(62)
        self._mid = offer.sections[offer.audio].mid
        self._fragment_head = fragment_head(offer)
        self.answer = render_answer(
            offer, transport, self._ice.generations[0].local, session_id=self._id
        )

    @property
    def ufrags(self) -> list[bytes]:
        """Our ufrags whose checks are answered."""
        return [generation.local.ufrag.encode() for generation in self._ice.generations]

    def stats(self) -> SessionStats:
        """Return the counters of all sources together."""
        receptions = [source.reception for source in self._sources.values()]
        return SessionStats(
            received=sum(reception.received for reception in receptions),
            lost=sum(reception.lost for reception in receptions),
        )

    def restart(self, fragment: str) -> str:
        """See `MediaSession.restart`."""
        ufrag = parse_fragment(fragment, self._mid)
        credentials = self._ice.restart(ufrag) if ufrag is not None else None
        if credentials is None or not self._is_open:
            return ""
        self._host.index(self)
        return render_fragment(self._fragment_head, self._transport, credentials)

    def close(self) -> None:
        """See `MediaSession.close`."""
        self.end("closed by this side")

    def end(self, why: str, reason: EndReason = EndReason.LOST) -> None:
        """End the session, once; `why` is for the log."""
        if not self._is_open:
            return
        self._is_open = False
        if self._dtls and self.selected:
            for datagram in self._dtls.close():
                self._host.send(datagram, self.selected)
        self._host.remove(self)
        _logger.info("Session %d ended: %s", self._id, why)
        try:
            self._sink.ended(reason)
        except Exception:
            _logger.exception("The sink of session %d failed to end", self._id)

    def is_using(self, key: AddressKey, now_ns: int) -> bool:
        """Whether the peer is known to be at `key` now."""
        is_fresh = now_ns - self.heard_ns < REPORT_INTERVAL_NS
        return self._srtp is not None and key == self.selected and is_fresh

    def take_check(
        self, data: bytes, request: stun.BindingRequest, key: AddressKey, now_ns: int
    ) -> None:
        """Take a connectivity check with a ufrag of this session; answer it if it is authentic."""
        generation = self._ice.generation(request.username)
        password = generation.local.password.encode() if generation else b""
        if generation is None or not stun.is_authentic(data, request, password):
            self._host.drop(Drop.UNAUTHENTIC_CHECK)
            return
        if request.unknown:
            response = stun.error_response(request, stun.UNKNOWN_ATTRIBUTE, password=password)
        elif request.sender_is_controlled:  # a lite agent can be nothing else
            response = stun.error_response(request, stun.ROLE_CONFLICT, password=password)
        elif not self._host.bind(self, key, now_ns):
            self._host.drop(Drop.ADDRESS_IN_USE)
            return
        else:
            self._ice.confirm(generation)
            self.heard_ns = now_ns
            if request.use_candidate or self.selected is None:
                self.selected = key
            address, port, _ = unpack_address(key)
            response = stun.success_response(request, host=address, port=port, password=password)
        self._host.send(response, key)

    def take_dtls(self, datagram: bytes, key: AddressKey, now_ns: int) -> None:
        """Take a DTLS datagram from an address that is bound to this session."""
        if self._dtls is None and self._host.admit_handshake(now_ns):
            self._dtls = self._accept()
        dtls = self._dtls
        if dtls is None or self._records_left == 0:
            self._host.drop(Drop.HANDSHAKE_LIMIT)
            return
        self._records_left -= 1
        for answer in dtls.receive(datagram):
            self._host.send(answer, key)
        if keys := dtls.take_keys():
            self._srtp = SrtpSession(keys)
            self._report_at_ns = now_ns + REPORT_INTERVAL_NS
            self._host.established(self)
        elif dtls.state is DtlsState.CLOSED:
            if self._srtp:
                self.end("the peer closed it", EndReason.LEFT)
            else:
                self.end("the handshake failed")

    def take_rtp(self, slot: Any, offset: int, size: int, arrival_ns: int) -> None:
        """Take an SRTP packet from an address that is bound to this session.

        Args:
            slot: Pointer to the packet, which is unprotected in place.
            offset: The same place in the host's buffer.
            size: In bytes, at least 12.
            arrival_ns: See `RtpPacket`.
        """
        if self._srtp is None:
            self._host.drop(Drop.BEFORE_KEYS)
            return
        buffer = self._buffer
        sources = self._sources
        # Before the library makes a state for the SSRC.
        if len(sources) >= MAX_SOURCES and rtp_ssrc(buffer, offset) not in sources:
            self._host.drop(Drop.SOURCE_LIMIT)
            return
        size = self._srtp.unprotect_rtp(slot, size)
        if size <= 0:
            self._host.drop(Drop.REPLAYED if -size in REPLAYED else Drop.UNAUTHENTIC_MEDIA)
            return
        parsed = parse_rtp(buffer, offset, size, self._level_id)
        if parsed is None:
            self._host.drop(Drop.MALFORMED)
            return
        payload_type, sequence, timestamp, ssrc, level, start, end = parsed
        source = sources.get(ssrc)
        if source is None:
            source = sources[ssrc] = Source(ssrc)
        self.heard_ns = arrival_ns
        source.update(sequence, timestamp, arrival_ns)
        if payload_type != self._payload_type:
            self._host.drop(Drop.PAYLOAD_TYPE)
        elif start < end:
            take = source.take
            if take is None:
                take = source.take = self._sink.source(ssrc)
            take(_new(RtpPacket, (sequence, timestamp, arrival_ns, level, buffer[start:end])))

    def take_rtcp(self, slot: Any, offset: int, size: int, arrival_ns: int) -> None:
        """Take an SRTCP packet; arguments as for `take_rtp`."""
        if self._srtp is None:
            self._host.drop(Drop.BEFORE_KEYS)
            return
        sender = sender_ssrc(self._buffer[offset : offset + size])
        senders = self._rtcp_senders
        if len(senders) >= MAX_RTCP_SENDERS and sender not in senders:
            self._host.drop(Drop.SOURCE_LIMIT)
            return
        size = self._srtp.unprotect_rtcp(slot, size)
        if size <= 0 or sender is None:
            self._host.drop(Drop.REPLAYED if -size in REPLAYED else Drop.UNAUTHENTIC_MEDIA)
            return
        senders.add(sender)
        self.heard_ns = arrival_ns
        for clock in parse_rtcp(self._buffer[offset : offset + size]):
            source = self._sources.get(clock.ssrc)
            # Senders without a wall clock write 0 (RFC 3550 section 6.4.1).
            if source is None or source.take is None or clock.ntp == 0:
                continue
            source.reception.sender_reported(clock.ntp, arrival_ns)
            self._sink.sender_report(
                clock.ssrc, SenderReport(clock.timestamp, ntp_to_utc_ns(clock.ntp), arrival_ns)
            )

    def tick(self, now_ns: int) -> None:
        """Do what is due; called a few times a second."""
        if self._srtp is None:
            if now_ns - self._opened_ns > HANDSHAKE_NS:
                self.end("the handshake took too long")
            elif self._dtls and self.selected:
                for datagram in self._dtls.retransmit():
                    self._host.send(datagram, self.selected)
                if self._dtls.state is DtlsState.CLOSED:
                    self.end("the peer did not answer the handshake")
        elif now_ns - self.heard_ns > CONSENT_NS:
            self.end("the peer is gone")
        elif now_ns >= self._report_at_ns:
            self._report_at_ns = now_ns + REPORT_INTERVAL_NS
            self._records_left = LATER_RECORDS
            self._report(self._srtp, now_ns)

    def _report(self, srtp: SrtpSession, now_ns: int) -> None:
        blocks = [
            source.reception.report(now_ns)
            for source in self._sources.values()
            if source.reception.has_news
        ]
        if blocks and self.selected:
            packet = receiver_report(self._ssrc, blocks, cname=self._cname)
            self._host.send(srtp.protect_rtcp(packet), self.selected)
