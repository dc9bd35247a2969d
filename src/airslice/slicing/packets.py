"""What arrives from a publisher, as the core takes it: RTP packets and sender reports.

Parsing and decryption are in the media engine.
"""

from __future__ import annotations

from typing import NamedTuple

RTP_CLOCK_HZ = 48_000
"""Rate of Opus' RTP timestamps, which is always 48 kHz (RFC 7587 section 4.1)."""

LEVEL_UNKNOWN = -1
"""The audio level of a packet whose sender gave none."""


class RtpPacket(NamedTuple):
    """One received RTP packet of an Opus source."""

    sequence: int
    """Sequence number from the header, 0 <= sequence < 2**16."""
    timestamp: int
    """RTP timestamp of the first sample, in 48 kHz ticks, 0 <= timestamp < 2**32."""
    arrival_ns: int
    """When it was received, on the server's monotonic clock, in nanoseconds."""
    level: int
    """RFC 6464 audio level in -dBov, 0 (loudest) to 127 (digital silence), or `LEVEL_UNKNOWN`."""
    payload: bytes
    """One Opus packet (RFC 6716), never empty."""


class SenderReport(NamedTuple):
    """The clock pair of an RTCP sender report (RFC 3550 section 6.4.1)."""

    timestamp: int
    """RTP timestamp, in 48 kHz ticks, 0 <= timestamp < 2**32."""
    utc_ns: int
    """The same instant on the sender's wall clock, nanoseconds since the Unix epoch."""
    arrival_ns: int
    """When it was received, on the server's monotonic clock, in nanoseconds."""
