"""Loss and jitter of one received source, as receiver reports state them.

Sans-IO; the packets of the reports are built in `rtcp`.
Source: RFC 3550 sections 6.4.1 and A.3 (loss), A.8 (jitter).
"""

from __future__ import annotations

from airslice.engines.embedded.rtcp import ReportBlock

_MAX_LOST = (1 << 23) - 1
_MIN_LOST = -(1 << 23)


class Reception:
    """Counts the packets of one SSRC; `update` runs for each packet."""

    __slots__ = (
        "_expected_before",
        "_first",
        "_highest",
        "_jitter_16",
        "_last_report",
        "_last_report_ns",
        "_received_before",
        "_transit",
        "received",
        "ssrc",
    )

    def __init__(self, ssrc: int) -> None:
        self.ssrc = ssrc
        self.received = 0
        """Packets received so far, duplicates included."""
        self._first = -1
        self._highest = 0  # extended: cycles in the upper bits
        self._transit = 0
        self._jitter_16 = 0  # 16 times the jitter, as in RFC 3550 section A.8
        self._expected_before = 0
        self._received_before = 0
        self._last_report = 0
        self._last_report_ns = 0

    def update(self, sequence: int, timestamp: int, arrival_ns: int) -> None:
        """Count a packet; the arguments are fields of `RtpPacket`."""
        transit = arrival_ns * 6 // 125_000 - timestamp  # 48 kHz ticks
        if self._first < 0:
            self._first = self._highest = sequence
            self._transit = transit
        self.received += 1
        ahead = (sequence - self._highest) & 0xFFFF
        if ahead < 0x8000:
            self._highest += ahead
        change = (transit - self._transit) & 0xFFFF_FFFF
        self._transit = transit
        if change > 0x7FFF_FFFF:
            change = 0x1_0000_0000 - change
        self._jitter_16 += change - ((self._jitter_16 + 8) >> 4)

    def sender_reported(self, ntp: int, arrival_ns: int) -> None:
        """Note a sender report of this source: its NTP timestamp, and when it arrived."""
        self._last_report = (ntp >> 16) & 0xFFFF_FFFF
        self._last_report_ns = arrival_ns

    @property
    def lost(self) -> int:
        """Packets that are missing; negative if there were more duplicates than losses."""
        return self._expected - self.received

    @property
    def _expected(self) -> int:
        return self._highest - self._first + 1 if self.received else 0

    @property
    def has_news(self) -> bool:
        """Whether packets came since the last report, so that one is due (RFC 3550 section 6.4)."""
        return self.received != self._received_before

    def report(self, now_ns: int) -> ReportBlock:
        """Return the report block for the time since the last one, which this one then is."""
        expected = self._expected
        expected_now = expected - self._expected_before
        lost_now = expected_now - (self.received - self._received_before)
        self._expected_before = expected
        self._received_before = self.received
        fraction = min(255, (lost_now << 8) // expected_now) if lost_now > 0 < expected_now else 0
        delay = ((now_ns - self._last_report_ns) << 16) // 10**9 if self._last_report else 0
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            lost=max(_MIN_LOST, min(_MAX_LOST, self.lost)),
            highest=self._highest & 0xFFFF_FFFF,
            jitter=min(self._jitter_16 >> 4, 0xFFFF_FFFF),
            last_report=self._last_report,
            delay=max(0, min(delay, 0xFFFF_FFFF)),
        )
