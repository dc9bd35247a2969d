from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.slicing.audio import PcmAudio
from airslice.slicing.mixer import FULL_SCALE, KNEE, MAX_PENDING_S, Mixer, limited
from tests.support.audio.made_audio import examples


def pcm(*values: int) -> PcmAudio:
    return PcmAudio(np.array(values, np.int16).tobytes())


def values(audio: PcmAudio | None) -> list[int]:
    assert audio is not None
    return [int(value) for value in np.frombuffer(audio.pcm, np.int16)]


def limit(*totals: int) -> list[int]:
    return values(PcmAudio(limited(np.array(totals, np.int32))))


def test_sums_up_to_the_knee_are_exact() -> None:
    every = list(range(-KNEE, KNEE + 1))

    assert limit(*every) == every
    assert limit(*every, FULL_SCALE)[:-1] == every


def test_louder_sums_bend_smoothly_and_never_clip() -> None:
    totals = np.arange(17 * 32_768 + 1, dtype=np.int32)

    bent = np.frombuffer(limited(totals), np.int16).astype(int)

    steps = np.diff(bent)
    assert steps.min() >= 0
    assert steps.max() <= 1
    assert bent[KNEE + 1] in (KNEE, KNEE + 1)
    assert bent.max() <= FULL_SCALE


@given(total=st.integers(0, 17 * 32_768))
def test_limiting_is_symmetric(total: int) -> None:
    up, down = limit(total, -total)

    assert up == -down


def test_nothing_limited_is_nothing() -> None:
    assert limited(np.zeros(0, np.int32)) == b""


def test_streams_are_summed_where_they_overlap() -> None:
    mixer = Mixer(100, 16_000)

    mixer.add(100, pcm(1, 2, 3))
    mixer.add(102, pcm(10, 20))

    assert values(mixer.mix_until(106)) == [1, 2, 13, 20, 0, 0]
    assert mixer.position == 106
    assert mixer.mix_until(106) is None


def test_what_is_not_due_waits() -> None:
    mixer = Mixer(0, 16_000)
    mixer.add(0, pcm(1, 2, 3))

    assert values(mixer.mix_until(2)) == [1, 2]
    mixer.add(2, pcm(10))
    assert values(mixer.mix_until(3)) == [13]


def test_late_samples_are_left_out_and_counted() -> None:
    mixer = Mixer(0, 16_000)
    mixer.mix_until(10)

    mixer.add(8, pcm(1, 2, 3, 4))
    mixer.add(0, pcm(1, 2, 3))

    assert mixer.late_samples == 5
    assert values(mixer.mix_until(12)) == [3, 4]


def test_waiting_audio_is_bounded() -> None:
    mixer = Mixer(0, 1_000)
    bound = MAX_PENDING_S * 1_000
    mixer.add(0, pcm(5))

    assert mixer.add(1, PcmAudio(bytes(2 * (bound - 1)))) is None
    assert values(mixer.add(bound, pcm(7, 7))) == [5, 0]
    assert mixer.position == 2


@examples(60)
@given(
    parts=st.lists(st.tuples(st.integers(0, 300), st.integers(-7_000, 7_000)), max_size=3),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)
def test_the_mix_is_the_sum_however_it_is_taken_out(
    parts: list[tuple[int, int]], cuts: list[int]
) -> None:
    mixer = Mixer(0, 16_000)
    expected = [0] * 400
    for position, value in parts:
        mixer.add(position, pcm(*[value] * 100))
        for at in range(position, position + 100):
            expected[at] += value

    mixed: list[int] = []
    for cut in [*sorted(cuts), 400]:
        part = mixer.mix_until(cut)
        mixed += values(part) if part is not None else []

    assert mixed == expected


@pytest.mark.parametrize("value", [-32_768, 32_767])
def test_a_single_stream_at_full_scale_stays_within_it(value: int) -> None:
    mixer = Mixer(0, 16_000)
    mixer.add(0, pcm(value))

    (mixed,) = values(mixer.mix_until(1))

    assert KNEE < abs(mixed) <= FULL_SCALE
