"""As many publishers as a task takes, and one more, on one grid with a mix."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import numpy as np

from tests.support.audio.slice_audio import Samples, beeps, onsets_s, read_wav
from tests.support.clients.rtp_publisher import FRAME_SAMPLES, RATE, opus_loop
from tests.support.server.callback_sink import Announced
from tests.support.stages.publishing_stage import PublishingStage
from tests.support.waiting import until

SLICED = 17
DURATION_S = 2
OVERLAP_S = 1
PERIODS = 4
SLICE_RATE = 16_000

KNEE = 26_214
"""Sums up to it are exact."""

PERIOD_S = 2
"""All publishers beep at UTC times that are multiples of it."""

CODEC_S = 0.0065
"""Delay of the Opus encoder."""

PLACED_S = 0.004
"""Between a sound's place by label and its time by its sender's clock."""


def voice(number: int) -> Samples:
    """Two seconds: a short beep with everybody else's, and a longer sound at a time of its own.

    Together the short beeps are far too loud.
    """
    sound = beeps(2.0, every_s=2.0, frequency=600, amplitude=6_000).astype(np.int32)
    own_s = 0.3 + 0.08 * number
    pitch = 300 + 45 * number
    sound += beeps(2.0, every_s=2.0, first_s=own_s, length_s=0.09, frequency=pitch)
    return np.clip(sound, -32_768, 32_767).astype(np.int16)


async def test_seventeen_streams_share_one_grid_and_one_mix(
    order: Any, stage: PublishingStage
) -> None:
    room = "many"
    task = await order(
        room=room,
        Duration=DURATION_S,
        Control={
            "Align": True,
            "Mixed": True,
            "IgnoreSilence": True,
            "RedundantDuration": OVERLAP_S,
        },
    )
    loops = [opus_loop(voice(number)) for number in range(SLICED - 1)]
    loops.append(opus_loop(np.zeros(2 * RATE // FRAME_SAMPLES * FRAME_SAMPLES, np.int16)))
    users = [f"u{number}" for number in range(SLICED)]
    await asyncio.gather(
        *(
            stage.publish(loop, room=room, user=user)
            for loop, user in zip(loops, users, strict=True)
        )
    )
    await stage.publish(loops[0], room=room, user="late")
    await until(lambda: stage.server.metric("waiting_streams") == 1)
    await until(lambda: all(len(task.slices(user)) >= PERIODS for user in [*users[:-1], "mixed"]))
    slices = await task.stop()

    assert {announced.user for announced in slices} == {*users[:-1], "mixed"}
    starts = check_grid(slices)
    parts = {a: read_wav(task.path(a)) for a in slices}
    # The last period was cut by the stop; the first ones saw the publishers come one by one.
    whole = starts[1:PERIODS]
    for start_ms in whole:
        of_users = [p for a, p in parts.items() if a.start_ms == start_ms and a.user != "mixed"]
        (mix,) = [p for a, p in parts.items() if a.start_ms == start_ms and a.user == "mixed"]
        assert len(of_users) == SLICED - 1
        check_beeps(of_users, start_ms)
        check_mix(mix, of_users)


def check_grid(slices: list[Announced]) -> list[int]:
    """Every user's slice k starts where the mix's does, and is whole; return the starts."""
    starts: defaultdict[str, list[int]] = defaultdict(list)
    lengths: defaultdict[int, set[int]] = defaultdict(set)
    for announced in slices:
        starts[announced.user].append(announced.start_ms)
        lengths[announced.start_ms].add(announced.duration_ms)
    grid = starts["mixed"]
    for own in starts.values():
        assert set(own) <= set(grid)
        assert own == grid[-len(own) :] or own == grid[-len(own) - 1 : -1]
    first, *following, _ = (lengths[start_ms] for start_ms in grid)
    assert first == {DURATION_S * 1000}
    assert all(length == {(DURATION_S + OVERLAP_S) * 1000} for length in following)
    second = grid[0] + (DURATION_S - OVERLAP_S) * 1000
    assert grid[1:] == [second + k * DURATION_S * 1000 for k in range(len(grid) - 1)]
    return grid


def check_beeps(parts: list[Samples], start_ms: int) -> None:
    """The beep that everybody made at one moment is where that moment is, in all slices."""
    expected_s = -start_ms / 1000 % PERIOD_S
    if expected_s < 0.5:  # what leads up to it may be cut off
        expected_s += PERIOD_S
    found_s = [min(onsets_s(part), key=lambda at: abs(at - expected_s)) for part in parts]
    assert max(abs(at - expected_s - CODEC_S) for at in found_s) <= PLACED_S, (found_s, expected_s)


def check_mix(mix: Samples, parts: list[Samples]) -> None:
    """The mix is the sum to the bit where that is not loud, and bent but unclipped above."""
    total = np.sum(np.stack(parts).astype(np.int32), axis=0)
    mixed = mix.astype(np.int32)
    quiet = np.abs(total) <= KNEE
    assert np.abs(mixed - total)[quiet].max() <= 1
    loud = mixed[~quiet]
    assert loud.size > 100
    assert np.array_equal(np.sign(loud), np.sign(total[~quiet]))
    assert np.abs(loud).min() >= KNEE
    assert np.abs(loud).max() <= 32_767
