"""kill -9 while a live job is on air: it goes on, and tells nothing twice."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable

import httpx

from tests.support.audio.slice_audio import joined, read_wav
from tests.support.clients.live_jobs import LiveClient, played, write_tones
from tests.support.clients.slicing_client import SlicingClient, order_slicing
from tests.support.server.callback_sink import CallbackSink
from tests.support.server.mortal_server import MortalServer

TONES = 24
TONE_S = 1.0
LONGEST_LIFE_S = 4.0
KILLS = 4


async def test_a_killed_job_goes_on_at_the_next_sentence_and_repeats_nothing(
    make_server: Callable[..., MortalServer], sink: CallbackSink, http: httpx.AsyncClient
) -> None:
    server = make_server()
    folder = server.settings.server.data_dir / "assets" / server.project.project_id
    write_tones(folder, [TONE_S] * TONES)
    server.launch()
    await server.ready(http)
    live = LiveClient(server, http)
    job = await live.start(TONES)
    task = await order_slicing(SlicingClient(server, http), sink, server, room=job.rtc_room_id)
    chance = random.Random()
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0, LONGEST_LIFE_S))
        server.kill()
        server.launch()
        await server.ready(http)
    shown = await live.ended(job)
    slices = await task.stop()
    await asyncio.to_thread(server.close)

    heard = played(joined(read_wav(task.path(one)) for one in slices), TONES, rate=16_000)
    numbers = [tone.number for tone in heard]
    whole = [tone.number for tone in heard if abs(tone.length_s - TONE_S) <= 0.1]
    print(
        f"kill -9 of a live job: {KILLS} kills, {len(whole)} of {TONES} recordings whole,"
        f" {len(numbers) - len(whole)} broken off"
    )
    assert shown["state"] == "SUCCEED"
    assert all(before < after for before, after in itertools.pairwise(numbers)), heard
    # Of what was heard up to a kill, a slice may lack the last second: that of the journal.
    assert len(whole) >= TONES - 2 * KILLS
