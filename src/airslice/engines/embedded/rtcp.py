"""RTCP packets, parsed and built: sender reports, receiver reports and CNAMEs.

Sans-IO, and without SRTCP. Source: RFC 3550 section 6.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_BLOCKS = 31
"""Largest number of report blocks in one packet: their count has five bits."""

_SENDER_REPORT = 200
_RECEIVER_REPORT = 201
_SOURCE_DESCRIPTION = 202
_CNAME = 1

_HEADER = struct.Struct("!BBH")
_SENDER_INFO = struct.Struct("!IQI")
_MORE_SENDER_INFO_BYTES = 8
"""Packet and octet counts, which nobody reads here."""
_BLOCK = struct.Struct("!IIIIII")

_NTP_EPOCH_S = 2_208_988_800
"""Seconds from NTP's epoch, 1900, to Unix's."""
_NTP_ERA = 1 << 64


class SenderClock(NamedTuple):
    """What a sender report says about its sender's clocks."""

    ssrc: int
    ntp: int
    """NTP timestamp, 64 bits: seconds since 1900 in units of 2**-32 s."""
    timestamp: int
    """RTP timestamp of the same instant, in ticks of the RTP clock, 32 bits."""


class ReportBlock(NamedTuple):
    """What was received of one source: a report block of RFC 3550 section 6.4.1."""

    ssrc: int
    fraction_lost: int
    """Share of packets lost since the former report, in units of 1/256."""
    lost: int
    """Packets lost since the beginning, 24 bits, signed; negative if more were duplicated."""
    highest: int
    """Extended highest sequence number received, 32 bits."""
    jitter: int
    """Interarrival jitter, in ticks of the RTP clock."""
    last_report: int
    """Middle 32 bits of the last sender report's NTP timestamp; 0 if there was none."""
    delay: int
    """Time since that sender report came, in units of 2**-16 s."""


def sender_ssrc(packet: bytes) -> int | None:
    """Return the sender's SSRC, which SRTCP leaves in the clear; None if `packet` is too short."""
    return int.from_bytes(packet[4:8], "big") if len(packet) >= 8 else None


def parse_rtcp(data: bytes) -> Iterator[SenderClock]:
    """Yield the sender reports of a compound packet, up to where it is malformed.

    A goodbye changes nothing: a source that sends no more is not reported on, and the session
    lasts as long as its peer's consent.
    """
    for kind, _, body in _packets(data):
        if kind == _SENDER_REPORT and len(body) >= _SENDER_INFO.size:
            yield SenderClock(*_SENDER_INFO.unpack_from(body))


def parse_report_blocks(data: bytes) -> Iterator[ReportBlock]:
    """Yield the report blocks of a compound packet, up to where it is malformed."""
    for kind, count, body in _packets(data):
        at = _SENDER_INFO.size + _MORE_SENDER_INFO_BYTES if kind == _SENDER_REPORT else 4
        if kind not in (_SENDER_REPORT, _RECEIVER_REPORT) or at + count * _BLOCK.size > len(body):
            continue
        for offset in range(at, at + count * _BLOCK.size, _BLOCK.size):
            ssrc, loss, highest, jitter, last_report, delay = _BLOCK.unpack_from(body, offset)
            lost = ((loss & 0xFF_FFFF) ^ 0x80_0000) - 0x80_0000
            yield ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last_report, delay)


def sender_report(clock: SenderClock, *, packets: int, octets: int, cname: bytes) -> bytes:
    """Build a compound packet: a sender report without blocks, and a CNAME of at most 255 bytes.

    `packets`, and `octets` of payload, are what was sent so far, modulo 2**32.
    """
    body = _SENDER_INFO.pack(*clock) + struct.pack("!II", packets, octets)
    return _packet(_SENDER_REPORT, 0, body) + _description(clock.ssrc, cname)


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock], *, cname: bytes) -> bytes:
    """Build a compound packet: a reporter's receiver report, and the CNAME that must go with it.

    There are at most `MAX_BLOCKS` blocks, and 255 bytes of CNAME.
    """
    body = b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | block.lost & 0xFF_FFFF,
            block.highest,
            block.jitter,
            block.last_report,
            block.delay,
        )
        for block in blocks
    )
    report = _packet(_RECEIVER_REPORT, len(blocks), ssrc.to_bytes(4, "big") + body)
    return report + _description(ssrc, cname)


def ntp_to_utc_ns(ntp: int) -> int:
    """Return an NTP timestamp as nanoseconds since the Unix epoch.

    Timestamps below 2**63 are of the era that begins in 2036 (RFC 5905 section 6, RFC 4330
    section 3: the top bit tells).
    """
    if ntp < _NTP_ERA // 2:
        ntp += _NTP_ERA
    return ((ntp * 1_000_000_000) >> 32) - _NTP_EPOCH_S * 1_000_000_000


def utc_ns_to_ntp(utc_ns: int) -> int:
    """Return nanoseconds since the Unix epoch as an NTP timestamp."""
    since_1900_ns = utc_ns + _NTP_EPOCH_S * 1_000_000_000
    return ((since_1900_ns << 32) // 1_000_000_000) % _NTP_ERA


def _packets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield type, count and body of the packets in a compound one, while they are well-formed."""
    at = 0
    while at + _HEADER.size <= len(data):
        first, kind, words = _HEADER.unpack_from(data, at)
        body = at + _HEADER.size
        at = body + 4 * words
        if first >> 6 != 2 or at > len(data):
            return
        yield kind, first & 0x1F, data[body:at]


def _description(ssrc: int, cname: bytes) -> bytes:
    items = bytes([_CNAME, len(cname)]) + cname
    items += bytes(4 - len(items) % 4)  # at least one zero ends the list
    return _packet(_SOURCE_DESCRIPTION, 1, ssrc.to_bytes(4, "big") + items)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body
