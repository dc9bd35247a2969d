from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from airslice.application.wall_clock import WallClock
from tests.support.stages.stage import ACCOUNT, RATE, HandClock, Stage

MS = 1_000_000
HOUR_MS = 3_600_000


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def test_the_offset_stays_as_time_passes(clock: HandClock) -> None:
    wall_clock = WallClock(clock)
    offset_ns = wall_clock.offset_ns

    clock.now_ns += 72 * HOUR_MS * MS

    assert wall_clock.offset_ns == offset_ns == clock.utc_minus_monotonic_ns


def test_now_is_what_the_wall_clock_says(clock: HandClock) -> None:
    wall_clock = WallClock(clock)
    clock.utc_minus_monotonic_ns += 7 * MS

    assert wall_clock.utc_ms() == clock.utc_ns() // MS
    assert wall_clock.monotonic_ns() == clock.monotonic_ns()


@pytest.mark.parametrize("slewed_ms", [-20, -1, 1, 20])
def test_a_slewed_wall_clock_is_not_followed_at_once(clock: HandClock, slewed_ms: int) -> None:
    wall_clock = WallClock(clock)
    offset_ns = wall_clock.offset_ns

    clock.utc_minus_monotonic_ns += slewed_ms * MS

    assert wall_clock.offset_ns == offset_ns


@pytest.mark.parametrize("step_ms", [-HOUR_MS, -21, 21, HOUR_MS])
def test_a_step_is_followed(clock: HandClock, step_ms: int) -> None:
    wall_clock = WallClock(clock)

    clock.utc_minus_monotonic_ns += step_ms * MS

    assert wall_clock.offset_ns == clock.utc_minus_monotonic_ns


def test_slewing_that_adds_up_is_followed(clock: HandClock) -> None:
    wall_clock = WallClock(clock)

    for _ in range(100):
        clock.utc_minus_monotonic_ns += MS

        assert abs(wall_clock.offset_ns - clock.utc_minus_monotonic_ns) <= 20 * MS


class HeldUpClock(HandClock):
    """The process is held up for as long as `pauses_ns` says before each reading."""

    pauses_ns: Iterator[int] = count(0, 0)

    def monotonic_ns(self) -> int:
        self.now_ns += next(self.pauses_ns)
        return super().monotonic_ns()

    def utc_ns(self) -> int:
        self.now_ns += next(self.pauses_ns)
        return super().utc_ns()


@pytest.mark.parametrize("pauses_ms", [(90, 0, 0), (0, 90, 0), (0, 0, 90), (40, 40, 40)])
def test_a_process_that_is_held_up_between_two_readings_sees_no_step(
    pauses_ms: tuple[int, ...],
) -> None:
    clock = HeldUpClock()
    wall_clock = WallClock(clock)
    offset_ns = wall_clock.offset_ns

    clock.pauses_ns = iter([pause_ms * MS for pause_ms in pauses_ms])

    assert wall_clock.offset_ns == offset_ns


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("step_ms", [-HOUR_MS, HOUR_MS])
async def test_a_step_labels_the_slices_after_it_and_cuts_none(
    stage: Stage, step_ms: int, align: bool
) -> None:
    await stage.tasks.start(ACCOUNT, stage.order(control={"align": align}))
    ann = stage.join("ann")
    begun_ms = stage.clock.utc_ns() // MS
    stage.run(1.5, [ann])

    stage.clock.utc_minus_monotonic_ns += step_ms * MS
    stage.run(2.5, [ann])
    await stage.tasks.stop(ACCOUNT, stage.order().key)
    await stage.settle()

    slices = stage.stored("ann")
    assert sum(len(s.pcm) for s in slices) == pytest.approx(4 * RATE, abs=0.02 * RATE)
    assert {len(s.pcm) for s in slices[:4]} == {RATE}
    expected = [begun_ms, begun_ms + 1_000, begun_ms + 2_000 + step_ms, begun_ms + 3_000 + step_ms]
    assert [s.start_ms for s in slices[:4]] == pytest.approx(expected, abs=20)
