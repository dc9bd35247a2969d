"""kill -9 at random instants, under load and while the server starts, with its disk kept."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np
import pytest

from tests.support.audio.held_audio import by_user
from tests.support.clients.load import (
    MAX_LOST_MS,
    MIXED,
    begin,
    check_numbers,
    check_objects,
    connect,
    kept_of,
    lost_of_mix_ms,
    present_in,
    stop_tasks,
)
from tests.support.clients.slicing_client import BUCKET, OrderedTask
from tests.support.clients.speakers import Speaker, speaking
from tests.support.server.callback_sink import Announced, CallbackSink
from tests.support.server.mortal_server import MortalServer

LONGEST_SERVICE_S = 4.0
"""Of a server, after the time that the first one took to start."""
LAST_WORDS_S = 2.5


@dataclass
class Figures:
    """What was found."""

    kills_at_start: int = 0
    lost_ms: list[float] = field(default_factory=list)
    """By kill, stream and task."""
    slices: int = 0
    checked_ms: float = 0
    worst_label_ms: float = 0
    differing: list[int] = field(default_factory=list)
    """By how much slices that are not exact differ."""

    def __str__(self) -> str:
        return (
            f"{self.kills_at_start} of them before it served, {self.slices} slices,"
            f" {self.checked_ms / 1000:.0f} s of audio compared;"
            f" worst loss {max(self.lost_ms) / 1000:.2f} s,"
            f" median {np.median(self.lost_ms) / 1000:.2f} s;"
            f" none missing, none twice,"
            f" {self.slices - len(self.differing)} of them identical and"
            f" {len(self.differing)} of speech within {max(self.differing, default=0)} of 32768;"
            f" labels within {self.worst_label_ms:.0f} ms"
        )


@pytest.mark.timeout(3_600)
async def test_a_kill_loses_at_most_a_second_and_repeats_nothing(
    make_server: Callable[..., MortalServer],
    sink: CallbackSink,
    http: httpx.AsyncClient,
    kills: int,
) -> None:
    begun_s = time.monotonic()
    server = make_server()
    server.launch()
    await server.ready(http)
    longest_life_s = time.monotonic() - begun_s + LONGEST_SERVICE_S
    tasks, speakers = await begin(server, sink, http)
    figures = Figures()

    with speaking(speakers):
        await connect(speakers, server, http)
        for number in range(kills):
            life_s = random.uniform(0, longest_life_s)
            if number:
                server.launch()
            figures.kills_at_start += not await live(server, speakers, http, life_s, number > 0)
            server.kill()
            for speaker in speakers:
                speaker.disconnect()
        server.launch()
        await server.ready(http)
        await connect(speakers, server, http)
        await asyncio.sleep(LAST_WORDS_S)
    await asyncio.sleep(0.5)
    await stop_tasks(tasks, server)
    await asyncio.to_thread(server.close)

    check_numbers(tasks)
    check_objects(server.object_path(BUCKET, "any").parent, tasks)
    for task in tasks:
        slices = by_user(task.slices())
        for speaker in present_in(task, speakers):
            compare(task, speaker, slices.get(speaker.user, []), figures)
    figures.lost_ms += lost_of_mix_ms(tasks[1], present_in(tasks[1], speakers))
    print(
        f"kill -9: {kills} kills under {len(speakers)} streams in {len(tasks)} tasks, {figures};"
        f" {len(tasks[1].slices(MIXED))} mixed slices are the sum of their streams;"
        f" {time.monotonic() - begun_s:.0f} s"
    )
    assert max(figures.lost_ms) <= MAX_LOST_MS


async def live(
    server: MortalServer,
    speakers: Sequence[Speaker],
    http: httpx.AsyncClient,
    life_s: float,
    is_starting: bool,
) -> bool:
    """Let the server live for so long, speakers connect as soon as they can; did it serve?"""
    try:
        async with asyncio.timeout(life_s):
            if is_starting:
                await server.ready(http)
                await connect(speakers, server, http)
            await asyncio.Event().wait()
    except TimeoutError:
        pass
    return any(speaker.is_connected for speaker in speakers)


def compare(
    task: OrderedTask, speaker: Speaker, slices: Sequence[Announced], figures: Figures
) -> None:
    """What slices hold is what was said, once, up to some moment before each kill."""
    *killed, last = kept_of(task, speaker, slices)
    figures.lost_ms += [kept.sent_ms - kept.kept_ms for kept in killed]
    assert last.sent_ms == last.kept_ms, "of what was said before a stop nothing is lost"
    for kept in (*killed, last):
        figures.slices += len(kept.parts)
        figures.checked_ms += kept.kept_ms
        figures.differing += [part.difference for part in kept.parts if part.difference]
        labels = [abs(part.label_error_ms) for part in kept.parts]
        figures.worst_label_ms = max([figures.worst_label_ms, *labels])
