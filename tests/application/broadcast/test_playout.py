"""What sounds at each moment."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from airslice.application.broadcast.playout import LEAD_FRAMES, Playout
from airslice.application.broadcast.speech_ahead import Take
from airslice.application.pacing import Frame
from airslice.domain.players import Timing
from airslice.domain.playing import Script
from airslice.domain.script import Cursor, Program
from tests.support.stages.live_stage import a_scene, numbered

SILENCE = Frame(b"silence")


def a_take(name: str, frames: int, *, is_complete: bool = True) -> Take:
    line = Script(Program(scenes=(a_scene(numbered(20)),)), seed="job").line_at(Cursor())
    assert line is not None
    made = deque(Frame(f"{name}{number}".encode()) for number in range(frames))
    return Take(line, made, is_complete)


@pytest.fixture
def begun() -> list[Take]:
    return []


@pytest.fixture
def playout(begun: list[Take]) -> Playout:
    return Playout(SILENCE, begun.append, lambda: None)


def play(playout: Playout, frames: int) -> list[str]:
    return [playout.next_frame().payload.decode() for _ in range(frames)]


def test_one_sentence_follows_the_other_without_a_frame_between(
    playout: Playout, begun: list[Take]
) -> None:
    first, second = a_take("a", 2), a_take("b", 1)
    playout.queue(first)
    heard = play(playout, 1)
    playout.queue(second)

    heard += play(playout, 3)

    assert heard == ["a0", "a1", "b0", "silence"]
    assert begun == [first, second]


def test_a_sentence_that_is_not_made_in_time_is_silent_and_goes_on(playout: Playout) -> None:
    take = a_take("a", 1, is_complete=False)
    playout.queue(take)
    heard = play(playout, 3)

    take.frames.append(Frame(b"a1"))
    take.is_complete = True

    assert heard + play(playout, 2) == ["a0", "silence", "silence", "a1", "silence"]
    assert playout.starved_frames == 2


async def test_the_next_sentence_is_called_for_shortly_before_the_end(playout: Playout) -> None:
    playout.queue(a_take("a", 20))
    wanting = asyncio.create_task(playout.wants_next())
    frames = 0
    while not wanting.done():
        play(playout, 1)
        frames += 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert frames == 20 - LEAD_FRAMES


def test_a_pause_at_the_end_of_a_sentence_is_one_at_once_where_none_sounds(
    playout: Playout,
) -> None:
    playout.pause(Timing.SENTENCE_END)
    playout.queue(a_take("a", 1))

    assert playout.is_resting
    assert play(playout, 1) == ["silence"]
    playout.resume()
    assert play(playout, 2) == ["a0", "silence"]


def test_what_was_queued_before_a_pause_at_the_end_waits(playout: Playout) -> None:
    playout.queue(a_take("a", 2))
    play(playout, 1)
    playout.queue(a_take("b", 1))
    playout.pause(Timing.SENTENCE_END)

    assert play(playout, 3) == ["a1", "silence", "silence"]
    playout.resume()
    assert play(playout, 1) == ["b0"]
