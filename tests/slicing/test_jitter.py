from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.jitter import (
    DEFAULT_WINDOW_NS,
    MAX_DROPOUT,
    MAX_HELD_PACKETS,
    MAX_MISORDER,
    ReorderBuffer,
)
from airslice.slicing.packets import RtpPacket
from tests.support.audio.made_audio import MS, examples, packet
from tests.support.audio.naive_model import Sent, taken


def numbers(packets: list[RtpPacket]) -> list[int]:
    return [p.sequence for p in packets]


def started(at: int = 0) -> ReorderBuffer:
    """Return a buffer that has handed out packet `at` and holds nothing."""
    buffer = ReorderBuffer()
    assert numbers(buffer.push([packet(at, at_ms=-1_000)])) == []
    assert numbers(buffer.expire(-800 * MS)) == [at & 0xFFFF]
    return buffer


def test_packets_in_order_pass_at_once() -> None:
    buffer = started()

    assert numbers(buffer.push([packet(1, at_ms=0), packet(2, at_ms=20)])) == [1, 2]


def test_the_first_packets_wait_a_window_for_earlier_ones() -> None:
    buffer = ReorderBuffer()

    assert buffer.push([packet(5, at_ms=0), packet(4, at_ms=10), packet(6, at_ms=20)]) == []
    assert buffer.expire(199 * MS) == []
    assert numbers(buffer.expire(200 * MS)) == [4, 5, 6]


def test_the_first_packets_are_put_in_order_across_the_wrap() -> None:
    buffer = ReorderBuffer()

    buffer.push([packet(65_537, at_ms=0), packet(65_535, at_ms=1), packet(65_536, at_ms=2)])

    assert numbers(buffer.flush()) == [65_535, 0, 1]


def test_a_missing_packet_holds_back_what_follows() -> None:
    buffer = started()

    assert buffer.push([packet(2, at_ms=0), packet(3, at_ms=20)]) == []
    assert numbers(buffer.push([packet(1, at_ms=40)])) == [1, 2, 3]


def test_a_missing_packet_is_given_up_after_the_window() -> None:
    buffer = started()
    buffer.push([packet(2, at_ms=0), packet(3, at_ms=150)])

    assert buffer.expire(199 * MS) == []
    assert numbers(buffer.expire(200 * MS)) == [2, 3]


def test_giving_one_up_does_not_give_up_the_next_missing_one() -> None:
    buffer = started()
    buffer.push([packet(2, at_ms=0), packet(4, at_ms=150)])

    assert numbers(buffer.expire(200 * MS)) == [2]
    assert numbers(buffer.push([packet(3, at_ms=300)])) == [3, 4]


def test_a_later_arrival_gives_up_like_the_clock_does() -> None:
    buffer = started()

    assert numbers(buffer.push([packet(2, at_ms=0), packet(1, at_ms=200)])) == [2]
    assert buffer.late_packets == 1


def test_duplicates_are_dropped_and_counted_whether_held_or_handed_out() -> None:
    buffer = started()

    ready = buffer.push([packet(n, at_ms=n) for n in (1, 1, 3, 3, 2)])

    assert numbers(ready) == [1, 2, 3]
    assert buffer.late_packets == 2


def test_sequence_numbers_wrap() -> None:
    buffer = started(65_533)

    ready = buffer.push([packet(n, at_ms=n) for n in (65_534, 65_536, 65_535, 65_537)])

    assert numbers(ready) == [65_534, 65_535, 0, 1]


def test_flush_hands_out_everything_and_goes_on_behind_it() -> None:
    buffer = started()
    buffer.push([packet(3, at_ms=0), packet(2, at_ms=1)])

    assert numbers(buffer.flush()) == [2, 3]
    assert buffer.flush() == []
    assert numbers(buffer.push([packet(1, at_ms=2), packet(4, at_ms=3)])) == [4]
    assert buffer.late_packets == 1


def test_two_packets_in_a_row_far_off_start_the_source_again() -> None:
    buffer = started()
    buffer.push([packet(2, at_ms=0)])

    ready = buffer.push([packet(n, at_ms=n / 1_000) for n in (20_000, 20_001, 20_002)])

    assert numbers(ready) == [2, 20_000, 20_001, 20_002]
    assert buffer.late_packets == 0


def test_a_single_packet_far_off_is_dropped_and_counted() -> None:
    buffer = started()

    assert numbers(buffer.push([packet(20_000, at_ms=0), packet(1, at_ms=1)])) == [1]
    assert buffer.late_packets == 1
    assert buffer.push([packet(20_001, at_ms=2)]) == []


def test_a_packet_far_off_is_dropped_while_others_are_held() -> None:
    buffer = started()

    ready = buffer.push([packet(n, at_ms=0) for n in (2, 20_000, 3, 20_001, 1)])

    assert numbers(ready) == [1, 2, 3]
    assert buffer.late_packets == 2


def test_scattered_packets_far_off_never_start_the_source_again() -> None:
    buffer = started()

    assert buffer.push([packet(n, at_ms=n) for n in (20_000, 30_000, 40_000, 50_000)]) == []
    assert buffer.late_packets == 3


def test_two_packets_far_off_confirm_each_other_only_within_the_window() -> None:
    buffer = started()

    assert buffer.push([packet(20_000, at_ms=0), packet(20_001, at_ms=200)]) == []
    assert numbers(buffer.push([packet(20_002, at_ms=399)])) == [20_001, 20_002]
    assert buffer.late_packets == 1


@pytest.mark.parametrize(("ahead", "is_held"), [(MAX_DROPOUT, True), (MAX_DROPOUT + 1, False)])
def test_how_far_ahead_a_packet_is_awaited_for(ahead: int, is_held: bool) -> None:
    buffer = started()
    buffer.push([packet(1 + ahead, at_ms=0)])

    assert len(buffer.flush()) == is_held


@pytest.mark.parametrize(("behind", "is_late"), [(MAX_MISORDER, 1), (MAX_MISORDER + 1, 0)])
def test_how_far_behind_a_packet_is_late_and_no_sign_of_a_restart(
    behind: int, is_late: int
) -> None:
    buffer = started()
    buffer.push([packet(1 - behind, at_ms=0)])

    assert buffer.late_packets == is_late


def test_held_packets_are_bounded() -> None:
    buffer = started()
    many = [packet(2 * n, at_ms=0) for n in range(1, MAX_HELD_PACKETS + 2)]

    assert buffer.push(many[:-1]) == []
    assert numbers(buffer.push(many[-1:])) == [2]
    assert len(buffer.flush()) == MAX_HELD_PACKETS


@examples(150)
@given(
    seed=st.integers(0, 2**32),
    first=st.sampled_from((0, 3, 65_500, 40_000)),
    jitter_ms=st.sampled_from((0, 5, 60, 190, 350, 1_000)),
    loss=st.sampled_from((0, 0.05, 0.4)),
)
def test_a_packet_is_dropped_exactly_when_a_later_one_is_a_window_old(
    seed: int, first: int, jitter_ms: int, loss: float
) -> None:
    rng = random.Random(seed)
    sent: list[Sent] = []
    for n in range(120):
        for _ in range(1 + (rng.random() < 0.1)):
            at_ms = 20 * n + rng.choice((0, 0, 1)) * rng.randint(0, jitter_ms)
            if rng.random() >= loss:
                made = packet(first + n, at_ms=at_ms)
                sent.append(
                    Sent(
                        number=n,
                        ticks=0,
                        samples=960,
                        arrival_ns=made.arrival_ns,
                        run=0,
                        packet=made,
                    )
                )
    sent.sort(key=lambda s: s.arrival_ns)
    buffer = ReorderBuffer()

    ready: list[RtpPacket] = []
    at = 0
    while at < len(sent):
        size = rng.randint(1, 12)
        ready += buffer.push([s.packet for s in sent[at : at + size]])
        at += size
        if at < len(sent) and rng.random() < 0.5:
            now_ns = rng.randint(sent[at - 1].arrival_ns, sent[at].arrival_ns)
            ready += buffer.expire(now_ns)
    ready += buffer.flush()

    expected = [s.packet for s in taken(sent, DEFAULT_WINDOW_NS)]
    assert ready == expected
    assert buffer.late_packets == len(sent) - len(expected)
