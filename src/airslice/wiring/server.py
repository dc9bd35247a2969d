"""Put a server together and run it.

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
from airslice.application.tasks.recovery import Recovery
from airslice.application.tasks.spool_cleaning import clean_spool
from airslice.config import Address, Settings
from airslice.facades.health import HealthFacade
from airslice.wiring.backend import Backend
from airslice.wiring.data_dir import exclusive
from airslice.wiring.delivery import open_delivery
from airslice.wiring.environment import Environment
from airslice.wiring.facades import root_of
from airslice.wiring.http import Gate, start_http
from airslice.wiring.live import open_live
from airslice.wiring.metrics import readings
from airslice.wiring.rooms import listening_of, open_rooms
from airslice.wiring.slicing import open_slicing
from airslice.wiring.storage import open_storage

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
    server, environment = settings.server, Environment.of(settings)
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        stack.enter_context(exclusive(server.data_dir))
        gate = Gate()
        http = await start_http("server.http", server.http, gate)
        stack.push_async_callback(http.close)
        storage = await start(open_storage(environment))
        delivery = await start(open_delivery(environment, storage))
        slicing = await start(open_slicing(environment, storage, delivery))
        rooms = await start(open_rooms(environment, storage, delivery, slicing))
        backend = Backend(environment, storage, delivery, slicing, rooms)
        await recover(backend)
        await start(_at_work(backend))
        live = await start(open_live(backend))
        listening = listening_of(
            environment, slicing, rooms, notices=live.notices, control=live.jobs.control
        )
        health = HealthFacade(readings(backend, live.jobs), refusal=storage.intake.refusal)
        root = root_of(backend, live, listening, health)
        if server.metrics:
            app = Starlette(routes=health.metrics_routes())
            metrics = await start_http("server.metrics", server.metrics, app)
            stack.push_async_callback(metrics.close)
        gate.open(root)
        stack.push_async_callback(http.close)  # before the parts that answer requests
        stack.callback(listening.close)  # before it: streams of events end with their sessions
        yield RunningServer(
            http=http.address,
            media=Address(server.media.host, rooms.engine.port),
            opus=slicing.decoders.description,
        )


async def recover(backend: Backend) -> None:
    """Take up what the last server left, each step on what the one before it has settled."""
    storage, delivery, slicing = backend.storage, backend.delivery, backend.slicing
    recovery = Recovery(store=storage.tasks, decoders=slicing.decoders, tools=slicing.tools)
    await recovery.recover_all(storage.past, slicing.recorder.recorded)
    await slicing.tasks.recover()
    now_ms = backend.environment.wall_clock.utc_ms()
    await clean_spool(storage.spool, delivery.outbox, now_ms=now_ms)
    await delivery.courier.start()
    await backend.rooms.room_events.recover()  # misses the users who are gone


@contextlib.asynccontextmanager
async def _at_work(backend: Backend) -> AsyncIterator[None]:
    """Do what has to be done all the time."""
    wall_clock = backend.environment.wall_clock
    async with AsyncExitStack() as stack:
        for name, work in (
            ("rooms", backend.slicing.rooms.run()),
            ("pacer", backend.rooms.pacer.run()),
            ("history", keep_history(backend.storage.tasks, wall_clock, asyncio.sleep)),
            ("intake", backend.storage.intake.watch(asyncio.sleep)),
            ("signs", backend.rooms.room_events.keep_signs(asyncio.sleep)),
        ):
            stack.push_async_callback(_cancelled, asyncio.create_task(work, name=name))
        yield


async def _cancelled(task: asyncio.Task[None]) -> None:
    """End a task that runs for ever."""
    task.cancel()
    await asyncio.wait((task,))
