"""Put the parts together and run them.

`running` reads top to bottom as the order of start; its `AsyncExitStack` undoes it bottom to top.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop
from starlette.applications import Starlette

from airslice import __version__
from airslice.application.tasks.history import keep_history
from airslice.config import Address, Settings
from airslice.facades.health import HealthFacade
from airslice.wiring.data_dir import exclusive
from airslice.wiring.delivery_side import delivery_side
from airslice.wiring.given import given
from airslice.wiring.http import Gate, start_http
from airslice.wiring.listening import listening_of
from airslice.wiring.live import smart_live
from airslice.wiring.media_side import media_side
from airslice.wiring.parts import Parts
from airslice.wiring.readings import readings
from airslice.wiring.recovering import recover
from airslice.wiring.root import root_of
from airslice.wiring.slicing_side import slicing_side
from airslice.wiring.storage_side import storage_side

_log = logging.getLogger(__name__)

YOUNG_OBJECTS = 100_000
"""How many more objects than before must be there until garbage is looked for: 10 to 20 MB. The
interpreter's own 700 cost a tenth of all CPU time with 300 streams."""


def serve(settings: Settings) -> int:
    """Run the server until SIGTERM or SIGINT; return the exit code."""
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # 1,024, as many systems have it, are soon used up by connections and slices together.
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    return uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as server:
        # What exists now stays: collecting garbage need not look at it again, and pauses less.
        # What comes and goes by the thousand, packets above all, is in no cycles.
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
        _log.info(
            "airslice %s: http://%s, media %s/udp, Opus by %s",
            __version__,
            server.http,
            server.media,
            server.opus,
        )
        await stop.wait()
        _log.info("stopping: open slices are cut and kept")
    return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningServer:
    """Where a server that has started can be reached, and what decodes for it."""

    http: Address
    media: Address
    opus: str


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RunningServer]:
    """Run a server for as long as the context is open.

    Raises:
        ConfigError: another server uses the data directory, or an address cannot be bound.
    """
    server = settings.server
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        stack.enter_context(exclusive(server.data_dir))
        gate = Gate()
        http = await start_http("server.http", server.http, gate)
        stack.push_async_callback(http.close)
        own = given(settings)
        storage = await start(storage_side(own))
        delivery = await start(delivery_side(own, storage))
        slicing = await start(slicing_side(own, storage, delivery))
        media = await start(media_side(own, storage, delivery, slicing))
        parts = Parts(given=own, storage=storage, delivery=delivery, slicing=slicing, media=media)
        await recover(parts)
        await start(_at_work(parts))
        live = await start(smart_live(parts))
        listening = listening_of(parts, live)
        health = HealthFacade(readings(parts, live.jobs), refusal=storage.intake.refusal)
        root = root_of(parts, live, listening, health)
        if server.metrics:
            metrics = Starlette(routes=health.metrics_routes())
            listener = await start_http("server.metrics", server.metrics, metrics)
            stack.push_async_callback(listener.close)
        gate.open(root)
        stack.push_async_callback(http.close)  # before the parts that answer requests
        stack.callback(listening.close)  # before it: streams of events end with their sessions
        yield RunningServer(
            http=http.address,
            media=Address(server.media.host, media.engine.port),
            opus=slicing.decoders.description,
        )


@contextlib.asynccontextmanager
async def _at_work(parts: Parts) -> AsyncIterator[None]:
    """Do what has to be done all the time."""
    wall_clock = parts.given.wall_clock
    async with AsyncExitStack() as stack:
        for name, work in (
            ("rooms", parts.slicing.rooms.run()),
            ("pacer", parts.media.pacer.run()),
            ("history", keep_history(parts.storage.tasks, wall_clock, asyncio.sleep)),
            ("intake", parts.storage.intake.watch(asyncio.sleep)),
            ("signs", parts.media.room_events.keep_signs(asyncio.sleep)),
        ):
            stack.push_async_callback(_cancelled, asyncio.create_task(work, name=name))
        yield


async def _cancelled(task: asyncio.Task[None]) -> None:
    """End a task that runs for ever."""
    task.cancel()
    await asyncio.wait((task,))
