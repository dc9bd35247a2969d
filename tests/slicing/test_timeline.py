from __future__ import annotations

from collections.abc import Callable

from airslice.slicing.jitter import MAX_HELD_PACKETS
from airslice.slicing.packets import RtpPacket, SenderReport
from airslice.slicing.timeline import (
    ANCHOR_WINDOW_NS,
    MAX_CONCEALED_TICKS,
    MAX_GAP_TICKS,
    Piece,
    PieceKind,
    Timeline,
)
from tests.support.audio.made_audio import MS, packet

UTC_OFFSET_NS = 1_700_000_000_000_000_000


def row(start: int, stop: int) -> list[RtpPacket]:
    """Return 20 ms packets that arrive in time."""
    return [packet(n, at_ms=20 * n) for n in range(start, stop)]


def begun(packets: int = 50) -> Timeline:
    timeline = Timeline()
    timeline.add(row(0, packets))
    return timeline


def spelled(pieces: list[Piece]) -> list[tuple[int, int, str]]:
    return [(position, samples, kind.value) for position, samples, kind, _ in pieces]


def report(at_ms: float, timestamp: int, *, utc_ms: float, delay_ms: float = 5) -> SenderReport:
    return SenderReport(
        timestamp & 0xFFFF_FFFF,
        UTC_OFFSET_NS + round(utc_ms * MS),
        round((at_ms + delay_ms) * MS),
    )


def test_the_first_packet_begins_the_timeline_at_once() -> None:
    timeline = Timeline()

    pieces = timeline.add([packet(7, at_ms=1_000, timestamp=2**32 - 5)])

    assert spelled(pieces) == [(0, 960, "packet")]
    assert timeline.end == 960
    assert timeline.reanchored == 0


def test_timestamps_and_sequence_numbers_wrap() -> None:
    timeline = Timeline()

    pieces = timeline.add(
        [packet(65_535 + n, at_ms=20 * n, timestamp=2**32 - 960 + 960 * n) for n in range(3)]
    )

    assert spelled(pieces) == [(0, 960, "packet"), (960, 960, "packet"), (1_920, 960, "packet")]
    assert timeline.lost_packets == 0


def test_the_packet_after_a_loss_may_recover_what_is_right_before_it() -> None:
    timeline = begun(1)
    late = packet(3, at_ms=60)

    pieces = timeline.add([late])

    assert pieces == [
        Piece(960, 960, PieceKind.CONCEALED, None),
        Piece(1_920, 960, PieceKind.RECOVERED, late),
        Piece(2_880, 960, PieceKind.PACKET, late),
    ]
    assert timeline.lost_packets == 2


def test_a_long_loss_is_concealed_only_for_a_while() -> None:
    timeline = begun(1)

    pieces = timeline.add([packet(51, at_ms=1_020)])

    assert spelled(pieces)[:3] == [
        (960, MAX_CONCEALED_TICKS, "concealed"),
        (5_760, 48_000 - 4_800 - 960, "silent"),
        (48_000, 960, "recovered"),
    ]


def test_discontinuous_transmission_is_silence() -> None:
    timeline = begun(1)

    pieces = timeline.add([packet(1, at_ms=400, timestamp=19_200)])

    assert spelled(pieces) == [(960, 18_240, "silent"), (19_200, 960, "packet")]
    assert timeline.lost_packets == 0


def test_a_malformed_packet_is_counted_and_its_time_made_up() -> None:
    timeline = begun(1)

    pieces = timeline.add([packet(1, at_ms=20)._replace(payload=b"\xfb"), packet(2, at_ms=40)])

    assert spelled(pieces) == [(960, 960, "recovered"), (1_920, 960, "packet")]
    assert timeline.malformed_packets == 1


def test_packets_lost_without_a_trace_in_timestamps_are_only_counted() -> None:
    timeline = begun(1)

    pieces = timeline.add([packet(4, at_ms=20, timestamp=960)])

    assert spelled(pieces) == [(960, 960, "packet")]
    assert timeline.lost_packets == 3


def test_a_sequence_number_that_begins_anew_is_no_loss() -> None:
    timeline = begun(1)

    pieces = timeline.add([packet(30_000, at_ms=20, timestamp=960)])

    assert spelled(pieces) == [(960, 960, "packet")]
    assert timeline.lost_packets == 0


def test_what_rounding_leaves_out_of_gaps_adds_up() -> None:
    timeline = Timeline()

    pieces = timeline.add([packet(n, at_ms=21 * n, timestamp=1_010 * n) for n in range(13)])

    assert pieces[-1].position == 1_010 * 12
    assert all(piece.position % 120 == 0 for piece in pieces)


def test_timestamps_that_tremble_move_nothing() -> None:
    timeline = Timeline()

    pieces = timeline.add(
        [packet(n, at_ms=20 * n, timestamp=960 * n + (0, 7, -7, -90)[n % 4]) for n in range(60)]
    )

    assert spelled(pieces) == [(960 * n, 960, "packet") for n in range(60)]


def test_a_pause_with_frozen_timestamps_is_left_out() -> None:
    timeline = begun(50)

    pieces = timeline.add(
        [packet(50 + n, at_ms=6_000 + 20 * n, timestamp=48_000 + 960 * n) for n in range(20)]
    )

    assert spelled(pieces)[0] == (288_000, 960, "packet")
    assert timeline.reanchored == 1
    assert timeline.lost_packets == 0


def test_a_pause_is_measured_by_the_least_delayed_packet_of_the_window() -> None:
    timeline = begun(50)
    delays_ms = [80, 30, 50, 0, 60]
    resumed = [
        packet(50 + n, at_ms=6_000 + 20 * n + delay, timestamp=48_000 + 960 * n)
        for n, delay in enumerate(delays_ms)
    ]

    assert timeline.add(resumed) == []
    assert timeline.end == 48_000
    assert timeline.expire(6_379 * MS) == []
    assert spelled(timeline.expire(6_380 * MS))[0] == (288_000, 960, "packet")
    assert timeline.expire(9_000 * MS) == []


def test_the_packet_that_ends_the_window_of_doubt_follows_what_it_decides() -> None:
    timeline = begun(50)
    resumed = [packet(50 + n, at_ms=6_000 + 20 * n, timestamp=48_000 + 960 * n) for n in range(16)]

    assert timeline.add(resumed[:15]) == []
    assert [p.position for p in timeline.add(resumed[15:])] == [
        288_000 + 960 * n for n in range(16)
    ]


def test_a_stalled_network_is_no_pause() -> None:
    timeline = begun(50)
    stalled = [packet(n, at_ms=max(20 * n, 2_500)) for n in range(50, 150)]

    pieces = timeline.add(stalled)

    assert [piece.position for piece in pieces] == [960 * n for n in range(50, 150)]
    assert timeline.reanchored == 0


def test_a_long_silence_that_timestamps_show_is_no_pause() -> None:
    timeline = begun(50)

    pieces = timeline.add([packet(50, at_ms=6_000, timestamp=288_000)])

    assert spelled(pieces) == [(48_000, 240_000, "silent"), (288_000, 960, "packet")]


def test_a_jump_of_timestamps_over_ten_seconds_is_placed_by_the_wall_clock() -> None:
    timeline = begun(50)
    jumped = [
        packet(50 + n, at_ms=1_000 + 20 * n, timestamp=48_000 + MAX_GAP_TICKS + 1 + 960 * n)
        for n in range(16)
    ]

    pieces = timeline.add(jumped)

    assert spelled(pieces) == [(48_000 + 960 * n, 960, "packet") for n in range(16)]
    assert timeline.reanchored == 1


def test_a_jump_of_timestamps_that_real_time_cannot_explain_is_no_gap() -> None:
    timeline = begun(50)
    jumped = [
        packet(50 + n, at_ms=1_000 + 20 * n, timestamp=48_000 * 3 + 960 * n) for n in range(16)
    ]

    pieces = timeline.add(jumped)

    assert spelled(pieces) == [(48_000 + 960 * n, 960, "packet") for n in range(16)]


def test_timestamps_that_jump_back_are_placed_by_the_wall_clock() -> None:
    timeline = begun(50)
    jumped = [packet(50 + n, at_ms=1_400 + 20 * n, timestamp=960 * n) for n in range(16)]

    pieces = timeline.add(jumped)

    assert [piece.position for piece in pieces] == [67_200 + 960 * n for n in range(16)]


def test_a_second_jump_within_the_window_of_doubt_is_decided_too() -> None:
    timeline = begun(50)
    held = [packet(50, at_ms=1_000, timestamp=5), packet(51, at_ms=1_100, timestamp=2**31)]

    assert timeline.add(held) == []

    assert spelled(timeline.flush()) == [(48_000, 960, "packet"), (52_800, 960, "packet")]
    assert timeline.flush() == []


def test_another_source_goes_on_where_the_wall_clock_says() -> None:
    timeline = begun(50)

    assert timeline.begin_source() == []
    assert timeline.add([packet(9, at_ms=3_000, timestamp=77)]) == []

    assert spelled(timeline.expire(3_300 * MS)) == [(144_000, 960, "packet")]


def test_another_source_never_goes_back_over_what_is_decided() -> None:
    timeline = begun(50)
    timeline.begin_source()

    timeline.add([packet(9, at_ms=600, timestamp=77)])

    assert spelled(timeline.flush()) == [(48_000, 960, "packet")]


def test_what_is_in_doubt_of_the_former_source_is_decided_when_another_begins() -> None:
    timeline = begun(50)
    timeline.add([packet(50, at_ms=6_000, timestamp=48_000)])

    assert spelled(timeline.begin_source()) == [(288_000, 960, "packet")]


def test_a_flood_in_doubt_is_bounded() -> None:
    timeline = begun(50)
    timeline.begin_source()
    flood = [packet(n, at_ms=3_000, samples=120) for n in range(MAX_HELD_PACKETS)]

    assert timeline.add(flood[:-1]) == []
    assert len(timeline.add(flood[-1:])) == MAX_HELD_PACKETS


def test_nothing_is_known_of_time_before_the_first_packet() -> None:
    timeline = Timeline()
    timeline.report(report(0, 0, utc_ms=0), utc_offset_ns=UTC_OFFSET_NS)

    assert timeline.captured_ns(0) is None


def test_without_reports_the_least_delayed_arrival_tells_the_time() -> None:
    timeline = Timeline()

    timeline.add([packet(n, at_ms=20 * n + (30, 4, 17)[n % 3]) for n in range(30)])

    assert timeline.captured_ns(4_800) == 104 * MS


def test_a_report_tells_the_time_better() -> None:
    timeline = begun(50)

    timeline.report(report(1_000, 48_480, utc_ms=1_000), utc_offset_ns=UTC_OFFSET_NS)

    assert timeline.captured_ns(48_480) == 1_000 * MS
    assert timeline.captured_ns(480) == 0


def test_doubt_lasts_until_packets_are_placed() -> None:
    timeline = Timeline()
    doubts = [timeline.in_doubt]

    steps: list[Callable[[], object]] = [
        lambda: timeline.add(row(0, 1)),
        timeline.begin_source,
        lambda: timeline.add(row(1, 2)),
        lambda: timeline.expire(20 * MS + ANCHOR_WINDOW_NS),
    ]
    for step in steps:
        step()
        doubts.append(timeline.in_doubt)

    assert doubts == [True, False, True, True, False]


def test_a_report_of_an_impossible_timestamp_is_ignored() -> None:
    timeline = begun(50)
    before = timeline.captured_ns(0)

    timeline.report(
        report(1_000, 48_000 + MAX_GAP_TICKS + 1, utc_ms=0), utc_offset_ns=UTC_OFFSET_NS
    )

    assert timeline.captured_ns(0) == before


def test_the_sender_stepping_its_clock_forward_moves_nothing() -> None:
    timeline = begun(50)
    timeline.report(report(1_000, 48_000, utc_ms=1_000), utc_offset_ns=UTC_OFFSET_NS)
    timeline.add(row(50, 150))

    timeline.report(report(3_000, 144_000, utc_ms=63_000), utc_offset_ns=UTC_OFFSET_NS)
    timeline.add(row(150, 250))
    timeline.report(report(5_000, 240_000, utc_ms=65_000), utc_offset_ns=UTC_OFFSET_NS)

    assert timeline.end == 240_000
    assert timeline.captured_ns(240_000) == 5_000 * MS
    assert timeline.reanchored == 0


def test_the_sender_stepping_its_clock_back_moves_nothing() -> None:
    timeline = begun(50)
    timeline.report(report(1_000, 48_000, utc_ms=1_000), utc_offset_ns=UTC_OFFSET_NS)
    timeline.add(row(50, 150))

    timeline.report(report(3_000, 144_000, utc_ms=-57_000), utc_offset_ns=UTC_OFFSET_NS)

    assert timeline.captured_ns(144_000) == 3_000 * MS


def test_the_server_stepping_its_clock_moves_nothing() -> None:
    timeline = begun(50)
    timeline.report(report(1_000, 48_000, utc_ms=1_000), utc_offset_ns=UTC_OFFSET_NS)
    timeline.add(row(50, 150))

    stepped_ns = UTC_OFFSET_NS + 3_600_000 * MS
    timeline.report(report(3_000, 144_000, utc_ms=3_000), utc_offset_ns=stepped_ns)

    assert timeline.captured_ns(144_000) == 3_000 * MS


def test_the_next_report_corrects_a_pause_too_short_to_be_noticed() -> None:
    timeline = begun(50)
    timeline.report(report(1_000, 48_000, utc_ms=1_000), utc_offset_ns=UTC_OFFSET_NS)
    resumed = [packet(50 + n, at_ms=1_400 + 20 * n, timestamp=48_000 + 960 * n) for n in range(30)]
    timeline.add(resumed)
    assert timeline.end == 48_000 + 30 * 960

    timeline.report(report(2_000, 48_000 + 30 * 960, utc_ms=2_000), utc_offset_ns=UTC_OFFSET_NS)

    assert timeline.end == 96_000
    assert timeline.captured_ns(96_000) == 2_000 * MS
    assert timeline.reanchored == 1


def test_a_report_of_another_machine_is_judged_anew() -> None:
    timeline = begun(50)
    timeline.report(report(1_000, 48_000, utc_ms=1_000), utc_offset_ns=UTC_OFFSET_NS)
    timeline.begin_source()
    timeline.add([packet(n, at_ms=20 * n) for n in range(100, 120)])

    timeline.report(
        report(2_400, 115_200, utc_ms=99_000_000, delay_ms=0), utc_offset_ns=UTC_OFFSET_NS
    )

    assert timeline.captured_ns(115_200) == 2_400 * MS
    assert timeline.end == 115_200
