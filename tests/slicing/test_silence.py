from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.audio import OpusAudio, OpusFrame, PcmAudio
from airslice.slicing.packets import LEVEL_UNKNOWN
from airslice.slicing.silence import LevelMeter, PcmMeter
from airslice.slicing.slicer import Cut, SliceDropped, SliceEnded, Slicer, SliceRules, SliceStarted
from tests.support.audio.made_audio import examples
from tests.support.audio.naive_model import Regime, is_silent, naive_slices

RATE_HZ = 8_000
FRAME = 160
THRESHOLD_DBFS = -50.0
LOUD = 104
"""The least amplitude over -50 dBFS: 32768 / 10 ** 2.5 is 103.6."""


def pcm(values: Sequence[int]) -> PcmAudio:
    return PcmAudio(np.array(values, np.int16).tobytes())


def heard(*parts: Sequence[int]) -> bool:
    meter = PcmMeter(THRESHOLD_DBFS, RATE_HZ)
    meter.reset()
    for part in parts:
        meter.measure(pcm(part))
    meter.finish()
    return meter.heard


def test_a_frame_over_the_threshold_is_heard() -> None:
    assert heard([0] * FRAME + [LOUD] * FRAME)
    assert not heard([0] * FRAME + [LOUD - 1] * FRAME)


def test_frames_are_counted_from_the_first_sample() -> None:
    assert not heard([0] * 80 + [LOUD + 20] * FRAME + [0] * 80)
    assert heard([0] * FRAME + [LOUD + 20] * FRAME)


def test_the_size_of_parts_does_not_matter() -> None:
    assert heard([0] * 159, [0] + [LOUD] * 80, [-LOUD] * 80)
    assert not heard([0] * 80 + [LOUD + 20] * 100, [LOUD + 20] * 60 + [0] * 80)


def test_the_last_frame_may_be_shorter() -> None:
    assert heard([0] * FRAME + [LOUD] * 3)
    assert not heard([0] * FRAME + [LOUD - 1] * 3)


def test_nothing_is_silent() -> None:
    assert not heard()
    assert not heard([])


def test_the_loudest_sample_does_not_overflow() -> None:
    assert heard([-32_768] * FRAME)


def test_a_new_slice_forgets_the_former() -> None:
    meter = PcmMeter(THRESHOLD_DBFS, RATE_HZ)
    meter.measure(pcm([0] * 10))
    meter.reset()
    meter.measure(pcm([LOUD] * FRAME))
    assert meter.heard
    meter.measure(pcm([0] * 30))
    meter.finish()
    assert meter.heard

    meter.reset()
    meter.finish()

    assert not meter.heard


@pytest.mark.parametrize(("level", "is_heard"), [(0, True), (49, True), (50, False), (127, False)])
def test_levels_that_senders_give_are_believed(level: int, is_heard: bool) -> None:
    meter = LevelMeter(THRESHOLD_DBFS)

    meter.measure(OpusAudio((OpusFrame(b"\xf8", 960, 127), OpusFrame(b"\xf8", 960, level))))
    meter.measure(OpusAudio((OpusFrame(b"\xf8", 960, 127),)))
    meter.finish()

    assert meter.heard == is_heard


def test_a_packet_without_a_level_is_heard() -> None:
    meter = LevelMeter(THRESHOLD_DBFS)

    meter.measure(OpusAudio((OpusFrame(b"\xf8", 960, LEVEL_UNKNOWN),)))
    assert meter.heard

    meter.reset()
    assert not meter.heard


@examples(150)
@given(
    seed=st.integers(0, 2**32),
    overlap=st.sampled_from((0, 100, 799)),
    origin=st.sampled_from((None, 0, -333)),
)
def test_exactly_the_slices_are_dropped_whose_own_part_has_no_loud_frame(
    seed: int, overlap: int, origin: int | None
) -> None:
    rng = random.Random(seed)
    aligned = origin is not None
    slicer = Slicer(
        SliceRules(
            overlap=overlap,
            fill=(lambda samples: PcmAudio(bytes(2 * samples))) if aligned else None,
            meter=PcmMeter(THRESHOLD_DBFS, RATE_HZ),
        ),
        period=800,
        position=0,
        origin=origin,
    )
    samples = np.zeros(0, np.int16)
    mask = np.zeros(0, np.bool_)
    events = []
    for _ in range(rng.randint(1, 30)):
        gap = rng.choice((0, 0, 0, 0, 70, 1_000))
        audio = np.full(rng.randint(1, 400), rng.choice((0, 0, 60, 95, 110, 150)), np.int16)
        events += slicer.feed(samples.size + gap, PcmAudio(audio.tobytes()))
        samples = np.concatenate((samples, np.zeros(gap, np.int16), audio))
        mask = np.concatenate((mask, np.zeros(gap, np.bool_), np.ones(audio.size, np.bool_)))
    events += slicer.finish()

    expected = naive_slices(
        samples,
        mask,
        [Regime(0, Cut(position=0, period=800, slicing=True, restart=False))],
        origin=origin,
        overlap=overlap,
        aligned=aligned,
    )
    starts = [event.position for event in events if isinstance(event, SliceStarted)]
    dropped = [
        isinstance(event, SliceDropped)
        for event in events
        if isinstance(event, SliceDropped | SliceEnded)
    ]
    assert list(zip(starts, dropped, strict=True)) == [
        (naive.position, is_silent(naive.content[naive.overlap :], FRAME, THRESHOLD_DBFS))
        for naive in expected
    ]
