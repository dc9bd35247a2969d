"""RTP headers of received packets, and the audio level in their header extensions.

Sans-IO, and without SRTP.
Source: RFC 3550 section 5.1, RFC 8285 (header extensions), RFC 6464 (audio level).
"""

from __future__ import annotations

import struct
from typing import Any, TypeAlias

from airslice.slicing.packets import LEVEL_UNKNOWN

MIN_HEADER_BYTES = 12
"""Size of an RTP header without CSRCs and extensions."""

ParsedRtp: TypeAlias = tuple[int, int, int, int, int, int, int]
"""Payload type, sequence number, timestamp, SSRC, audio level, and start and end of the payload."""

_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")
_USUAL = struct.Struct("!BBHIIHHBB")
_USUAL_ELEMENTS = MIN_HEADER_BYTES + _EXTENSION.size

_ONE_BYTE_PROFILE = 0xBEDE
_ONE_BYTE_STOP = 15
_TWO_BYTE_PROFILE = 0x1000
_TWO_BYTE_MASK = 0xFFF0
"""The low four bits are free (RFC 8285 section 4.3)."""


def parse_rtp(buffer: Any, offset: int, size: int, level_id: int) -> ParsedRtp | None:
    """Parse the header of an RTP packet.

    Args:
        buffer: A buffer of at least `offset + size` bytes, whose slices are bytes.
        offset: Where the packet begins in `buffer`, in bytes.
        size: Length of the packet, in bytes.
        level_id: Negotiated id of the audio level extension; 0 if there is none.

    Returns:
        The header's fields; None if the packet is malformed. The payload's start and end are
        offsets in `buffer`. They are equal if it is empty, as in a probe that is all padding.
    """
    if size < MIN_HEADER_BYTES:
        return None
    if size >= _USUAL.size:
        # Nearly all packets have one extension block with the level first: parse it in one step.
        first, second, sequence, timestamp, ssrc, profile, words, lead, value = _USUAL.unpack_from(
            buffer, offset
        )
        start = offset + _USUAL_ELEMENTS + 4 * words
        if (
            first == 0x90
            and profile == _ONE_BYTE_PROFILE
            and lead == level_id << 4
            and level_id
            and words
            and start <= offset + size
        ):
            return second & 0x7F, sequence, timestamp, ssrc, value & 0x7F, start, offset + size
    return _parse_any(buffer, offset, size, level_id)


def _parse_any(buffer: Any, offset: int, size: int, level_id: int) -> ParsedRtp | None:
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(buffer, offset)
    start = offset + MIN_HEADER_BYTES
    end = offset + size
    if first & 0xEF != 0x80:  # not version 2 without padding and CSRCs
        if first >> 6 != 2:
            return None
        start += 4 * (first & 0x0F)
        if first & 0x20:
            padding = buffer[end - 1 : end][0]
            if padding == 0:
                return None
            end -= padding
    level = LEVEL_UNKNOWN
    if first & 0x10:
        elements = start + _EXTENSION.size
        if elements > end:
            return None
        profile, words = _EXTENSION.unpack_from(buffer, start)
        start = elements + 4 * words
        if level_id and words:
            level = audio_level(profile, buffer[elements : min(start, end)], level_id)
    if start > end:
        return None
    return second & 0x7F, sequence, timestamp, ssrc, level, start, end


def rtp_ssrc(buffer: Any, offset: int) -> int:
    """Return the SSRC of the RTP or SRTP packet at `offset`."""
    return int.from_bytes(buffer[offset + 8 : offset + MIN_HEADER_BYTES], "big")


def audio_level(profile: int, elements: bytes, level_id: int) -> int:
    """Return the audio level among the header extensions, or `LEVEL_UNKNOWN`.

    Args:
        profile: The extension block's "defined by profile" field.
        elements: The extension block's data. The search ends where it is malformed (RFC 8285).
        level_id: Negotiated id of the audio level extension.
    """
    if profile == _ONE_BYTE_PROFILE:
        return _level_among_one_byte(elements, level_id)
    if profile & _TWO_BYTE_MASK == _TWO_BYTE_PROFILE:
        return _level_among_two_byte(elements, level_id)
    return LEVEL_UNKNOWN


def _level_among_one_byte(elements: bytes, level_id: int) -> int:
    at = 0
    last = len(elements) - 1
    while at < last:
        lead = elements[at]
        if lead >> 4 == level_id:
            return elements[at + 1] & 0x7F
        if lead >> 4 == _ONE_BYTE_STOP:
            break
        at += 1 if lead == 0 else 2 + (lead & 0x0F)
    return LEVEL_UNKNOWN


def _level_among_two_byte(elements: bytes, level_id: int) -> int:
    at = 0
    while at + 2 < len(elements):
        lead, size = elements[at], elements[at + 1]
        if lead == level_id and size > 0:
            return elements[at + 2] & 0x7F
        at += 1 if lead == 0 else 2 + size
    return LEVEL_UNKNOWN
