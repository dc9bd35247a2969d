"""A plain reader of Ogg pages, written from RFC 3533 without a look at the writer."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class OggPage:
    """One page (RFC 3533 section 6)."""

    flags: int
    granule: int
    serial: int
    number: int
    segments: tuple[int, ...]
    body: bytes


def read_pages(data: bytes) -> list[OggPage]:
    """Split a file into pages and check each one's checksum."""
    pages = []
    while data:
        magic, version, flags, granule, serial, number, checksum, count = struct.unpack_from(
            "<4sBBqIIIB", data
        )
        assert (magic, version) == (b"OggS", 0)
        segments = tuple(data[27 : 27 + count])
        size = 27 + count + sum(segments)
        page = data[:size]
        assert len(page) == size
        assert checksum == ogg_crc(page[:22] + bytes(4) + page[26:])
        pages.append(OggPage(flags, granule, serial, number, segments, page[27 + count :]))
        data = data[size:]
    return pages


def packets_of(pages: list[OggPage]) -> list[tuple[bytes, int]]:
    """Return all packets, each with the number of the page on which it ends."""
    packets = []
    packet = b""
    for page in pages:
        assert bool(page.flags & 1) == bool(packet)
        at = 0
        for size in page.segments:
            packet += page.body[at : at + size]
            at += size
            if size < 255:
                packets.append((packet, page.number))
                packet = b""
    assert packet == b""
    return packets


def ogg_crc(data: bytes) -> int:
    """Return Ogg's CRC: polynomial 0x04C11DB7, from 0, high bit first, not inverted."""
    register = 0
    for byte in data:
        register = (register << 8 & 0xFFFFFFFF) ^ _CRC_TABLE[register >> 24 ^ byte]
    return register


def _crc_of_byte(byte: int) -> int:
    register = byte << 24
    for _ in range(8):
        register = (register << 1) ^ (0x104C11DB7 if register & 0x80000000 else 0)
    return register


_CRC_TABLE = [_crc_of_byte(byte) for byte in range(256)]
