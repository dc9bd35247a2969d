"""One peer's session: connectivity checks, then the DTLS handshake, then media.

Sans-IO: the switchboard sends, and each call tells the time. What goes over the session is in a
`Media`: `receiving` for publishers, `sending` for listeners.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from airslice.domain.room_event import EndReason
from airslice.engines.embedded import stun
from airslice.engines.embedded.answer import fragment_head, render_answer, render_fragment
from airslice.engines.embedded.dtls import DtlsAssociation, DtlsState
from airslice.engines.embedded.ice import IceLite
from airslice.engines.embedded.sdp import Offer, parse_fragment
from airslice.engines.embedded.srtp import SrtpSession
from airslice.engines.embedded.stats import Drop
from airslice.engines.embedded.udp import AddressKey, unpack_address

if TYPE_CHECKING:
    from airslice.engines.embedded.switchboard import Switchboard

CONSENT_NS = 15 * 10**9
"""A session ends after 15 s without anything authenticated (RFC 7675 section 5.1 allows 30 s)."""

HANDSHAKE_NS = 30 * 10**9
"""How long a peer may take from the SDP answer to the SRTP keys."""

REPORT_INTERVAL_NS = 5 * 10**9
"""Time between RTCP reports (RFC 3550 section 6.2)."""

MAX_ADDRESSES = 8
"""Source addresses that one session may have bound at a time."""

HANDSHAKE_RECORDS = 100
"""DTLS datagrams accepted before there are keys; a handshake has about five."""

LATER_RECORDS = 20
"""DTLS datagrams accepted per report interval, once there are keys."""

_logger = logging.getLogger(__name__)


class Media(Protocol):
    """What goes over a session once it has keys; authentic packets set `Session.heard_ns`."""

    @property
    def answer_lines(self) -> Sequence[str]:
        """SDP lines of the accepted section: its direction, and what is sent in it."""

    def established(self, session: Session, srtp: SrtpSession) -> None:
        """Begin: the handshake is done, and `srtp` has its keys."""

    def take_rtp(self, slot: Any, offset: int, size: int, arrival_ns: int) -> None:
        """Take an SRTP packet (see `Session.take_rtp`)."""

    def take_rtcp(self, slot: Any, offset: int, size: int, arrival_ns: int) -> None:
        """Take an SRTCP packet (see `Session.take_rtp`)."""

    def report(self, now_ns: int) -> None:
        """Send the RTCP report that is due; called every `REPORT_INTERVAL_NS`."""

    def ended(self, reason: EndReason) -> None:
        """Note that the session has ended; called once."""


class Session:
    """One peer's session (port `MediaSession`), opened at `now_ns` on the monotonic clock."""

    def __init__(self, offer: Offer, media: Media, host: Switchboard, now_ns: int) -> None:
        self.heard_ns = now_ns
        """When something authenticated came last, on the monotonic clock."""
        self.addresses: dict[AddressKey, None] = {}
        """Source addresses bound to this session, the oldest first; the host keeps them."""
        self.selected: AddressKey | None = None
        """The bound address that datagrams are sent to; None until a check has come."""
        self.host = host
        self.take_rtp: Callable[[Any, int, int, int], None] = self._too_early
        """Takes an SRTP packet from an address that is bound to this session: pointer to the
        packet, which is unprotected in place; the same place as an offset in the host's buffer;
        size in bytes, at least 12; time of arrival as in `RtpPacket`."""
        self.take_rtcp: Callable[[Any, int, int, int], None] = self._too_early
        """Takes an SRTCP packet; the arguments are those of `take_rtp`."""
        self._media = media
        self._fingerprints = offer.fingerprints
        self._dtls: DtlsAssociation | None = None
        self._records_left = HANDSHAKE_RECORDS
        self.has_keys = False
        """Whether the handshake is done, and media can be received and sent."""
        self._ice = IceLite(offer.ice_ufrag)
        self._opened_ns = now_ns
        self._report_at_ns = 0
        self._is_open = True
        self._id = secrets.randbits(62)
        self._mid = offer.sections[offer.audio].mid
        self._fragment_head = fragment_head(offer)
        self.answer = render_answer(
            offer,
            host.transport,
            self._ice.generations[0].local,
            session_id=self._id,
            media_lines=media.answer_lines,
        )

    @property
    def ufrags(self) -> list[bytes]:
        """This side's ICE user name fragments whose connectivity checks are answered."""
        return [generation.local.ufrag.encode() for generation in self._ice.generations]

    def restart(self, fragment: str) -> str:
        """Take the peer's new ICE credentials; return ours (port `MediaSession`)."""
        ufrag = parse_fragment(fragment, self._mid)
        credentials = self._ice.restart(ufrag) if ufrag is not None else None
        if credentials is None or not self._is_open:
            return ""
        self.host.index(self)
        return render_fragment(self._fragment_head, self.host.transport, credentials)

    def close(self) -> None:
        """End the session from this side (port `MediaSession`)."""
        self.end("closed by this side")

    def end(self, why: str, reason: EndReason = EndReason.LOST) -> None:
        """End the session unless it has ended; `why` is for the log, `reason` for the media."""
        if not self._is_open:
            return
        self._is_open = False
        if self._dtls and self.selected:
            for datagram in self._dtls.close():
                self.host.send(datagram, self.selected)
        self.host.remove(self)
        _logger.info("Session %d ended: %s", self._id, why)
        try:
            self._media.ended(reason)
        except Exception:
            _logger.exception("The media of session %d failed to end", self._id)

    def is_using(self, key: AddressKey, now_ns: int) -> bool:
        """Whether the peer has keys, is at `key`, and was heard within `REPORT_INTERVAL_NS`."""
        is_fresh = now_ns - self.heard_ns < REPORT_INTERVAL_NS
        return self.has_keys and key == self.selected and is_fresh

    def take_check(
        self, data: bytes, request: stun.BindingRequest, key: AddressKey, now_ns: int
    ) -> None:
        """Take a connectivity check with a ufrag of this session; answer it if it is authentic."""
        generation = self._ice.generation(request.username)
        password = generation.local.password.encode() if generation else b""
        if generation is None or not stun.is_authentic(data, request, password):
            self.host.drop(Drop.UNAUTHENTIC_CHECK)
            return
        if request.unknown:
            response = stun.error_response(request, stun.UNKNOWN_ATTRIBUTE, password=password)
        elif request.sender_is_controlled:  # a lite agent can be nothing else
            response = stun.error_response(request, stun.ROLE_CONFLICT, password=password)
        elif not self.host.bind(self, key, now_ns):
            self.host.drop(Drop.ADDRESS_IN_USE)
            return
        else:
            self._ice.confirm(generation)
            self.heard_ns = now_ns
            if request.use_candidate or self.selected is None:
                self.selected = key
            address, port, _ = unpack_address(key)
            response = stun.success_response(request, host=address, port=port, password=password)
        self.host.send(response, key)

    def take_dtls(self, datagram: bytes, key: AddressKey, now_ns: int) -> None:
        """Take a DTLS datagram from an address that is bound to this session."""
        if self._dtls is None and self.host.admit_handshake(now_ns):
            self._dtls = self.host.dtls_server.accept(self._fingerprints)
        dtls = self._dtls
        if dtls is None or self._records_left == 0:
            self.host.drop(Drop.HANDSHAKE_LIMIT)
            return
        self._records_left -= 1
        for answer in dtls.receive(datagram):
            self.host.send(answer, key)
        if keys := dtls.take_keys():
            self.has_keys = True
            self._report_at_ns = now_ns + REPORT_INTERVAL_NS
            self._media.established(self, SrtpSession(keys))
            self.take_rtp = self._media.take_rtp
            self.take_rtcp = self._media.take_rtcp
            self.host.established(self)
        elif dtls.state is DtlsState.CLOSED:
            if self.has_keys:
                self.end("the peer closed it", EndReason.LEFT)
            else:
                self.end("the handshake failed")

    def tick(self, now_ns: int) -> None:
        """Time out, retransmit and report what is due; called a few times a second."""
        if not self.has_keys:
            if now_ns - self._opened_ns > HANDSHAKE_NS:
                self.end("the handshake took too long")
            elif self._dtls and self.selected:
                for datagram in self._dtls.retransmit():
                    self.host.send(datagram, self.selected)
                if self._dtls.state is DtlsState.CLOSED:
                    self.end("the peer did not answer the handshake")
        elif now_ns - self.heard_ns > CONSENT_NS:
            self.end("the peer is gone")
        elif now_ns >= self._report_at_ns:
            self._report_at_ns = now_ns + REPORT_INTERVAL_NS
            self._records_left = LATER_RECORDS
            self._media.report(now_ns)

    def _too_early(self, slot: Any, offset: int, size: int, arrival_ns: int) -> None:
        del slot, offset, size, arrival_ns
        self.host.drop(Drop.BEFORE_KEYS)
