"""What a publisher sends: SRTP packets in, RTP packets and sender reports out to the sink.

Sans-IO. `take_rtp` runs for each packet. What listeners are sent is in `sending`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airslice.application.ports.media import StreamSink
from airslice.domain.room_event import EndReason
from airslice.engines.embedded.control import ControlInput
from airslice.engines.embedded.reception import Reception
from airslice.engines.embedded.rtcp import ntp_to_utc_ns, parse_rtcp, receiver_report
from airslice.engines.embedded.rtp import parse_rtp, rtp_ssrc
from airslice.engines.embedded.sdp import AUDIO_LEVEL, Offer
from airslice.engines.embedded.session import Session
from airslice.engines.embedded.srtp import SrtpSession
from airslice.engines.embedded.stats import Drop
from airslice.slicing.packets import RtpPacket, SenderReport

if TYPE_CHECKING:
    from airslice.engines.embedded.switchboard import Switchboard

MAX_SOURCES = 8
"""SSRCs that one publisher may send RTP from; libsrtp keeps a state for each."""

MAX_RTCP_SENDERS = 16
"""SSRCs that one publisher may send RTCP from."""

_new = tuple.__new__


class Source:
    """One SSRC of a publisher: its statistics, and the sink's function for its packets."""

    __slots__ = ("reception", "take", "update")

    def __init__(self, ssrc: int) -> None:
        self.reception = Reception(ssrc)
        self.update = self.reception.update
        self.take: Callable[[RtpPacket], object] | None = None


class Receiving:
    """Hands what a publisher sends to a sink (`session.Media`)."""

    answer_lines = ("a=recvonly",)

    def __init__(self, offer: Offer, sink: StreamSink, host: Switchboard) -> None:
        self._sink = sink
        self._host = host
        self._buffer = host.slots.buffer
        self._session: Session
        self._srtp: SrtpSession
        self._control: ControlInput
        self._ssrc = secrets.randbits(32)
        self._cname = secrets.token_hex(8).encode()
        self._payload_type = offer.payload_type
        self._level_id = offer.extensions.get(AUDIO_LEVEL, 0)
        self._sources: dict[int, Source] = {}

    def established(self, session: Session, srtp: SrtpSession) -> None:
        """Begin with the keys of a handshake."""
        self._session = session
        self._srtp = srtp
        self._control = ControlInput(session, srtp, MAX_RTCP_SENDERS)
        self._unprotect = srtp.unprotect_rtp

    def take_rtp(self, slot: Any, offset: int, size: int, arrival_ns: int) -> None:
        """Hand an RTP packet to the sink, if it is authentic and Opus."""
        buffer = self._buffer
        sources = self._sources
        # Before the library makes a state for the SSRC.
        if len(sources) >= MAX_SOURCES and rtp_ssrc(buffer, offset) not in sources:
            self._host.drop(Drop.SOURCE_LIMIT)
            return
        size = self._unprotect(slot, size)
        if size <= 0:
            self._host.drop(Drop.of_refused(size))
            return
        parsed = parse_rtp(buffer, offset, size, self._level_id)
        if parsed is None:
            self._host.drop(Drop.MALFORMED)
            return
        payload_type, sequence, timestamp, ssrc, level, start, end = parsed
        source = sources.get(ssrc)
        if source is None:
            source = sources[ssrc] = Source(ssrc)
        self._session.heard_ns = arrival_ns
        source.update(sequence, timestamp, arrival_ns)
        if payload_type != self._payload_type:
            self._host.drop(Drop.PAYLOAD_TYPE)
        elif start < end:
            take = source.take
            if take is None:
                take = source.take = self._sink.source(ssrc)
            take(_new(RtpPacket, (sequence, timestamp, arrival_ns, level, buffer[start:end])))

    def take_rtcp(self, slot: Any, offset: int, size: int, arrival_ns: int) -> None:
        """Hand the sender reports of an RTCP packet to the sink, if it is authentic."""
        for clock in parse_rtcp(self._control.take(slot, offset, size, arrival_ns)):
            source = self._sources.get(clock.ssrc)
            # Senders without a wall clock write 0 (RFC 3550 section 6.4.1).
            if source is None or source.take is None or clock.ntp == 0:
                continue
            source.reception.sender_reported(clock.ntp, arrival_ns)
            self._sink.sender_report(
                clock.ssrc, SenderReport(clock.timestamp, ntp_to_utc_ns(clock.ntp), arrival_ns)
            )

    def report(self, now_ns: int) -> None:
        """Send a receiver report about the sources that sent something since the last."""
        blocks = [
            source.reception.report(now_ns)
            for source in self._sources.values()
            if source.reception.has_news
        ]
        if blocks and self._session.selected:
            packet = receiver_report(self._ssrc, blocks, cname=self._cname)
            self._host.send(self._srtp.protect_rtcp(packet), self._session.selected)

    def ended(self, reason: EndReason) -> None:
        """Tell the sink that the session has ended."""
        self._sink.ended(reason)
