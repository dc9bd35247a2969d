"""The length of an Opus packet, found without decoding it, and packets made up to fill gaps.

Source: RFC 6716 section 3 (framing), RFC 7845 section 4.1 (repairing missing data).
"""

from __future__ import annotations

from airslice.slicing.audio import OpusFrame

MAX_PACKET_SAMPLES = 5_760
"""Length of the longest packet, 120 ms at 48 kHz (RFC 6716 section 3.4, requirement R5)."""

_MAX_FRAME_BYTES = 1_275

LEVEL_SILENT = 127
"""RFC 6464 audio level of digital silence, in -dBov."""


def _frame_samples(config: int) -> int:
    """Return a TOC configuration's frame length (RFC 6716 table 2), in 48 kHz samples."""
    if config < 12:  # SILK
        return (480, 960, 1_920, 2_880)[config % 4]
    if config < 16:  # hybrid
        return (480, 960)[config % 2]
    return (120, 240, 480, 960)[config % 4]  # CELT


_FRAME_SAMPLES = tuple(_frame_samples(toc >> 3) for toc in range(256))


def packet_samples(payload: bytes) -> int:
    """Return how long an Opus packet lasts, in 48 kHz samples; 0 if it is malformed.

    A packet is malformed if it breaks one of the requirements R1 to R7 of RFC 6716 section 3.4.
    """
    size = len(payload)
    if size == 0:
        return 0
    toc = payload[0]
    code = toc & 3
    if code == 0:
        return _FRAME_SAMPLES[toc] if size <= _MAX_FRAME_BYTES + 1 else 0
    if code == 1:
        fits = size % 2 == 1 and size // 2 <= _MAX_FRAME_BYTES
        return 2 * _FRAME_SAMPLES[toc] if fits else 0
    if code == 2:
        first = _frame_size(payload, 1)
        if first is None:
            return 0
        second_bytes = size - first[1] - first[0]
        return 2 * _FRAME_SAMPLES[toc] if 0 <= second_bytes <= _MAX_FRAME_BYTES else 0
    return _code_3_samples(payload)


def _code_3_samples(payload: bytes) -> int:
    size = len(payload)
    if size < 2:
        return 0
    count = payload[1] & 0x3F
    samples = count * _FRAME_SAMPLES[payload[0]]
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        return 0
    at = 2
    padding = 0
    if payload[1] & 0x40:
        while True:
            if at >= size:
                return 0
            length = payload[at]
            at += 1
            padding += 254 if length == 255 else length
            if length != 255:
                break
    if payload[1] & 0x80:
        for _ in range(count - 1):
            frame = _frame_size(payload, at)
            if frame is None:
                return 0
            at = frame[1]
            padding += frame[0]
        last_bytes = size - at - padding
        return samples if 0 <= last_bytes <= _MAX_FRAME_BYTES else 0
    rest = size - at - padding
    return samples if rest >= 0 and rest % count == 0 and rest // count <= _MAX_FRAME_BYTES else 0


def _frame_size(payload: bytes, at: int) -> tuple[int, int] | None:
    """Read a frame length coded at `at` (RFC 6716 section 3.2.1): (length, where it ends)."""
    if at >= len(payload):
        return None
    first = payload[at]
    if first < 252:
        return first, at + 1
    if at + 1 >= len(payload):
        return None
    return first + 4 * payload[at + 1], at + 2


_SILENT_TOCS = ((960, 0xF8), (480, 0xF0), (240, 0xE8), (120, 0xE0))  # CELT, full band, mono

SILENT_FRAMES = {
    samples: OpusFrame(bytes((toc, 0xFF, 0xFE)), samples, LEVEL_SILENT)
    for samples, toc in _SILENT_TOCS
}
"""Packets of digital silence by their length in 48 kHz samples."""


def silent_frames(samples: int) -> list[OpusFrame]:
    """Return packets of digital silence that last `samples`, a multiple of 120."""
    count, rest = divmod(samples, 960)
    frames = [SILENT_FRAMES[960]] * count
    for length, _ in _SILENT_TOCS[1:]:
        if rest >= length:
            frames.append(SILENT_FRAMES[length])
            rest -= length
    return frames


def lost_frames(previous: OpusFrame, samples: int) -> list[OpusFrame]:
    """Return packets that make a decoder conceal `samples`, a multiple of 120.

    They have the mode of `previous` and no data, as RFC 7845 section 4.1 asks of writers where
    packets are missing. The rest that its frame length does not divide is silence.
    """
    toc = previous.payload[0] & 0xFC
    length = _FRAME_SAMPLES[toc]
    count, rest = divmod(samples, length)
    lost = OpusFrame(bytes((toc,)), length, previous.level)
    return [lost] * count + silent_frames(rest)
