"""Speech is made before it is needed, and not much before."""

from __future__ import annotations

import asyncio

import pytest

from airslice.application.broadcast.speech_ahead import (
    CHUNK_FRAMES,
    FRAME_BYTES,
    MAX_AHEAD_FRAMES,
    MIN_AHEAD_FRAMES,
    PAUSE_FRAMES,
    SpeechAhead,
    silent_frame,
)
from airslice.application.pacing import Frame
from airslice.application.ports.live import SpeechFailed
from airslice.domain.playing import Line, Script
from airslice.domain.script import Cursor, PlayPolicy, Program
from tests.support.stages.live_stage import InlineExecutor, NumberEncoders, a_scene, numbered


class Maker:
    """Makes each sentence of so many frames."""

    def __init__(self, frames: int, sentences: int = 100) -> None:
        asyncio.get_running_loop().set_default_executor(InlineExecutor(1))
        self.frames = frames
        self.made = 0
        self.fails_at = -1
        program = Program(scenes=(a_scene(numbered(*[20] * sentences)),), policy=PlayPolicy())
        self.ahead = SpeechAhead(
            Script(program, seed="job"), Cursor(), self._record, NumberEncoders()
        )
        self.ahead.start()

    async def _record(self, line: Line) -> bytes:
        if self.made == self.fails_at:
            raise SpeechFailed("no voice")
        self.made += 1
        return b"\1\0" * (FRAME_BYTES // 2 * self.frames)

    async def play(self, frames: int) -> None:
        """Let so many frames of what is ready be played."""
        for _ in range(frames):
            self.ahead.played()
        await settle()


async def settle() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


async def test_short_sentences_are_made_until_ten_seconds_are_ready() -> None:
    maker = Maker(frames=35)
    await settle()

    assert MIN_AHEAD_FRAMES <= maker.ahead.ready_frames <= MIN_AHEAD_FRAMES + 35 + PAUSE_FRAMES
    made = maker.made
    await maker.play(200)
    assert maker.ahead.ready_frames >= MIN_AHEAD_FRAMES
    assert made < maker.made <= made + 5
    await maker.ahead.close()


async def test_two_sentences_are_ready_even_if_they_are_long() -> None:
    maker = Maker(frames=600)
    await settle()

    assert maker.made == 2
    assert maker.ahead.ready_frames == 2 * (600 + PAUSE_FRAMES)
    await maker.ahead.close()


async def test_of_a_very_long_sentence_only_half_a_minute_is_encoded() -> None:
    maker = Maker(frames=60_000)
    most = 0
    take = await maker.ahead.next()
    assert take is not None
    played = 0
    while not take.is_complete or take.frames:
        assert take.frames, "there would be a gap"
        most = max(most, len(take.frames), maker.ahead.ready_frames)
        count = min(len(take.frames), 50)
        for _ in range(count):
            take.frames.popleft()
        await maker.play(count)
        played += count

    assert played == 60_000 + PAUSE_FRAMES
    assert MAX_AHEAD_FRAMES - CHUNK_FRAMES <= most <= MAX_AHEAD_FRAMES
    await maker.ahead.close()


async def test_what_fails_is_told_where_it_is_missed() -> None:
    maker = Maker(frames=35)
    maker.fails_at = 2

    assert [(await maker.ahead.next()) is not None for _ in range(2)] == [True, True]
    with pytest.raises(SpeechFailed, match="no voice"):
        await maker.ahead.next()
    with pytest.raises(SpeechFailed):
        await maker.ahead.next()


async def test_after_the_last_sentence_there_is_none() -> None:
    maker = Maker(frames=1, sentences=2)

    takes = [await maker.ahead.next() for _ in range(3)]

    assert [take.line.cursor.sentence for take in takes if take] == [0, 1]
    assert takes[2] is None


async def test_silence_is_marked_as_such() -> None:
    maker = Maker(frames=1, sentences=1)

    take = await maker.ahead.next()

    assert take is not None
    assert [frame.level for frame in take.frames] == [-1] + [127] * PAUSE_FRAMES
    assert silent_frame(NumberEncoders()) == Frame(b"\xf8\0\0", 127)
