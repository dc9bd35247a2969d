"""Join what a user publishes, over sessions, SSRCs and pauses, into one RTP stream.

Nothing is held: each packet gets its place the moment it arrives. Within a source the publisher's
own sequence numbers and timestamps go on, so that loss and reordering stay as they were. A new
source, and what follows a pause that timestamps do not show, is placed by the clock.
"""

from __future__ import annotations

from collections import deque

from airslice.slicing.jitter import MAX_DROPOUT
from airslice.slicing.opus_packet import packet_samples
from airslice.slicing.outgoing_packet import OutgoingPacket
from airslice.slicing.packets import RTP_CLOCK_HZ, RtpPacket, SenderReport
from airslice.slicing.sender_clock import ArrivalClock, ReportClock, ns_to_ticks, ticks_to_ns
from airslice.slicing.timeline import MAX_EARLY_NS, MAX_GAP_TICKS, PAUSE_NS, STALL_NS

MAX_LEFT_SOURCES = 8

_HALF_TICK_NS = 500_000_000 // RTP_CLOCK_HZ


class RtpSplice:
    """Give each packet its number and its timestamp in the joint stream."""

    def __init__(self, *, sequence: int, timestamp: int) -> None:
        """Begin with these, random ones (RFC 3550 section 5.1)."""
        self._sequence = sequence  # of what comes after the latest packet, extended
        self._begin = sequence  # of what was placed by the clock last, extended
        self._end = timestamp  # where the latest packet ends, in ticks, extended
        self._arrivals = ArrivalClock()
        self._reports = ReportClock()
        self._reported_offset_ns: int | None = None
        """Capture time minus timestamp, by the latest report on what is sent now."""
        self._source: object = None
        self._left: deque[object] = deque(maxlen=MAX_LEFT_SOURCES)
        self._in_sequence = 0  # of the source's furthest packet
        self._in_timestamp = 0
        self._out_sequence = sequence  # that packet's in the joint stream, extended
        self._out_timestamp = timestamp
        self._arrival_ns = 0

    @property
    def end_ns(self) -> int | None:
        """When what follows without a gap is captured (monotonic), by the arrival of packets.

        None before any packet.
        """
        offset_ns = self._arrivals.offset_ns
        return None if offset_ns is None else ticks_to_ns(self._end) + offset_ns

    def forget_sources(self) -> None:
        """Let sources go on that others have replaced: that was not their publisher's doing."""
        self._left.clear()

    def take(self, source: object, packet: RtpPacket) -> OutgoingPacket | None:
        """Place a packet.

        Args:
            source: Where it comes from: the same object for the packets of one SSRC.
            packet: As it arrived.

        Returns:
            None for a straggler: of a source that another one has replaced, or of before a break.
        """
        arrival_ns, samples = packet.arrival_ns, packet_samples(packet.payload)
        marker = source is not self._source
        if marker:
            if source in self._left and arrival_ns - self._arrival_ns < STALL_NS:
                return None
            self._switch_to(source, packet, samples)
        steps = _signed(packet.sequence - self._in_sequence, 16)
        ticks = _signed(packet.timestamp - self._in_timestamp, 32)
        if not marker and self._is_broken(arrival_ns, steps, ticks):
            self._anchor(packet, samples)
            marker = True
            steps = ticks = 0
        sequence = self._out_sequence + steps
        if sequence < self._begin:  # its number has been given to another
            return None
        timestamp = self._out_timestamp + ticks
        if steps >= 0:
            self._in_sequence, self._in_timestamp = packet.sequence, packet.timestamp
            self._out_sequence, self._out_timestamp = sequence, timestamp
            self._arrival_ns = arrival_ns
            self._sequence = sequence + 1
            self._end = timestamp + samples
        # A packet can leave only when its last sample has been captured.
        self._arrivals.observe(arrival_ns, arrival_ns - ticks_to_ns(timestamp + samples))
        offset_ns = self._reported_offset_ns
        if offset_ns is None:
            offset_ns = self._arrivals.offset_ns or 0
        captured_ns = ticks_to_ns(timestamp) + offset_ns
        number, stamp = sequence & 0xFFFF, timestamp & 0xFFFF_FFFF
        return OutgoingPacket(number, stamp, marker, packet.level, captured_ns, packet.payload)

    def report(self, source: object, report: SenderReport, *, utc_offset_ns: int) -> None:
        """Take a publisher's word on when he captures what he sends.

        Without it, that is when the least delayed packets came, so too late by the network's delay.

        Args:
            source: Where it comes from; of another source than the present one it means nothing.
            report: As it arrived.
            utc_offset_ns: The server's UTC minus its monotonic clock.
        """
        ticks = _signed(report.timestamp - self._in_timestamp, 32)
        if source is not self._source or abs(ticks) > MAX_GAP_TICKS:
            return
        captured_ns = self._reports.captured_ns(
            report.utc_ns, arrival_ns=report.arrival_ns, utc_offset_ns=utc_offset_ns
        )
        self._reported_offset_ns = captured_ns - ticks_to_ns(self._out_timestamp + ticks)

    def _switch_to(self, source: object, packet: RtpPacket, samples: int) -> None:
        """Go on with another source, of which `packet` is the first."""
        self._left.append(self._source)
        self._source = source
        self._reports.forget_sender()
        self._anchor(packet, samples)

    def _is_broken(self, arrival_ns: int, steps: int, ticks: int) -> bool:
        """Whether a packet so far from the furthest one cannot be placed by its timestamp."""
        if steps <= 0:  # reordered, if it is near
            return steps < -MAX_DROPOUT or not -MAX_GAP_TICKS < ticks <= 0
        if steps > MAX_DROPOUT or not 0 <= ticks <= MAX_GAP_TICKS:
            return True
        late_ns = arrival_ns - ticks_to_ns(self._out_timestamp + ticks)
        late_ns -= self._arrivals.offset_ns or 0
        waited_ns = arrival_ns - self._arrival_ns - ticks_to_ns(ticks)
        return late_ns < -MAX_EARLY_NS or min(late_ns, waited_ns) >= PAUSE_NS

    def _anchor(self, packet: RtpPacket, samples: int) -> None:
        """Place `packet` by the clock, after all that has been placed."""
        offset_ns = self._arrivals.offset_ns
        if offset_ns is not None:
            by_clock = ns_to_ticks(packet.arrival_ns - offset_ns + _HALF_TICK_NS) - samples
            self._end = max(self._end, by_clock)
        self._in_sequence, self._in_timestamp = packet.sequence, packet.timestamp
        self._out_sequence, self._out_timestamp = self._sequence, self._end
        self._begin = self._sequence
        self._reported_offset_ns = None


def _signed(difference: int, bits: int) -> int:
    """Return the difference of two wrapping numbers of so many bits, the nearer way round."""
    half = 1 << (bits - 1)
    return ((difference + half) & ((1 << bits) - 1)) - half
