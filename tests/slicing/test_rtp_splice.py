"""Whatever a publisher does, his listeners get one RTP stream, in his time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.outgoing_packet import OutgoingPacket
from airslice.slicing.packets import RtpPacket, SenderReport
from airslice.slicing.rtp_splice import MAX_LEFT_SOURCES, RtpSplice
from airslice.slicing.timeline import STALL_NS

MS = 1_000_000
FRAME_NS = 20 * MS
FRAME = 960
TOC_20_MS = b"\xf8"
START_NS = 1_000_000 * MS


def packet(
    number: int,
    *,
    sequence: int = 0,
    timestamp: int = 0,
    delay_ns: int = 0,
    payload: bytes = TOC_20_MS + b"audio",
) -> RtpPacket:
    """Packet `number` of 20 ms since the epoch of the test, as one source counts it."""
    return RtpPacket(
        (sequence + number) & 0xFFFF,
        (timestamp + number * FRAME) & 0xFFFF_FFFF,
        START_NS + (number + 1) * FRAME_NS + delay_ns,
        20,
        payload,
    )


class Joint:
    """A splice whose output is kept, unwrapped."""

    def __init__(self, sequence: int = 65_530, timestamp: int = 2**32 - 5 * FRAME) -> None:
        self.splice = RtpSplice(sequence=sequence, timestamp=timestamp)
        self.start = (sequence, timestamp)
        self.out: list[OutgoingPacket] = []

    def take(self, source: object, *packets: RtpPacket) -> None:
        for given_packet in packets:
            outgoing = self.splice.take(source, given_packet)
            if outgoing is not None:
                self.out.append(outgoing)

    @property
    def numbers(self) -> list[int]:
        """Sequence numbers from the first."""
        return [(p.sequence - self.start[0]) & 0xFFFF for p in self.out]

    @property
    def frames(self) -> list[float]:
        """Timestamps from the first, in frames of 20 ms."""
        return [((p.timestamp - self.start[1]) & 0xFFFF_FFFF) / FRAME for p in self.out]


@pytest.fixture
def joint() -> Joint:
    return Joint()


def test_a_source_goes_on_as_it_counts(joint: Joint) -> None:
    joint.take("a", *(packet(k, sequence=65_533, timestamp=2**32 - 99) for k in range(20)))

    assert joint.numbers == list(range(20))
    assert joint.frames == list(range(20))
    assert [p.marker for p in joint.out] == [True] + [False] * 19
    assert {p.level for p in joint.out} == {20}
    assert {p.payload for p in joint.out} == {TOC_20_MS + b"audio"}


def test_loss_and_reordering_stay_as_they_were(joint: Joint) -> None:
    order = [0, 1, 4, 3, 5, 5, 9]

    joint.take("a", *(packet(k) for k in order))

    assert joint.numbers == order
    assert joint.frames == order


def test_a_reconnect_is_placed_by_the_clock(joint: Joint) -> None:
    joint.take("a", *(packet(k) for k in range(5)))
    joint.take("b", *(packet(k, sequence=40_000, timestamp=77) for k in range(200, 205)))

    assert joint.numbers == list(range(10))
    assert joint.frames == [*range(5), *range(200, 205)]
    assert [p.marker for p in joint.out] == [True, *[False] * 4] * 2


def test_a_reconnect_never_goes_back(joint: Joint) -> None:
    """A first packet that was faster than all before it follows right behind them."""
    joint.take("a", *(packet(k, delay_ns=50 * MS) for k in range(5)))
    joint.take("b", *(packet(k, sequence=9, timestamp=9) for k in range(5, 8)))

    assert joint.numbers == list(range(8))
    assert joint.frames == list(range(8))


def test_a_pause_that_timestamps_hide_is_shown(joint: Joint) -> None:
    """Browsers stand still with their timestamps while nothing is sent."""
    joint.take("a", *(packet(k) for k in range(5)))
    frozen = [
        packet(k, sequence=-150, timestamp=-150 * FRAME) for k in range(155, 160)
    ]  # 5 to 9 by number, 3 s later
    joint.take("a", *frozen)

    assert joint.numbers == list(range(10))
    assert joint.frames == [*range(5), *range(155, 160)]
    assert joint.out[5].marker


def test_a_pause_that_timestamps_show_is_left_as_it_is(joint: Joint) -> None:
    """Discontinuous transmission counts time and not packets."""
    joint.take("a", packet(0), packet(1), packet(400, sequence=-398), packet(401, sequence=-398))

    assert joint.numbers == [0, 1, 2, 3]
    assert joint.frames == [0, 1, 400, 401]
    assert not joint.out[2].marker


@pytest.mark.parametrize("jump", [3_600 * 48_000, -3_600 * 48_000, 15 * 48_000])
def test_a_jump_of_timestamps_is_taken_out(joint: Joint, jump: int) -> None:
    joint.take("a", *(packet(k) for k in range(5)))
    joint.take("a", *(packet(k, timestamp=jump) for k in range(5, 10)))

    assert joint.numbers == list(range(10))
    assert joint.frames == list(range(10))


def test_a_source_that_counts_anew_goes_on(joint: Joint) -> None:
    joint.take("a", *(packet(k) for k in range(5)))
    joint.take("a", *(packet(k, sequence=30_000) for k in range(5, 10)))

    assert joint.numbers == list(range(10))
    assert joint.frames == list(range(10))


def test_stragglers_of_a_replaced_source_are_dropped(joint: Joint) -> None:
    joint.take("a", *(packet(k) for k in range(5)))
    joint.take("b", packet(6, sequence=500))
    joint.take("a", packet(5), packet(7))
    joint.take("b", packet(8, sequence=499))

    assert joint.numbers == [*range(5), 5, 6]


def test_a_number_is_given_once_even_if_a_new_source_begins_out_of_order(joint: Joint) -> None:
    joint.take("a", *(packet(k) for k in range(5)))
    joint.take("b", *(packet(k, sequence=500) for k in (6, 5, 8, 7)))

    assert joint.numbers == [*range(5), 5, 7, 6]
    assert joint.frames == [*range(5), 6, 8, 7]


def test_a_replaced_source_counts_again_when_its_successor_falls_silent(joint: Joint) -> None:
    joint.take("a", packet(0))
    joint.take("b", packet(1))
    later = 2 + STALL_NS // FRAME_NS
    joint.take("a", packet(later, sequence=-later + 5))

    assert joint.numbers == [0, 1, 2]
    assert joint.frames == [0, 1, later]


def test_sources_that_were_forgotten_may_go_on(joint: Joint) -> None:
    joint.take("a", packet(0))
    joint.take("mix", packet(1))
    joint.splice.forget_sources()
    joint.take("a", packet(2))

    assert joint.frames == [0, 1, 2]


def test_what_is_remembered_of_replaced_sources_is_bounded(joint: Joint) -> None:
    sources = MAX_LEFT_SOURCES + 2
    for k in range(sources):
        joint.take(k, packet(k))
    joint.take(1, packet(sources))  # the oldest that is remembered: a straggler
    joint.take(0, packet(sources))  # forgotten, so a source like any other

    assert joint.numbers == list(range(sources + 1))
    assert joint.frames == list(range(sources + 1))


def test_packets_of_any_length_follow_each_other(joint: Joint) -> None:
    """A reconnect right after a packet of 60 ms begins at its end."""
    sixty_ms = bytes((0xF8 | 3, 3)) + bytes(3)
    joint.take("a", packet(0, payload=sixty_ms))
    joint.take("b", packet(0, sequence=7, payload=TOC_20_MS))

    assert joint.frames == [0, 3]


def test_a_malformed_packet_is_passed_on(joint: Joint) -> None:
    joint.take("a", packet(0), packet(1, payload=b"\xff"), packet(2))

    assert joint.frames == [0, 1, 2]


@given(st.lists(st.integers(0, 60 * MS), min_size=100, max_size=200))
def test_capture_times_follow_the_least_delayed_packets(delays: Sequence[int]) -> None:
    joint = Joint()
    joint.take("a", *(packet(k, delay_ns=delay) for k, delay in enumerate(delays)))

    least = min(delays)
    for outgoing, frame in zip(joint.out[-20:], joint.frames[-20:], strict=True):
        captured_ns = START_NS + int(frame * FRAME_NS) + least
        assert abs(outgoing.captured_ns - captured_ns) <= 1_000
    assert joint.splice.end_ns is not None
    assert abs(joint.splice.end_ns - joint.out[-1].captured_ns - FRAME_NS) <= 1_000


@pytest.mark.parametrize("sender_is_ahead_ns", [0, 3_600 * 1_000 * MS])
def test_a_publishers_reports_tell_capture_times_better(
    joint: Joint, sender_is_ahead_ns: int
) -> None:
    """80 ms of delay; of a wrong wall clock, the first report counts as if it had none."""
    delay_ns, utc_offset_ns = 80 * MS, 10**18
    joint.take("a", *(packet(k, delay_ns=delay_ns, timestamp=77) for k in range(5)))
    assert joint.out[-1].captured_ns == START_NS + 4 * FRAME_NS + delay_ns
    captured_ns = START_NS + 5 * FRAME_NS
    sent_utc_ns = captured_ns + utc_offset_ns + sender_is_ahead_ns
    report = SenderReport(77 + 5 * FRAME, sent_utc_ns, captured_ns + delay_ns)

    joint.splice.report("a", report, utc_offset_ns=utc_offset_ns)
    joint.take("a", *(packet(k, delay_ns=delay_ns, timestamp=77) for k in range(5, 9)))

    expected_ns = START_NS + 8 * FRAME_NS + (delay_ns if sender_is_ahead_ns else 0)
    assert abs(joint.out[-1].captured_ns - expected_ns) < 10


def test_reports_on_something_else_mean_nothing(joint: Joint) -> None:
    joint.take("a", packet(0))
    joint.take("b", packet(1))
    on_time = SenderReport(FRAME, START_NS, START_NS)
    joint.splice.report("a", on_time, utc_offset_ns=0)
    joint.splice.report("b", on_time._replace(timestamp=11 * 48_000), utc_offset_ns=0)
    joint.take("b", packet(2))

    assert joint.out[-1].captured_ns == START_NS + 2 * FRAME_NS


def test_after_a_break_an_old_report_counts_no_more(joint: Joint) -> None:
    joint.take("a", packet(0))
    joint.splice.report("a", SenderReport(0, START_NS - 60 * MS, START_NS), utc_offset_ns=0)
    joint.take("a", packet(100, sequence=-99, timestamp=-99 * FRAME))

    assert joint.out[-1].captured_ns == START_NS + 100 * FRAME_NS


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.integers(0, 2**16 - 1),
            st.integers(0, 2**32 - 1),
            st.integers(0, 5_000 * MS),
            st.binary(min_size=1, max_size=4),
        )
    )
)
def test_whatever_comes_a_break_goes_on_right_after_what_was_sent(
    packets: list[tuple[str, int, int, int, bytes]],
) -> None:
    splice = RtpSplice(sequence=0, timestamp=0)
    at_ns = START_NS
    number, time = -1, 0  # of the furthest packet
    for source, sequence, timestamp, wait_ns, payload in packets:
        at_ns += wait_ns
        outgoing = splice.take(source, RtpPacket(sequence, timestamp, at_ns, 0, payload))
        if outgoing is None:
            continue
        ahead = (outgoing.sequence - number) & 0xFFFF
        if outgoing.marker:
            assert ahead == 1
            assert (outgoing.timestamp - time) & 0xFFFF_FFFF < 0x8000_0000
        if ahead < 0x8000:
            number, time = outgoing.sequence, outgoing.timestamp
