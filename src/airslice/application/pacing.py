"""One timer for everything that sends in real time, and the packets of one broadcast by it.

What is sent is decided in `broadcast` and `listening`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

from airslice.application.ports.media import FRAME_SAMPLES, RtpSink
from airslice.application.wall_clock import WallClock
from airslice.slicing.packets import LEVEL_UNKNOWN, RTP_CLOCK_HZ, RtpPacket, SenderReport

FRAME_MS = FRAME_SAMPLES * 1_000 // RTP_CLOCK_HZ
FRAME_NS = FRAME_MS * 1_000_000

MAX_CATCH_UP_FRAMES = 100
"""2 s: after a longer stall of the process, what comes before is left out of the stream's time, as
is what a sender does not send for being silent. What is told is not left out, it comes later."""

REPORT_FRAMES = 125
"""A sender report each 2.5 s, and one with the first frame."""

_log = logging.getLogger(__name__)


class Frame(NamedTuple):
    """20 ms of a broadcast."""

    payload: bytes
    """One Opus packet."""
    level: int = LEVEL_UNKNOWN
    """RFC 6464 audio level in -dBov, or `LEVEL_UNKNOWN`."""


class RtpStart(NamedTuple):
    """The random numbers with which RTP begins (RFC 3550 section 5.1)."""

    ssrc: int
    sequence: int
    timestamp: int


class Transmission:
    """The packets of one broadcast. Frame k leaves at start + k * 20 ms: nothing adds up.

    Attributes:
        elapsed_frames: Frames of time that have passed, those left out by a stall included.
        skipped_frames: Those left out.
    """

    def __init__(
        self,
        sink: RtpSink,
        next_frame: Callable[[], Frame],
        *,
        start: RtpStart,
        wall_clock: WallClock,
    ) -> None:
        """Begin the transmission now.

        Args:
            sink: Takes the packets.
            next_frame: Called for each frame when it is due, in order.
            start: The numbers with which its packets begin.
            wall_clock: Tells the time.
        """
        self._sink = sink
        self._take = sink.source(start.ssrc)
        self._next_frame = next_frame
        self._start = start
        self._wall_clock = wall_clock
        self._start_ns = wall_clock.monotonic_ns()
        self._sequence = start.sequence
        self._report_due = 0
        self.elapsed_frames = 0
        self.skipped_frames = 0

    def beat(self, now_ns: int) -> None:
        """Send every frame that is due at `now_ns` (monotonic)."""
        due = (now_ns - self._start_ns) // FRAME_NS + 1
        late = due - self.elapsed_frames - MAX_CATCH_UP_FRAMES
        if late > 0:
            self.elapsed_frames += late
            self.skipped_frames += late
        while self.elapsed_frames < due:
            self._send(self._next_frame())

    def _send(self, frame: Frame) -> None:
        number = self.elapsed_frames
        self.elapsed_frames += 1
        timestamp = (self._start.timestamp + number * FRAME_SAMPLES) & 0xFFFF_FFFF
        due_ns = self._start_ns + number * FRAME_NS
        self._take(RtpPacket(self._sequence, timestamp, due_ns, frame.level, frame.payload))
        self._sequence = (self._sequence + 1) & 0xFFFF
        if number >= self._report_due:
            self._report_due = number + REPORT_FRAMES
            report = SenderReport(timestamp, due_ns + self._wall_clock.offset_ns, due_ns)
            self._sink.sender_report(self._start.ssrc, report)


class Paced(Protocol):
    """Something that acts every 20 ms while it is paced."""

    def beat(self, now_ns: int) -> None:
        """Do what is due at `now_ns` (monotonic nanoseconds)."""


class Pacer:
    """Wakes everything that is paced every 20 ms, all in one go."""

    def __init__(self, wall_clock: WallClock) -> None:
        self._wall_clock = wall_clock
        self._paced: dict[Paced, None] = {}  # in order of coming

    def add(self, paced: Paced) -> None:
        """Wake `paced` at every beat from now on."""
        self._paced[paced] = None

    def remove(self, paced: Paced) -> None:
        """Stop waking `paced`, if it was woken."""
        self._paced.pop(paced, None)

    async def run(self) -> None:
        """Beat every 20 ms until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + FRAME_MS / 1_000, loop.time() - FRAME_MS / 1_000)
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.beat()

    def beat(self) -> None:
        """Let everything that is paced do what is due now."""
        now_ns = self._wall_clock.monotonic_ns()
        for paced in tuple(self._paced):
            try:
                paced.beat(now_ns)
            except Exception:  # one broadcast's bug must not stop the others
                _log.exception("a broadcast cannot go on for a moment")
