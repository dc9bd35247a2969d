"""What the tests of the embedded engine watch with."""

from __future__ import annotations

from collections.abc import Callable

from airslice.domain.room_event import EndReason
from airslice.slicing.packets import RtpPacket, SenderReport


class RecordingSink:
    """A `StreamSink` that keeps what it is given."""

    def __init__(self) -> None:
        self.packets: dict[int, list[RtpPacket]] = {}
        self.reports: list[tuple[int, SenderReport]] = []
        self.end_reasons: list[EndReason] = []

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        assert ssrc not in self.packets, "a source is asked for once"
        return self.packets.setdefault(ssrc, []).append

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        self.reports.append((ssrc, report))

    def ended(self, reason: EndReason = EndReason.LOST) -> None:
        self.end_reasons.append(reason)

    @property
    def ends(self) -> int:
        return len(self.end_reasons)

    @property
    def all_packets(self) -> list[RtpPacket]:
        return [packet for packets in self.packets.values() for packet in packets]
