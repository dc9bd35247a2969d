"""The server stops or dies with publishers on air, and goes on where it was."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable

import httpx

from tests.support.audio.slice_audio import beeps, onsets_s, read_wav
from tests.support.clients.rtp_publisher import opus_loop
from tests.support.clients.slicing_client import OrderedTask, SlicingClient, order_slicing
from tests.support.server.callback_sink import Announced, CallbackSink
from tests.support.server.running_server import RunningServer
from tests.support.stages.publishing_stage import PublishingStage
from tests.support.waiting import until

RUNNING = 2
BEEP_S = 0.5
LOOP = opus_loop(beeps(1.0, every_s=BEEP_S))
ROOM = "restarted"
PERIOD_MS = 1_000
MAX_LOST_MS = 1_000
"""Of what was received before a kill."""


async def test_a_stopped_server_keeps_its_open_slices_and_its_tasks(
    make_server: Callable[..., RunningServer], sink: CallbackSink, http: httpx.AsyncClient
) -> None:
    server = make_server()
    loose, aligned = await started(server, sink, http)
    stage = PublishingStage(server, http)
    await stage.publish(LOOP, room=ROOM, user="u")
    await asyncio.gather(loose.wait_for(2), aligned.wait_for(2))
    sink.is_down = True
    before = len(loose.slices()), len(aligned.slices())

    code = await asyncio.to_thread(server.stop)
    await stage.close()

    assert code == 0
    sink.is_down = False
    await asyncio.to_thread(server.start)
    # What was cut at the end, and could not be announced, is announced now.
    await until(lambda: len(loose.slices()) > before[0] and len(aligned.slices()) > before[1])
    await goes_on(server, http, loose, aligned)


async def test_a_killed_server_keeps_its_tasks(
    make_server: Callable[..., RunningServer], sink: CallbackSink, http: httpx.AsyncClient
) -> None:
    server = make_server()
    loose, aligned = await started(server, sink, http)
    stage = PublishingStage(server, http)
    await stage.publish(LOOP, room=ROOM, user="u")
    await asyncio.gather(loose.wait_for(2), aligned.wait_for(2))

    killed_ms = time.time() * 1000
    server.kill()
    await stage.close()

    await asyncio.to_thread(server.start)
    await goes_on(server, http, loose, aligned)
    for task in (loose, aligned):
        kept_ms = max(a.end_ms for a in task.slices("u") if a.start_ms < killed_ms)
        assert killed_ms - kept_ms < MAX_LOST_MS


async def started(
    server: RunningServer, sink: CallbackSink, http: httpx.AsyncClient
) -> tuple[OrderedTask, OrderedTask]:
    """Start a task without and one with a grid."""
    client = SlicingClient(server, http)
    loose = await order_slicing(client, sink, server, room=ROOM, task="loose", Duration=1)
    control = {"Align": True, "Mixed": True}
    aligned = await order_slicing(
        client, sink, server, room=ROOM, task="aligned", Duration=1, Control=control
    )
    return loose, aligned


async def goes_on(
    server: RunningServer, http: httpx.AsyncClient, loose: OrderedTask, aligned: OrderedTask
) -> None:
    """The tasks run on when their publisher is back: same grid, next index, nothing twice."""
    states = [await task.state() for task in (loose, aligned)]
    assert [(state["Status"], state["StopReason"]) for state in states] == [(RUNNING, "")] * 2
    before = len(loose.slices("u")), len(aligned.slices("u"))
    stage = PublishingStage(server, http)
    await stage.publish(LOOP, room=ROOM, user="u")
    await asyncio.gather(loose.wait_for(before[0] + 2, "u"), aligned.wait_for(before[1] + 2, "u"))
    await asyncio.gather(loose.stop(), aligned.stop())
    await stage.close()

    for task in (loose, aligned):
        for user in {announced.user for announced in task.slices()}:
            in_order(task.slices(user))
    origin_ms = aligned.slices("mixed")[0].start_ms
    for announced in aligned.slices():
        edges_ms = [announced.start_ms, announced.end_ms]
        on_grid = [(edge_ms - origin_ms) % PERIOD_MS == 0 for edge_ms in edges_ms]
        assert all(on_grid) if announced.duration_ms == PERIOD_MS else any(on_grid)
    spoken_in_time(loose)
    spoken_in_time(aligned)


def in_order(slices: list[Announced]) -> None:
    """One stream's slices are numbered without gaps, and none overlaps another."""
    assert [announced.index for announced in slices] == list(range(len(slices)))
    assert all(b.start_ms - a.end_ms > -60 for a, b in itertools.pairwise(slices))


def spoken_in_time(task: OrderedTask) -> None:
    """Beeps are at the UTC times at which they were made."""
    spoken_s = [
        announced.start_ms / 1000 + at
        for announced in task.slices("u")
        for at in onsets_s(read_wav(task.path(announced)))
        if at > 0.1  # a file that begins within a beep says nothing of its onset
    ]
    late_s = [at - round(at / BEEP_S) * BEEP_S for at in spoken_s]
    assert len(late_s) >= 4
    assert max(map(abs, late_s)) < 0.02, late_s
