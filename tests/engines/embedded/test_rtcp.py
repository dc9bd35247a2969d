"""RTCP packets, against aiortc's reading of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiortc import clock as oracle_clock
from aiortc.rtp import (
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from airslice.engines.embedded.reception import Reception
from airslice.engines.embedded.rtcp import (
    ReportBlock,
    SenderClock,
    ntp_to_utc_ns,
    parse_report_blocks,
    parse_rtcp,
    receiver_report,
    sender_ssrc,
    utc_ns_to_ntp,
)

MS = 1_000_000


def receive(reception: Reception, numbers: list[int], *, late_ms: int = 0) -> None:
    """Packets of 20 ms, each `late_ms` after its time."""
    for number in numbers:
        reception.update(number & 0xFFFF, number * 960 & 0xFFFF_FFFF, (number * 20 + late_ms) * MS)


def test_another_implementation_reads_the_report() -> None:
    reception = Reception(0xDEADBEEF)
    receive(reception, [1, 2, 2, 2])

    packet = receiver_report(42, [reception.report(0)], cname=b"server")

    report, description = RtcpPacket.parse(packet)
    assert isinstance(report, RtcpRrPacket)
    assert report.ssrc == 42
    assert report.reports[0].ssrc == 0xDEADBEEF
    assert report.reports[0].packets_lost == -2
    assert report.reports[0].highest_sequence == 2
    assert isinstance(description, RtcpSdesPacket)
    assert description.chunks[0].ssrc == 42
    assert description.chunks[0].items == [(1, b"server")]


def sender_report(ntp: int, timestamp: int = 960) -> bytes:
    return bytes(
        RtcpSrPacket(
            ssrc=5,
            sender_info=RtcpSenderInfo(
                ntp_timestamp=ntp, rtp_timestamp=timestamp, packet_count=1, octet_count=1
            ),
            reports=[],
        )
    )


def test_sender_reports_are_found_in_compound_packets() -> None:
    other = receiver_report(42, [], cname=b"x")

    found = list(parse_rtcp(other + sender_report(99, 960) + other))

    assert found == [SenderClock(ssrc=5, ntp=99, timestamp=960)]
    assert sender_ssrc(other) == 42
    assert sender_ssrc(b"1234567") is None


@given(st.integers(0, 2_000_000_000_000_000))
def test_ntp_is_turned_into_utc(utc_us: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=utc_us)

    ntp = oracle_clock.datetime_to_ntp(moment)

    assert abs(ntp_to_utc_ns(ntp) - utc_us * 1000) < 2000
    assert abs(utc_ns_to_ntp(utc_us * 1000) - ntp) * 10**9 >> 32 < 2000


def test_report_blocks_are_found_behind_either_kind_of_report() -> None:
    info = RtcpReceiverInfo(
        ssrc=9, fraction_lost=3, packets_lost=-2, highest_sequence=70_000, jitter=5, lsr=6, dlsr=7
    )
    sender = RtcpSenderInfo(ntp_timestamp=1, rtp_timestamp=2, packet_count=3, octet_count=4)
    compound = (
        bytes(RtcpRrPacket(ssrc=1, reports=[info]))
        + bytes(RtcpSrPacket(ssrc=2, sender_info=sender, reports=[info, info]))
        + bytes(RtcpRrPacket(ssrc=3))
    )

    blocks = list(parse_report_blocks(compound))

    assert blocks == [ReportBlock(9, 3, -2, 70_000, 5, 6, 7)] * 3


def test_ntp_goes_on_after_its_first_era() -> None:
    last = ntp_to_utc_ns((1 << 64) - 1)

    assert ntp_to_utc_ns(0) - last <= 1
    assert ntp_to_utc_ns(0) == 2_085_978_496 * 10**9  # 2036-02-07T06:28:16Z


@given(st.binary(max_size=100), st.sampled_from([b"", b"\x80\xc8\0\6", b"\x81\xc9\0\7"]))
def test_no_bytes_make_it_fail(data: bytes, start: bytes) -> None:
    for clock in parse_rtcp(start + data):
        ntp_to_utc_ns(clock.ntp)
    for block in parse_report_blocks(start + data):
        assert -(1 << 23) <= block.lost < 1 << 23
