from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.sender_clock import (
    MAX_REPORTS,
    TRUSTED_OFFSET_NS,
    ArrivalClock,
    ReportClock,
    ns_to_ticks,
    ticks_to_ns,
)
from tests.support.audio.made_audio import GRAIN, GRAIN_NS, MS

UTC_OFFSET_NS = 1_700_000_000_000_000_000


@given(grains=st.integers(-(10**9), 10**9))
def test_conversion_is_exact_in_multiples_of_the_shortest_frame(grains: int) -> None:
    assert ticks_to_ns(GRAIN * grains) == GRAIN_NS * grains
    assert ns_to_ticks(GRAIN_NS * grains) == GRAIN * grains


@given(ticks=st.integers(-(10**12), 10**12))
def test_conversion_rounds_down(ticks: int) -> None:
    assert 0 <= ticks * 10**9 - ticks_to_ns(ticks) * 48_000 < 48_000
    assert 0 <= ticks * 48_000 - ns_to_ticks(ticks) * 10**9 < 10**9


def test_arrivals_know_nothing_before_the_first() -> None:
    assert ArrivalClock().offset_ns is None


def test_the_least_delayed_arrival_counts_for_four_to_eight_seconds() -> None:
    clock = ArrivalClock()
    offsets = []

    for second in range(13):
        clock.observe(second * 1_000 * MS, 3 * MS if second == 4 else 20 * MS)
        offsets.append(clock.offset_ns)

    assert offsets[:4] == [20 * MS] * 4
    assert offsets[4:12] == [3 * MS] * 8
    assert offsets[12:] == [20 * MS]


def test_arrivals_remember_the_offset_over_a_pause() -> None:
    clock = ArrivalClock()
    clock.observe(0, 3 * MS)

    clock.observe(3_600_000 * MS, 20 * MS)

    assert clock.offset_ns == 3 * MS


@pytest.mark.parametrize("jitter_ms", [5, 30])
def test_jittery_arrivals_tell_the_time_to_a_millisecond(jitter_ms: int) -> None:
    rng = random.Random(1)
    clock = ArrivalClock()
    worst_ns = 0

    for number in range(50 * 60):
        sent_ns = number * 20 * MS
        clock.observe(sent_ns, rng.randint(0, jitter_ms * MS))
        if number > 250:
            worst_ns = max(worst_ns, clock.offset_ns or 0)

    assert worst_ns < 1 * MS


@pytest.mark.parametrize("delay_ns", [TRUSTED_OFFSET_NS.start, 0, 80 * MS, TRUSTED_OFFSET_NS[-1]])
def test_a_sender_whose_clock_is_right_tells_the_time_itself(delay_ns: int) -> None:
    clock = ReportClock()

    captured_ns = clock.captured_ns(
        UTC_OFFSET_NS + 5_000 * MS, arrival_ns=5_000 * MS + delay_ns, utc_offset_ns=UTC_OFFSET_NS
    )

    assert captured_ns == 5_000 * MS


@pytest.mark.parametrize(
    "error_ns", [TRUSTED_OFFSET_NS.start - 1, TRUSTED_OFFSET_NS.stop, 10**15, -(10**18)]
)
def test_of_a_sender_whose_clock_is_wrong_only_the_rate_is_believed(error_ns: int) -> None:
    clock = ReportClock()
    sent_utc_ns = UTC_OFFSET_NS + 5_000 * MS - error_ns

    first_ns = clock.captured_ns(sent_utc_ns, arrival_ns=5_000 * MS, utc_offset_ns=UTC_OFFSET_NS)
    second_ns = clock.captured_ns(
        sent_utc_ns + 1_000 * MS, arrival_ns=6_300 * MS, utc_offset_ns=UTC_OFFSET_NS
    )

    assert first_ns == 5_000 * MS
    assert second_ns == 6_000 * MS


def test_a_step_of_the_senders_clock_can_be_taken_out() -> None:
    clock = ReportClock()
    clock.shift_sender(7)  # of a sender that nothing is known of yet
    clock.captured_ns(UTC_OFFSET_NS, arrival_ns=0, utc_offset_ns=UTC_OFFSET_NS)

    clock.shift_sender(60_000 * MS)

    stepped_utc_ns = UTC_OFFSET_NS + 61_000 * MS
    assert clock.captured_ns(stepped_utc_ns, arrival_ns=0, utc_offset_ns=0) == 1_000 * MS


def test_another_sender_is_judged_anew() -> None:
    clock = ReportClock()
    clock.captured_ns(0, arrival_ns=0, utc_offset_ns=UTC_OFFSET_NS)

    clock.forget_sender()

    assert clock.captured_ns(UTC_OFFSET_NS, arrival_ns=9, utc_offset_ns=UTC_OFFSET_NS) == 0


def test_a_position_is_told_by_the_report_that_follows_it_or_the_last() -> None:
    clock = ReportClock()
    assert clock.offset_ns_at(0) is None

    clock.add(1_000, 5)
    clock.add(2_000, 6)

    assert [clock.offset_ns_at(at) for at in (0, 1_000, 1_001, 2_000, 9_000)] == [5, 5, 6, 6, 6]


def test_a_report_out_of_order_is_ignored() -> None:
    clock = ReportClock()
    clock.add(1_000, 5)

    clock.add(1_000, 6)
    clock.add(900, 7)

    assert clock.offset_ns_at(0) == 5


def test_reports_are_bounded() -> None:
    clock = ReportClock()

    for number in range(MAX_REPORTS + 1):
        clock.add(number, number)

    assert clock.offset_ns_at(0) == 1
