"""What a peer sends as SRTCP: authenticated, and from a bounded number of senders.

Sans-IO. What the packets say is read by `rtcp`.
"""

from __future__ import annotations

from typing import Any

from airslice.engines.embedded.rtcp import sender_ssrc
from airslice.engines.embedded.session import Session
from airslice.engines.embedded.srtp import SrtpSession
from airslice.engines.embedded.stats import Drop


class ControlInput:
    """Takes the SRTCP packets of one session, whose host counts what is dropped.

    At most `max_senders` SSRCs are taken; libsrtp keeps a state for each.
    """

    def __init__(self, session: Session, srtp: SrtpSession, max_senders: int) -> None:
        self._session = session
        self._buffer = session.host.slots.buffer
        self._unprotect = srtp.unprotect_rtcp
        self._max_senders = max_senders
        self._senders: set[int] = set()

    def take(self, slot: Any, offset: int, size: int, arrival_ns: int) -> bytes:
        """Return the RTCP packet in an SRTCP packet; b"" if it is dropped.

        The arguments are those of `Session.take_rtp`.
        """
        sender = sender_ssrc(self._buffer[offset : offset + size])
        if len(self._senders) >= self._max_senders and sender not in self._senders:
            self._session.host.drop(Drop.SOURCE_LIMIT)
            return b""
        size = self._unprotect(slot, size)
        if size <= 0 or sender is None:
            self._session.host.drop(Drop.of_refused(size))
            return b""
        self._senders.add(sender)
        self._session.heard_ns = arrival_ns
        packet: bytes = self._buffer[offset : offset + size]
        return packet
