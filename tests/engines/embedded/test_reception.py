"""What receiver reports tell of a source, against the formulas of RFC 3550."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airslice.engines.embedded.reception import Reception

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
