"""Ogg Opus files (RFC 7845) of a publisher's own packets, not decoded."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from airslice.encoding.ogg import OggStream
from airslice.slicing.audio import OpusAudio, OpusFrame
from airslice.slicing.opus_packet import silent_frames
from airslice.slicing.packets import RTP_CLOCK_HZ

_OPUS_HEAD = struct.Struct("<8sBBHIhB")
_VENDOR = b"airslice"

_STEREO = 0x04
"""Bit of an Opus packet's first byte, RFC 6716 section 3.1."""


class _Part(NamedTuple):
    """Samples `start` to `end` of a frame."""

    frame: OpusFrame
    start: int
    end: int


class OggOpusEncoder:
    """Writes Opus packets unchanged into an Ogg file that lasts exactly as long as asked.

    The file opens with what stands `before` the first piece, which players decode but do not play
    (pre-skip), so that the first sample heard is as in the continuous stream. An Ogg file can start
    and end within a packet, but nowhere else leave out part of one: should pieces leave a packet
    incomplete inside the file, silence of the same length stands for what they have of it.
    """

    def __init__(self, path: Path) -> None:
        """Create the file. Its name gives the serial number: same audio, same name, same bytes."""
        self._file = path.open("wb")
        self._stream = OggStream(
            self._file.write, serial=zlib.crc32(path.name.encode()), page_granules=RTP_CLOCK_HZ
        )
        self._has_headers = False
        self._granule = 0
        self._unfinished: _Part | None = None

    def write(self, pieces: Sequence[OpusAudio]) -> None:
        """Append pieces. They start and end at multiples of `slicing.audio.OPUS_GRAIN_SAMPLES`."""
        for piece in pieces:
            if self._has_headers:
                self._append(piece)
            else:
                self._begin(piece)

    def close(self) -> None:
        """Write what is still held back, complete the file and close it."""
        with self._file:
            if not self._has_headers:
                self._write_headers(channels=1, skipped=0)
            end = self._granule
            part = self._unfinished
            if part is not None and part.start == 0:
                end += part.end
                self._add(part.frame)
            elif part is not None:
                end += part.end - part.start
                self._add_silence(part.end - part.start)
            self._stream.finish(end)

    def _begin(self, piece: OpusAudio) -> None:
        skipped = sum(frame.samples for frame in piece.before) + piece.skip
        self._write_headers(_channels((*piece.before, *piece.frames)), skipped)
        for frame in piece.before:
            self._add(frame)
        self._append(replace(piece, skip=0))

    def _append(self, piece: OpusAudio) -> None:
        if not piece.skip and not piece.trim and self._unfinished is None:  # as nearly all are
            for frame in piece.frames:
                self._add(frame)
            return
        last = len(piece.frames) - 1
        for index, frame in enumerate(piece.frames):
            start = 0 if index else piece.skip
            end = frame.samples if index < last else frame.samples - piece.trim
            if self._unfinished is not None:
                start = self._join(frame, start)
            if start == 0 and end == frame.samples:
                self._add(frame)
            elif end < frame.samples:
                self._unfinished = _Part(frame, start, end)
            else:
                self._add_silence(end - start)

    def _join(self, frame: OpusFrame, start: int) -> int:
        """Settle the unfinished part; return where the part that `frame` ends has begun."""
        part = self._unfinished
        self._unfinished = None
        if part is None:
            return start
        if part.frame is frame and part.end == start:
            return part.start
        self._add_silence(part.end - part.start)
        return start

    def _add(self, frame: OpusFrame) -> None:
        payload, samples, _ = frame
        self._granule += samples
        self._stream.add(payload, self._granule)

    def _add_silence(self, samples: int) -> None:
        for frame in silent_frames(samples):
            self._add(frame)

    def _write_headers(self, channels: int, skipped: int) -> None:
        """Write the identification and comment headers (RFC 7845 section 5), a page each."""
        self._has_headers = True
        head = _OPUS_HEAD.pack(b"OpusHead", 1, channels, skipped, RTP_CLOCK_HZ, 0, 0)
        tags = b"OpusTags" + struct.pack("<I", len(_VENDOR)) + _VENDOR + struct.pack("<I", 0)
        for header in (head, tags):
            self._stream.add(header, 0)
            self._stream.end_page()


def _channels(frames: Iterable[OpusFrame]) -> int:
    """Return the number of channels for players to decode to.

    It binds no packet (RFC 7845 section 5.1.1): players mix down or double what differs. Stereo,
    then, only where the publisher sends it: all else would double speech recognition's work.
    """
    return 2 if any(frame.payload[0] & _STEREO for frame in frames) else 1
