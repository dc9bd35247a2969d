"""Packets and a decoder whose samples tell which packet they come from."""

from __future__ import annotations

import os
import struct

import numpy as np
from hypothesis import HealthCheck, settings

from airslice.slicing.packets import RtpPacket

MS = 1_000_000
"""Nanoseconds."""

GRAIN = 120
GRAIN_NS = 2_500_000

PACKET_LENGTHS = (120, 240, 480, 960, 1_920, 2_880, 3_840, 4_800, 5_760)

_ONE_FRAME_TOCS = {120: 0xE0, 240: 0xE8, 480: 0xF0, 960: 0xF8, 1_920: 0x10, 2_880: 0x18}
_FRAMES_OF_960 = {3_840: 4, 4_800: 5, 5_760: 6}


def examples(count: int) -> settings:
    """Run a property `count` times; AIRSLICE_MORE_EXAMPLES=20 runs it 20 times as often."""
    factor = int(os.environ.get("AIRSLICE_MORE_EXAMPLES", "1"))
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=count * factor, deadline=None, suppress_health_check=slow)


def payload(samples: int, identity: int = 0) -> bytes:
    """Return a well-formed Opus packet that lasts `samples` and carries a number."""
    body = struct.pack(">I", identity)
    if samples in _ONE_FRAME_TOCS:
        return bytes((_ONE_FRAME_TOCS[samples],)) + body
    count = _FRAMES_OF_960[samples]
    return bytes((0xFB, count)) + body * count


def packet(
    number: int,
    *,
    at_ms: float,
    timestamp: int | None = None,
    samples: int = 960,
    level: int = 30,
) -> RtpPacket:
    """Return the packet `number`, by default one of an unbroken row of 20 ms packets."""
    return RtpPacket(
        number & 0xFFFF,
        (number * samples if timestamp is None else timestamp) & 0xFFFF_FFFF,
        round(at_ms * MS),
        level,
        payload(samples, number & 0xFFFF_FFFF),
    )


def decoded(identity: int, samples: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """What `MarkingDecoder` makes of the packet `identity`: 1 and more."""
    return ((identity * 7_919 + np.arange(samples)) % 16_000 + 1).astype(np.int16)


CONCEALED = 20_000
"""Every sample that `MarkingDecoder` makes up."""


class MarkingDecoder:
    """Stands for a decoder: what it returns tells what it was asked."""

    def decode(self, payload: bytes, samples: int) -> bytes:
        """Return 1 and more."""
        return decoded(_identity(payload), samples).tobytes()

    def recover(self, payload: bytes, samples: int) -> bytes:
        """Return -1 and less."""
        return (-decoded(_identity(payload), samples)).tobytes()

    def conceal(self, samples: int) -> bytes:
        """Return `CONCEALED`."""
        return np.full(samples, CONCEALED, np.int16).tobytes()


def _identity(payload: bytes) -> int:
    (identity,) = struct.unpack(">I", payload[-4:])
    return int(identity)
