"""Places the packets of one published stream on a timeline.

Sans-IO. The timeline counts 48 kHz samples from the stream's first packet and outlives its
sources: a reconnect or a new SSRC goes on where the wall clock says. RTP timestamps place the
packets of a source. Arrival times only anchor the first packets of a source, and those after a
pause that its timestamps do not show: packets whose place is in doubt are held for
`ANCHOR_WINDOW_NS`, then the least delayed of them decides. Reordering is done in `jitter` before.

Source: RFC 3550 section 5.1, RFC 7587 section 4.1. Browsers do not advance their timestamps while
they send nothing, as was measured; see docs/slicing.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from airslice.slicing.audio import OPUS_GRAIN_SAMPLES
from airslice.slicing.jitter import MAX_DROPOUT, MAX_HELD_PACKETS
from airslice.slicing.opus_packet import packet_samples
from airslice.slicing.packets import RTP_CLOCK_HZ, RtpPacket, SenderReport
from airslice.slicing.sender_clock import (
    STEP_NS,
    ArrivalClock,
    ReportClock,
    ns_to_ticks,
    ticks_to_ns,
)

ANCHOR_WINDOW_NS = 300_000_000
"""How long packets whose place is in doubt are held, in nanoseconds."""

PAUSE_NS = 500_000_000
"""A gap between arrivals that is so much longer than the timestamps say may be a pause."""

STALL_NS = 2_000_000_000
"""What sends nothing for so long has stalled: nobody waits for such a stream any more, and sources
that a stalled source has succeeded count again."""

MAX_GAP_TICKS = 10 * RTP_CLOCK_HZ
"""A longer jump of timestamps within a source is not a gap: the source counts anew."""

MAX_EARLY_NS = 1_000_000_000
"""A packet that arrives so long before its place on the timeline has a timestamp that jumped."""

MAX_CONCEALED_TICKS = 4_800
"""Longest concealment, 100 ms: what decoders make up beyond it is not worth keeping."""

_new = tuple.__new__  # runs for each packet, in a third of a named tuple's own time


class PieceKind(Enum):
    """How a piece of the timeline is to be filled."""

    PACKET = "packet"  # decode `packet`
    RECOVERED = "recovered"  # lost; `packet`, the next one, may carry its in-band FEC
    CONCEALED = "concealed"  # lost; the decoder makes it up
    SILENT = "silent"  # discontinuous transmission, or lost for too long


class Piece(NamedTuple):
    """A stretch of published time; nothing was published between pieces."""

    position: int
    """Where it begins on the timeline, in 48 kHz samples, a multiple of 120."""
    samples: int
    """How long it lasts, in 48 kHz samples, a multiple of 120."""
    kind: PieceKind
    packet: RtpPacket | None


class Timeline:
    """Turns one stream's ordered packets into pieces at exact positions."""

    def __init__(self) -> None:
        self._end = 0
        self._arrivals = ArrivalClock()
        self._reports = ReportClock()
        self._held: list[RtpPacket] | None = []
        """Packets whose place is in doubt; None when there is no doubt."""
        self._timestamps_hold = False
        """Whether the timestamps of `_held` go on from the packet before, so that only a pause
        is in doubt; otherwise arrival alone can place them."""
        self._sequence = 0  # of the latest placed packet
        self._timestamp = 0  # where the latest placed packet ends, 32 bits
        self._arrival_ns = 0  # of the latest placed packet
        self._rest_ticks = 0  # of timestamps, what rounding to multiples of 120 left out
        self._reported_offset_ns: int | None = None  # by this source's latest report
        self.lost_packets = 0
        self.malformed_packets = 0
        self.reanchored = 0
        """How often the wall clock placed a pause, a jump of timestamps or another source."""

    @property
    def end(self) -> int:
        """Position up to which everything is decided, in 48 kHz samples."""
        return self._end

    @property
    def in_doubt(self) -> bool:
        """Whether the place of the next packet, or of those held, is still to be decided.

        Sender reports are of no use as long as it is.
        """
        return self._held is not None

    def begin_source(self) -> list[Piece]:
        """Go on with another SSRC; return the pieces of packets of the last that were in doubt."""
        pieces = self.flush()
        self._held = []
        self._timestamps_hold = False
        self._reports.forget_sender()
        self._reported_offset_ns = None
        return pieces

    def add(self, packets: Sequence[RtpPacket]) -> list[Piece]:
        """Place packets, which must be in order; return the pieces that are decided by them."""
        pieces: list[Piece] = []
        for packet in packets:
            sequence, timestamp, arrival_ns, _, payload = packet
            samples = packet_samples(payload)
            if not samples:
                self.malformed_packets += 1
                continue
            if self._held is not None:
                pieces += self._hold(packet, self._held)
                continue
            if (
                timestamp != self._timestamp
                or sequence != (self._sequence + 1) & 0xFFFF
                or arrival_ns - self._arrival_ns >= PAUSE_NS
            ):
                advance = _ticks_between(self._timestamp, timestamp)
                if self._is_doubtful(arrival_ns, advance):
                    self._held = [packet]
                    continue
                self._fill_before(packet, samples, advance, pieces)
            position = self._end
            pieces.append(_new(Piece, (position, samples, PieceKind.PACKET, packet)))
            self._end = position + samples
            self._sequence = sequence
            self._timestamp = (timestamp + samples) & 0xFFFF_FFFF
            self._arrival_ns = arrival_ns
            self._arrivals.observe(arrival_ns, arrival_ns - ticks_to_ns(position))
        return pieces

    def expire(self, now_ns: int) -> list[Piece]:
        """Decide what has been in doubt for `ANCHOR_WINDOW_NS`; return the pieces.

        All packets that arrived before `now_ns` must have been added.
        """
        if self._held and now_ns - self._held[0].arrival_ns >= ANCHOR_WINDOW_NS:
            return self.flush()
        return []

    def flush(self) -> list[Piece]:
        """Decide at once what is in doubt, because nothing more will come; return the pieces."""
        pieces: list[Piece] = []
        while self._held:
            held, self._held = self._held, None
            self._anchor(held)
            pieces += self.add(held)
        return pieces

    def report(self, report: SenderReport, *, utc_offset_ns: int) -> None:
        """Take a sender report of the present source; it is ignored while `in_doubt`.

        It corrects what `captured_ns` returns and, if a pause was missed, where what follows lies.

        Args:
            report: The report.
            utc_offset_ns: The server's UTC minus its monotonic clock, in nanoseconds.
        """
        if self._held is not None:
            return
        ahead = _ticks_between(self._timestamp, report.timestamp)
        if abs(ahead) > MAX_GAP_TICKS:
            return
        position = self._end + ahead
        offset_ns = self._reports.captured_ns(
            report.utc_ns, arrival_ns=report.arrival_ns, utc_offset_ns=utc_offset_ns
        ) - ticks_to_ns(position)
        growth_ns = offset_ns - (
            offset_ns if self._reported_offset_ns is None else self._reported_offset_ns
        )
        lateness_ns = report.arrival_ns - ticks_to_ns(position) - (self._arrivals.offset_ns or 0)
        if growth_ns > STEP_NS and 2 * lateness_ns >= growth_ns:
            gap = self._leave_gap(growth_ns)
            position += gap
            offset_ns -= ticks_to_ns(gap)
        elif growth_ns > STEP_NS or growth_ns < -MAX_EARLY_NS:
            self._reports.shift_sender(growth_ns)
            offset_ns -= growth_ns
        self._reported_offset_ns = offset_ns
        self._reports.add(position, offset_ns)

    def captured_ns(self, position: int) -> int | None:
        """Return when the sample at `position` was captured, on the server's monotonic clock.

        Before the first report the arrivals of the least delayed packets are used, so that the
        time is too late by one framing and network delay. None before the first packet is placed.
        """
        offset_ns = self._reports.offset_ns_at(position)
        if offset_ns is None:
            offset_ns = self._arrivals.offset_ns
        return None if offset_ns is None else ticks_to_ns(position) + offset_ns

    def _is_doubtful(self, arrival_ns: int, advance: int) -> bool:
        """Whether timestamps alone cannot place a packet `advance` ticks after the last's end."""
        gap = advance + self._rest_ticks  # down to minus a grain the clock is only imprecise
        self._timestamps_hold = -OPUS_GRAIN_SAMPLES < gap <= MAX_GAP_TICKS
        if not self._timestamps_hold:
            return True
        lateness_ns = self._lateness_ns(arrival_ns, advance)
        if lateness_ns < -MAX_EARLY_NS:
            self._timestamps_hold = False
            return True
        return lateness_ns >= PAUSE_NS and (
            arrival_ns - self._arrival_ns - ticks_to_ns(advance) >= PAUSE_NS
        )

    def _lateness_ns(self, arrival_ns: int, ahead: int) -> int:
        """Return how much later than the least delayed ones a packet `ahead` of the end arrived."""
        offset_ns = self._arrivals.offset_ns
        return 0 if offset_ns is None else arrival_ns - ticks_to_ns(self._end + ahead) - offset_ns

    def _hold(self, packet: RtpPacket, held: list[RtpPacket]) -> list[Piece]:
        if held and packet.arrival_ns - held[0].arrival_ns >= ANCHOR_WINDOW_NS:
            return self.flush() + self.add((packet,))
        held.append(packet)
        if self._arrivals.offset_ns is None or len(held) == MAX_HELD_PACKETS:
            return self.flush()  # at the stream's first packet there is nothing to wait for
        return []

    def _anchor(self, held: Sequence[RtpPacket]) -> None:
        """Choose where `held` begins, so that its first packet is the one that is expected."""
        first = held[0]
        advance = 0
        if self._timestamps_hold:
            advance = _ticks_between(self._timestamp, first.timestamp)
        least_ns = min(
            self._lateness_ns(packet.arrival_ns, advance + ticks)
            for packet in held
            if (ticks := (packet.timestamp - first.timestamp) & 0xFFFF_FFFF) <= MAX_GAP_TICKS
        )
        self._arrival_ns = first.arrival_ns
        if self._timestamps_hold:
            if 2 * least_ns >= PAUSE_NS:
                self._leave_gap(least_ns)
        else:
            self._leave_gap(least_ns)
            self._sequence = first.sequence - 1
            self._timestamp = first.timestamp
            self._rest_ticks = 0

    def _leave_gap(self, gap_ns: int) -> int:
        """Leave out `gap_ns` as unpublished; return how much, in ticks."""
        if self._end:  # the stream's very first packet needs no place
            self.reanchored += 1
        gap = max(0, ns_to_ticks(gap_ns)) // OPUS_GRAIN_SAMPLES * OPUS_GRAIN_SAMPLES
        self._end += gap
        return gap

    def _fill_before(
        self, packet: RtpPacket, samples: int, advance: int, pieces: list[Piece]
    ) -> None:
        """Account for the `advance` ticks between the last packet's end and `packet`."""
        lost = (packet.sequence - self._sequence - 1) & 0xFFFF
        if lost > MAX_DROPOUT:  # not loss: the source began to count anew
            lost = 0
        self.lost_packets += lost
        ticks = advance + self._rest_ticks
        gap = max(0, ticks) // OPUS_GRAIN_SAMPLES * OPUS_GRAIN_SAMPLES
        self._rest_ticks = ticks - gap
        recovered = min(samples, gap) if lost else 0
        concealed = min(gap - recovered, MAX_CONCEALED_TICKS) if lost else 0
        for length, kind, cause in (
            (concealed, PieceKind.CONCEALED, None),
            (gap - recovered - concealed, PieceKind.SILENT, None),
            (recovered, PieceKind.RECOVERED, packet),
        ):
            if length:
                pieces.append(Piece(self._end, length, kind, cause))
                self._end += length


def _ticks_between(earlier: int, later: int) -> int:
    """Return `later` minus `earlier`, two 32-bit timestamps that are less than 2**31 apart."""
    return ((later - earlier + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000
