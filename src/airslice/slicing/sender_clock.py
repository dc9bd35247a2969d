"""Finds when a sample was captured, on the server's monotonic clock.

A stream's timeline counts samples; its publisher's audio clock may run up to 200 ppm off, and
packets arrive late by a varying delay. Sender reports (RFC 3550 section 6.4.1) give the capture
time best. Before the first one, the least delayed arrivals of the last seconds serve. Which
reports are believed is decided in `timeline`.
"""

from __future__ import annotations

from bisect import bisect_left

from airslice.slicing.packets import RTP_CLOCK_HZ

_WINDOW_NS = 4_000_000_000
"""Length of a window: the least delayed arrival of this one and the one before counts."""

MAX_REPORTS = 256
"""Reports that are remembered: over 10 minutes at one each 2.5 s, more than the longest slice."""

TRUSTED_OFFSET_NS = range(-100_000_000, 1_000_000_000)
"""Values of arrival minus sender's UTC at which the sender's wall clock is believed: the network's
delay and a small clock error. Outside of them the clock is wrong, and only its rate is used."""

STEP_NS = 40_000_000
"""A capture time that changes by more than this between reports did not drift."""


def ticks_to_ns(ticks: int) -> int:
    """Convert 48 kHz ticks to nanoseconds, rounding down."""
    return ticks * 1_000_000_000 // RTP_CLOCK_HZ


def ns_to_ticks(ns: int) -> int:
    """Convert nanoseconds to 48 kHz ticks, rounding down."""
    return ns * RTP_CLOCK_HZ // 1_000_000_000


class ArrivalClock:
    """The least delay between a sample's place on the timeline and its arrival, lately."""

    def __init__(self) -> None:
        self._window_start_ns: int | None = None
        self._current_ns: int | None = None
        self._former_ns: int | None = None

    @property
    def offset_ns(self) -> int | None:
        """Arrival minus timeline position of the least delayed packets; None before the first."""
        if self._current_ns is None or self._former_ns is None:
            return self._current_ns if self._former_ns is None else self._former_ns
        return min(self._current_ns, self._former_ns)

    def observe(self, arrival_ns: int, offset_ns: int) -> None:
        """Note a packet's arrival, and its arrival minus its timeline position."""
        if self._window_start_ns is None:
            self._window_start_ns = arrival_ns
        elif arrival_ns - self._window_start_ns >= _WINDOW_NS:
            self._window_start_ns = arrival_ns
            self._former_ns, self._current_ns = self._current_ns, None
        if self._current_ns is None or offset_ns < self._current_ns:
            self._current_ns = offset_ns


class ReportClock:
    """Capture times by the sender reports of one stream.

    It remembers, for some timeline positions, the monotonic capture time minus the position.
    """

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._offsets_ns: list[int] = []
        self._sender_to_server_ns: int | None = None

    def forget_sender(self) -> None:
        """Judge the wall clock anew: another source begins, perhaps on another machine."""
        self._sender_to_server_ns = None

    def captured_ns(self, sent_utc_ns: int, *, arrival_ns: int, utc_offset_ns: int) -> int:
        """Convert the sender's wall clock to the server's monotonic clock.

        Args:
            sent_utc_ns: The report's NTP time, in nanoseconds since the Unix epoch.
            arrival_ns: When the report arrived, on the monotonic clock.
            utc_offset_ns: The server's UTC minus its monotonic clock, in nanoseconds.
        """
        if self._sender_to_server_ns is None:
            if arrival_ns + utc_offset_ns - sent_utc_ns in TRUSTED_OFFSET_NS:
                # Kept as long as the source: steps of our own clock must not move its audio.
                self._sender_to_server_ns = -utc_offset_ns
            else:
                self._sender_to_server_ns = arrival_ns - sent_utc_ns
        return sent_utc_ns + self._sender_to_server_ns

    def shift_sender(self, step_ns: int) -> None:
        """Compensate for a step of the sender's wall clock by `step_ns`, forward if positive."""
        if self._sender_to_server_ns is not None:
            self._sender_to_server_ns -= step_ns

    def add(self, position: int, offset_ns: int) -> None:
        """Note that the sample at `position` (48 kHz ticks) was captured at position + offset."""
        if self._positions and position <= self._positions[-1]:
            return
        self._positions.append(position)
        self._offsets_ns.append(offset_ns)
        if len(self._positions) > MAX_REPORTS:
            del self._positions[0], self._offsets_ns[0]

    def offset_ns_at(self, position: int) -> int | None:
        """Return capture time minus position near `position`; None before the first report."""
        if not self._positions:
            return None
        at = bisect_left(self._positions, position)
        return self._offsets_ns[min(at, len(self._offsets_ns) - 1)]
