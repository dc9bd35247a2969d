from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from airslice.application.pacing import (
    FRAME_NS,
    MAX_CATCH_UP_FRAMES,
    REPORT_FRAMES,
    Frame,
    Pacer,
    RtpStart,
    Transmission,
)
from airslice.application.wall_clock import WallClock
from airslice.slicing.packets import RtpPacket, SenderReport
from tests.support.stages.stage import HandClock

START = RtpStart(ssrc=7, sequence=0xFFFF, timestamp=0xFFFF_FFFF)


class Sink:
    """Keeps what it takes (port `RtpSink`)."""

    def __init__(self) -> None:
        self.packets: list[RtpPacket] = []
        self.reports: list[SenderReport] = []

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        assert ssrc == START.ssrc
        return self.packets.append

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        assert ssrc == START.ssrc
        self.reports.append(report)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def transmission(sink: Sink, clock: HandClock) -> Transmission:
    return Transmission(sink, lambda: Frame(b"opus", 40), start=START, wall_clock=WallClock(clock))


def test_a_frame_leaves_when_it_is_due_and_not_earlier(
    sink: Sink, transmission: Transmission, clock: HandClock
) -> None:
    begin_ns = clock.now_ns
    transmission.beat(begin_ns)
    transmission.beat(begin_ns + FRAME_NS - 1)
    assert len(sink.packets) == 1

    transmission.beat(begin_ns + 2 * FRAME_NS)

    assert sink.packets == [
        RtpPacket(0xFFFF, 0xFFFF_FFFF, begin_ns, 40, b"opus"),
        RtpPacket(0, 959, begin_ns + FRAME_NS, 40, b"opus"),
        RtpPacket(1, 1_919, begin_ns + 2 * FRAME_NS, 40, b"opus"),
    ]


def test_what_a_long_stall_held_up_is_left_out_of_time_but_not_of_sequence(
    sink: Sink, transmission: Transmission, clock: HandClock
) -> None:
    transmission.beat(clock.now_ns)
    transmission.beat(clock.now_ns + 1_000 * FRAME_NS)

    assert transmission.elapsed_frames == 1_001
    assert transmission.skipped_frames == 1_000 - MAX_CATCH_UP_FRAMES
    assert len(sink.packets) == 1 + MAX_CATCH_UP_FRAMES
    assert sink.packets[-1].timestamp == (START.timestamp + 1_000 * 960) & 0xFFFF_FFFF
    assert [packet.sequence for packet in sink.packets[:3]] == [0xFFFF, 0, 1]


def test_reports_tie_timestamps_to_the_wall_clock(
    sink: Sink, transmission: Transmission, clock: HandClock
) -> None:
    begin_ns = clock.now_ns
    for number in range(REPORT_FRAMES + 1):
        transmission.beat(begin_ns + number * FRAME_NS)

    later_ns = begin_ns + REPORT_FRAMES * FRAME_NS
    offset_ns = clock.utc_minus_monotonic_ns
    timestamp = (START.timestamp + REPORT_FRAMES * 960) & 0xFFFF_FFFF
    assert sink.reports == [
        SenderReport(START.timestamp, begin_ns + offset_ns, begin_ns),
        SenderReport(timestamp, later_ns + offset_ns, later_ns),
    ]


class Counting:
    """Counts its beats (port `Paced`)."""

    def __init__(self, *, fails: bool = False) -> None:
        self.beats: list[int] = []
        self._fails = fails

    def beat(self, now_ns: int) -> None:
        self.beats.append(now_ns)
        if self._fails:
            raise RuntimeError("a bug")


def test_everything_is_woken_in_one_go_until_it_is_removed(clock: HandClock) -> None:
    pacer = Pacer(WallClock(clock))
    broken, sound = Counting(fails=True), Counting()
    pacer.add(broken)
    pacer.add(sound)
    pacer.beat()
    pacer.remove(sound)
    pacer.remove(sound)
    clock.now_ns += FRAME_NS
    pacer.beat()

    assert sound.beats == [clock.now_ns - FRAME_NS]
    assert broken.beats == [clock.now_ns - FRAME_NS, clock.now_ns]


async def test_a_pacer_that_runs_beats_until_it_is_cancelled(clock: HandClock) -> None:
    pacer, counting = Pacer(WallClock(clock)), Counting()
    pacer.add(counting)
    running = asyncio.create_task(pacer.run())
    async with asyncio.timeout(10):
        while len(counting.beats) < 3:
            await asyncio.sleep(0.001)

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
