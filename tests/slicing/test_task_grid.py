"""The grid that a task's aligned slices share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.task_grid import TaskGrid

ORIGIN_NS = 7_000_000_000
RATES_HZ = st.sampled_from((8_000, 16_000, 24_000, 48_000))


def test_moments_are_counted_in_samples_from_the_origin() -> None:
    grid = TaskGrid(ORIGIN_NS, 16_000)

    assert grid.at(ORIGIN_NS) == 0
    assert grid.at(ORIGIN_NS + 1_500_000_000) == 24_000
    assert grid.at(ORIGIN_NS - 1) == -1


@given(position=st.integers(-(10**9), 10**9), rate_hz=RATES_HZ)
def test_a_position_was_captured_within_a_sample_of_its_moment(position: int, rate_hz: int) -> None:
    grid = TaskGrid(ORIGIN_NS, rate_hz)

    assert position - 1 <= grid.at(grid.captured_ns(position)) <= position


def test_slices_of_packets_begin_and_end_at_whole_grains() -> None:
    grid = TaskGrid(ORIGIN_NS, 48_000, grain=120)

    assert grid.line_at(ORIGIN_NS + 9_999_999) == 360  # 479 samples
    assert grid.line_at(ORIGIN_NS + 10_000_000) == 480


def test_updates_cut_at_the_next_multiple_of_10_ms() -> None:
    grid = TaskGrid(ORIGIN_NS, 16_000)

    assert [grid.cut_at(position) for position in (0, 1, 160, 161)] == [0, 160, 160, 320]


@given(position=st.integers(0, 10**9))
def test_updates_cut_at_one_moment_at_every_rate(position: int) -> None:
    pcm, packets = TaskGrid(ORIGIN_NS, 16_000), TaskGrid(ORIGIN_NS, 48_000, grain=120)

    at = packets.cut_at(position)

    assert at % 120 == 0
    assert pcm.cut_at(at // 3) * 3 == at
