"""Tell when a sample was captured, on the server's monotonic clock.

A stream's timeline counts samples; its publisher's audio clock may run up to 200 ppm off, and
packets arrive late by a varying delay. Sender reports (RFC 3550 section 6.4.1) tell the capture
time best. Before the first one, the least delayed arrivals of the last seconds serve.
"""

from __future__ import annotations

from bisect import bisect_left

from airslice.slicing.packets import RTP_CLOCK_HZ

_WINDOW_NS = 4_000_000_000
"""The least delayed arrival of this and the former window is what counts: 4 to 8 s."""

MAX_REPORTS = 256
"""Reports remembered: over 10 minutes at one each 2.5 s, more than the longest slice."""

TRUSTED_OFFSET_NS = range(-100_000_000, 1_000_000_000)
"""Arrival minus sender's UTC at which the sender's wall clock is believed: the network's delay
and a little clock error. Outside, the clock is wrong, and only its rate is used."""

STEP_NS = 40_000_000
"""A capture time that jumps by more than this between reports did not drift there."""


def ticks_to_ns(ticks: int) -> int:
    """Convert 48 kHz ticks to nanoseconds, rounding down."""
    return ticks * 1_000_000_000 // RTP_CLOCK_HZ


def ns_to_ticks(ns: int) -> int:
    """Convert nanoseconds to 48 kHz ticks, rounding down."""
    return ns * RTP_CLOCK_HZ // 1_000_000_000


class ArrivalClock:
    """The least delay seen between a sample's place on the timeline and its arrival."""

    def __init__(self) -> None:
        self._window_start_ns: int | None = None
        self._current_ns: int | None = None
        self._former_ns: int | None = None

    @property
    def offset_ns(self) -> int | None:
        """Arrival minus timeline position of the least delayed packets; None before any."""
        if self._current_ns is None or self._former_ns is None:
            return self._current_ns if self._former_ns is None else self._former_ns
        return min(self._current_ns, self._former_ns)

    def observe(self, arrival_ns: int, offset_ns: int) -> None:
        """Take one packet's arrival minus its timeline position, or the least of several."""
        if self._window_start_ns is None:
            self._window_start_ns = arrival_ns
        elif arrival_ns - self._window_start_ns >= _WINDOW_NS:
            self._window_start_ns = arrival_ns
            self._former_ns, self._current_ns = self._current_ns, None
        if self._current_ns is None or offset_ns < self._current_ns:
            self._current_ns = offset_ns


class ReportClock:
    """Capture times by the sender reports of one stream.

    It remembers points (timeline position, monotonic capture time minus position).
    """

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._offsets_ns: list[int] = []
        self._sender_to_server_ns: int | None = None

    def forget_sender(self) -> None:
        """Another source begins, perhaps of another machine: judge its wall clock anew."""
        self._sender_to_server_ns = None

    def captured_ns(self, sent_utc_ns: int, *, arrival_ns: int, utc_offset_ns: int) -> int:
        """Convert the sender's wall clock to the server's monotonic clock.

        Args:
            sent_utc_ns: The report's NTP time, as UTC nanoseconds.
            arrival_ns: When the report arrived, monotonic.
            utc_offset_ns: The server's UTC minus its monotonic clock.
        """
        if self._sender_to_server_ns is None:
            if arrival_ns + utc_offset_ns - sent_utc_ns in TRUSTED_OFFSET_NS:
                # Kept for the life of the source: a later step of our own wall clock is no
                # reason to move its audio.
                self._sender_to_server_ns = -utc_offset_ns
            else:
                self._sender_to_server_ns = arrival_ns - sent_utc_ns
        return sent_utc_ns + self._sender_to_server_ns

    def shift_sender(self, step_ns: int) -> None:
        """The sender's wall clock was stepped forward by `step_ns`: take that out again."""
        if self._sender_to_server_ns is not None:
            self._sender_to_server_ns -= step_ns

    def add(self, position: int, offset_ns: int) -> None:
        """Remember that the sample at `position` (ticks) was captured at position + offset."""
        if self._positions and position <= self._positions[-1]:
            return
        self._positions.append(position)
        self._offsets_ns.append(offset_ns)
        if len(self._positions) > MAX_REPORTS:
            del self._positions[0], self._offsets_ns[0]

    def offset_ns_at(self, position: int) -> int | None:
        """Capture time minus position around `position`; None before any report."""
        if not self._positions:
            return None
        at = bisect_left(self._positions, position)
        return self._offsets_ns[min(at, len(self._offsets_ns) - 1)]
