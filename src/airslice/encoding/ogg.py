"""The Ogg container (RFC 3533): packets of one logical stream to pages.

Does no I/O: pages go to a callable.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

_PAGE_HEADER = struct.Struct("<4sBBqIIIB")
_CHECKSUM_OFFSET = 22

_CONTINUED, _FIRST, _LAST = 1, 2, 4
"""Bits of the header type, RFC 3533 section 6."""

_NO_PACKET_ENDS = -1
"""Granule position of a page on which no packet is completed."""

_MAX_SEGMENTS = 255
_SEGMENT_BYTES = 255

_MIRRORED_BYTES = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class OggStream:
    """Put packets into pages, each as full as its bounds allow.

    One packet is always kept back, so that the last page can be marked as such.
    """

    def __init__(
        self, write: Callable[[bytes], object], *, serial: int, page_granules: int
    ) -> None:
        """Start a logical stream, 0 <= `serial` < 2**32; `write` takes one whole page per call.

        The granule position may advance by `page_granules` within one page; a longer packet gets
        a page of its own.
        """
        self._write = write
        self._serial = serial
        self._page_granules = page_granules
        self._page_number = 0
        self._flags = _FIRST
        self._lacing = bytearray()
        self._packets: list[bytes] = []
        self._granule = 0
        self._page_limit = page_granules

    def add(self, packet: bytes, granule: int) -> None:
        """Append a packet; `granule` is the stream's position at its end."""
        full, rest = divmod(len(packet), _SEGMENT_BYTES)
        lacing = self._lacing
        if lacing and (granule > self._page_limit or len(lacing) + full >= _MAX_SEGMENTS):
            self.end_page()
        if full:
            lacing += b"\xff" * full
        lacing.append(rest)
        self._packets.append(packet)
        self._granule = granule
        if full >= _MAX_SEGMENTS:
            self._spill()

    def end_page(self) -> None:
        """Write what was added since the last page."""
        self._write_page(self._lacing, b"".join(self._packets), self._granule)
        self._lacing.clear()
        self._packets.clear()
        self._page_limit = self._granule + self._page_granules

    def finish(self, granule: int) -> None:
        """Write the last page of a stream that ends at `granule`.

        The rest of a packet that ends later is not to be played (RFC 7845 section 4.4).
        """
        self._flags |= _LAST
        self._granule = granule
        self.end_page()

    def _spill(self) -> None:
        """Write the pages that the only packet at hand fills."""
        size = _MAX_SEGMENTS * _SEGMENT_BYTES
        body = self._packets.pop()
        while len(self._lacing) > _MAX_SEGMENTS:
            self._write_page(self._lacing[:_MAX_SEGMENTS], body[:size], _NO_PACKET_ENDS)
            self._flags = _CONTINUED
            del self._lacing[:_MAX_SEGMENTS]
            body = body[size:]
        self._packets.append(body)

    def _write_page(self, lacing: bytearray, body: bytes, granule: int) -> None:
        header = _PAGE_HEADER.pack(
            b"OggS", 0, self._flags, granule, self._serial, self._page_number, 0, len(lacing)
        )
        page = bytearray(header + lacing + body)
        page[_CHECKSUM_OFFSET : _CHECKSUM_OFFSET + 4] = _checksum(page)
        self._write(bytes(page))
        self._flags = 0
        self._page_number += 1


def _checksum(page: bytearray) -> bytes:
    """Return the CRC of a page as it stands in its header.

    Ogg's CRC has zlib's polynomial, but takes the high bit of a byte first, starts from 0 and is
    not inverted (RFC 3533 section 6). Mirroring each byte lets zlib do the work, in C.
    """
    all_ones = 0xFFFFFFFF
    mirrored = zlib.crc32(page.translate(_MIRRORED_BYTES), all_ones) ^ all_ones
    return mirrored.to_bytes(4, "big").translate(_MIRRORED_BYTES)
