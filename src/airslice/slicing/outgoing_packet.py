"""An RTP packet on its way to listeners, before it is addressed and encrypted."""

from __future__ import annotations

from typing import NamedTuple


class OutgoingPacket(NamedTuple):
    """The part of an RTP packet that is the same for all listeners of a stream."""

    sequence: int
    """Sequence number, 0 <= sequence < 2**16; numbers of packets lost before are left out."""
    timestamp: int
    """RTP timestamp of the first sample, in 48 kHz ticks, 0 <= timestamp < 2**32."""
    marker: bool
    """Whether the packet is the first one after a pause (RFC 7587 section 4.1)."""
    level: int
    """RFC 6464 audio level in -dBov, 0 to 127, or `LEVEL_UNKNOWN`."""
    captured_ns: int
    """When its first sample was captured, on the server's monotonic clock."""
    payload: bytes
    """One Opus packet (RFC 6716)."""
