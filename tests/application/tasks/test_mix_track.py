"""A mix is the sum of its streams, sliced like any track."""

from __future__ import annotations

import array

import pytest

from airslice.application.tasks.mix_track import MixTrack
from airslice.domain.room import MIXED_STREAM
from airslice.slicing.assembly import Block
from airslice.slicing.mixer import MAX_PENDING_S
from tests.support.stages.track_bench import ANN, RATE_HZ, TrackBench, a_plan, pcm


@pytest.fixture
def bench() -> TrackBench:
    return TrackBench()


@pytest.fixture
def mix(bench: TrackBench) -> MixTrack:
    plan = a_plan(address=ANN._replace(stream=MIXED_STREAM), aligned=True, origin=0)
    return MixTrack(plan, bench.tools, bench.grid)


def values(bench: TrackBench) -> list[int]:
    return [value for file in bench.spool.files for value in array.array("h", file.pcm)]


def test_streams_are_summed_where_they_lie(bench: TrackBench, mix: MixTrack) -> None:
    mix.feed(Block(0, pcm(4, 1)))
    mix.feed(Block(2, pcm(4, 10)))

    mix.advance(8)
    mix.finish()

    assert values(bench) == [1, 1, 11, 11, 10, 10, 0, 0]
    assert bench.lengths == [8]
    assert bench.closed[0].stream == MIXED_STREAM


def test_nothing_is_sliced_before_every_stream_had_its_say(
    bench: TrackBench, mix: MixTrack
) -> None:
    mix.feed(Block(0, pcm(RATE_HZ, 1)))
    assert (mix.position, bench.spool.files) == (0, [])

    mix.advance(100)

    assert (mix.position, mix.is_open) == (100, True)


def test_what_comes_after_its_place_was_mixed_is_left_out(bench: TrackBench, mix: MixTrack) -> None:
    mix.advance(4)
    mix.feed(Block(2, pcm(4, 10)))
    mix.advance(8)
    mix.finish()

    assert values(bench) == [0, 0, 0, 0, 10, 10, 0, 0]


def test_periods_without_anybody_are_silence(bench: TrackBench, mix: MixTrack) -> None:
    mix.advance(3 * RATE_HZ + 1)

    assert bench.lengths == [RATE_HZ] * 3
    assert not any(values(bench))
    assert max(len(audio.pcm) for f in bench.spool.files for w in f.writes for audio in w) == (
        2 * RATE_HZ
    )  # summed a second at a time


def test_a_stream_that_is_far_ahead_is_mixed_without_the_others(
    bench: TrackBench, mix: MixTrack
) -> None:
    for second in range(MAX_PENDING_S + 2):
        mix.feed(Block(second * RATE_HZ, pcm(RATE_HZ, 1)))

    assert mix.position == 2 * RATE_HZ
    assert bench.lengths == [RATE_HZ, RATE_HZ]


def test_it_begins_where_its_plan_says(bench: TrackBench) -> None:
    plan = a_plan(aligned=True, origin=0, position=RATE_HZ - 4)
    mix = MixTrack(plan, bench.tools, bench.grid)

    mix.feed(Block(RATE_HZ - 6, pcm(8, 5)))
    mix.advance(RATE_HZ + 2)

    assert bench.lengths == [4]
    assert bench.closed[0].start_ms == bench.start_ms + 999  # rounded down from 999.75
