"""What a listener is sent: RTP packets in, SRTP packets and sender reports out.

Sans-IO. One Opus stream with an SSRC of its own. What publishers send is in `receiving`.
Source: RFC 3550 sections 5.1 and 6.4.1, RFC 7587, RFC 8830 (msid), RFC 5576 (ssrc), RFC 6464.
"""

from __future__ import annotations

import logging
import secrets
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airslice.application.ports.clock import Clock
from airslice.domain.room_event import EndReason
from airslice.engines.embedded.control import ControlInput
from airslice.engines.embedded.rtcp import (
    SenderClock,
    parse_report_blocks,
    sender_report,
    utc_ns_to_ntp,
)
from airslice.engines.embedded.sdp import AUDIO_LEVEL, Offer
from airslice.engines.embedded.session import Session
from airslice.engines.embedded.srtp import SrtpSession
from airslice.engines.embedded.stats import Drop
from airslice.slicing.outgoing_packet import OutgoingPacket
from airslice.slicing.packets import RTP_CLOCK_HZ

if TYPE_CHECKING:
    from airslice.engines.embedded.switchboard import Switchboard

MAX_RTCP_SENDERS = 4
"""SSRCs that one listener may send RTCP from."""

_HEADER = struct.Struct("!BBHII")
_LEVEL_HEADER = struct.Struct("!BBHIIHHBBxx")
_ONE_BYTE_PROFILE = 0xBEDE
_MAX_ONE_BYTE_ID = 14

_logger = logging.getLogger(__name__)


class Sending:
    """Sends a listener his stream, and reports on it (`session.Media`)."""

    def __init__(
        self, offer: Offer, on_ended: Callable[[EndReason], None], host: Switchboard, clock: Clock
    ) -> None:
        self._on_ended = on_ended
        self._host = host
        self._clock = clock
        self._session: Session | None = None
        self._srtp: SrtpSession
        self._control: ControlInput
        self._ssrc = secrets.randbits(32)
        cname, track = secrets.token_hex(8), secrets.token_hex(8)
        self._cname = cname.encode()
        self._payload_type = offer.payload_type
        level_id = offer.extensions.get(AUDIO_LEVEL, 0)
        self._level_id = level_id if level_id <= _MAX_ONE_BYTE_ID else 0
        self._latest: OutgoingPacket | None = None
        self._packets = 0
        self._octets = 0
        self._lost = 0
        self.answer_lines = (
            "a=sendonly",
            f"a=msid:{cname} {track}",
            f"a=ssrc:{self._ssrc} cname:{cname}",
            f"a=ssrc:{self._ssrc} msid:{cname} {track}",
        )

    def established(self, session: Session, srtp: SrtpSession) -> None:
        """Begin with the keys of a handshake."""
        self._srtp = srtp
        self._session = session
        self._control = ControlInput(session, srtp, MAX_RTCP_SENDERS)

    def send(self, packet: OutgoingPacket) -> None:
        """Send a packet; nothing happens before the handshake is done, or after the end."""
        session = self._session
        if session is None or session.selected is None:
            return
        sequence, timestamp, marker, level, _, payload = packet
        second = self._payload_type | marker << 7
        if level >= 0 and self._level_id:
            header = _LEVEL_HEADER.pack(
                0x90,
                second,
                sequence,
                timestamp,
                self._ssrc,
                _ONE_BYTE_PROFILE,
                1,
                self._level_id << 4,
                level,
            )
        else:
            header = _HEADER.pack(0x80, second, sequence, timestamp, self._ssrc)
        self._host.send(self._srtp.protect_rtp(header + payload), session.selected)
        is_first = self._latest is None
        self._latest = packet
        self._packets += 1
        self._octets += len(payload)
        if is_first:  # what comes first can be placed in time at once
            self.report(self._clock.monotonic_ns())

    def take_rtp(self, slot: Any, offset: int, size: int, arrival_ns: int) -> None:
        """Drop a packet: a listener has no stream of his own."""
        del slot, offset, size, arrival_ns
        self._host.drop(Drop.UNASKED)

    def take_rtcp(self, slot: Any, offset: int, size: int, arrival_ns: int) -> None:
        """Note the losses that the listener reports, if the packet is authentic."""
        for block in parse_report_blocks(self._control.take(slot, offset, size, arrival_ns)):
            if block.ssrc == self._ssrc:
                self._lost = block.lost

    def report(self, now_ns: int) -> None:
        """Send a sender report, which says what time it is now on the stream's clock."""
        latest, session = self._latest, self._session
        if latest is None or session is None or session.selected is None:
            return
        since_capture = (now_ns - latest.captured_ns) * RTP_CLOCK_HZ // 1_000_000_000
        utc_ns = self._clock.utc_ns() - (self._clock.monotonic_ns() - now_ns)
        clock = SenderClock(
            self._ssrc, utc_ns_to_ntp(utc_ns), (latest.timestamp + since_capture) & 0xFFFF_FFFF
        )
        packet = sender_report(
            clock,
            packets=self._packets & 0xFFFF_FFFF,
            octets=self._octets & 0xFFFF_FFFF,
            cname=self._cname,
        )
        self._host.send(self._srtp.protect_rtcp(packet), session.selected)

    def ended(self, reason: EndReason) -> None:
        """Stop sending, and tell who opened the session why it has ended."""
        self._session = None
        _logger.info("A listener got %d packets less %d lost", self._packets, self._lost)
        self._on_ended(reason)


class ListenerSession:
    """A listener's session: what `Session` and `Sending` do of the port `ListeningSession`."""

    def __init__(self, session: Session, sending: Sending) -> None:
        self.session = session
        self.answer = session.answer
        self.send = sending.send
        self.restart = session.restart
        self.close = session.close
