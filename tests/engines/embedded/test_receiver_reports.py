from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

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


def test_loss_is_counted_in_all_and_since_the_former_report() -> None:
    reception = Reception(7)
    receive(reception, [n for n in range(100) if n % 4])  # the first to come is 1
    first = reception.report(0)
    receive(reception, list(range(100, 200)))
    second = reception.report(0)

    assert (first.lost, first.fraction_lost, first.highest) == (24, 24 * 256 // 99, 99)
    assert (second.lost, second.fraction_lost, second.highest) == (24, 0, 199)


def test_sequence_numbers_go_on_over_their_wrap() -> None:
    reception = Reception(7)
    receive(reception, [0xFFFE, 0xFFFF, 0x10000, 0x10001])

    assert reception.report(0).highest == 0x10001
    assert reception.lost == 0


def test_a_late_packet_is_not_a_loss() -> None:
    reception = Reception(7)
    receive(reception, [1, 2, 4, 3, 5])

    assert reception.report(0).lost == 0
    assert reception.received == 5


def test_duplicates_make_the_loss_negative() -> None:
    reception = Reception(7)
    receive(reception, [1, 2, 2, 2, 3])

    report = reception.report(0)

    assert (report.lost, report.fraction_lost) == (-2, 0)


@given(st.lists(st.integers(0, 200), min_size=1, max_size=60))
def test_jitter_is_that_of_the_rfcs_formula(delays_ms: list[int]) -> None:
    reception = Reception(7)
    for number, delay in enumerate(delays_ms):
        receive(reception, [number], late_ms=delay)

    jitter = 0.0
    for before, after in pairwise(delays_ms):
        jitter += (abs(after - before) * 48 - jitter) / 16  # RFC 3550 section 6.4.1
    assert abs(reception.report(0).jitter - jitter) < 2


def test_jitter_is_not_disturbed_when_timestamps_wrap() -> None:
    reception = Reception(7)
    for number in range(10):
        timestamp = (0xFFFF_FFFF - 3 * 960 + number * 960) & 0xFFFF_FFFF
        reception.update(number, timestamp, number * 20 * MS)

    assert reception.report(0).jitter == 0


def test_the_delay_since_the_last_sender_report_is_told() -> None:
    reception = Reception(7)
    receive(reception, [1])
    assert reception.report(5000 * MS)[-2:] == (0, 0)

    reception.sender_reported(0x0123_4567_89AB_CDEF, arrival_ns=1000 * MS)

    report = reception.report(2500 * MS)
    assert report.last_report == 0x4567_89AB
    assert report.delay == 3 * 65536 // 2


def test_only_sources_with_new_packets_have_news() -> None:
    reception = Reception(7)
    news = [reception.has_news]
    receive(reception, [1])
    news.append(reception.has_news)
    reception.report(0)
    news.append(reception.has_news)

    assert news == [False, True, False]


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
