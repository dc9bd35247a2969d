"""Put the parts together and run them: the only module that names concrete adapters.

`running` reads top to bottom as the order of start; its `AsyncExitStack` undoes it bottom to top.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import logging
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from airslice import __version__
from airslice.application.journal import Journal, NoJournal, PastJournal
from airslice.application.ports import OpusDecoders
from airslice.application.published_stream import PublishedStream
from airslice.application.publishing import Publishing
from airslice.application.recovery import Recovery
from airslice.application.rooms import Rooms
from airslice.application.slice_delivery import SliceDelivery
from airslice.application.slice_tasks import SliceTasks
from airslice.application.track_maker import RunTools
from airslice.application.wall_clock import WallClock
from airslice.config import Address, ConfigError, Settings
from airslice.delivery.sender import HttpCallbackSender
from airslice.domain import room_token
from airslice.domain.apps import RtcApp
from airslice.domain.destination import AddressRule
from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.room_token import Privilege
from airslice.encoding.opus_decoder import find_opus_decoders
from airslice.encoding.writers import FileSliceWriters
from airslice.engines.embedded import EmbeddedEngine
from airslice.facades.console import AdminAccess, ConsoleFacade, ConsoleServices
from airslice.facades.health import HealthFacade, Reading
from airslice.facades.objects import ObjectsFacade
from airslice.facades.volcengine import VolcengineFacade
from airslice.facades.whip import WhipFacade
from airslice.persistence.sqlite import SqliteTaskStore
from airslice.storage.journal import DiskJournal, past_journals
from airslice.storage.local import LocalObjectStore
from airslice.storage.signed_url import UrlSigner
from airslice.storage.spool import DiskSpool

_log = logging.getLogger(__name__)

CONSOLE_TOKEN_S = 3_600
OBJECT_URL_S = 3_600
"""How long tokens and object URLs that the console hands out are valid."""

REQUEST_GRACE_S = 5
"""How long requests that are being answered may take once the server stops."""

MAX_CONNECTIONS = 4_096

MAX_JOURNAL_BYTES = 4 * 1024**3
"""600 s, the longest slice, of 1,000 streams at 32 kbit/s."""


class SystemClock:
    """The machine's clocks (port `Clock`)."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on a clock that never steps."""
        return time.monotonic_ns()

    def utc_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return time.time_ns()


def serve(settings: Settings) -> int:
    """Run the server until SIGTERM or SIGINT; return the exit code."""
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    return uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as server:
        # What exists now stays: collecting garbage need not look at it again, and pauses less.
        gc.collect()
        gc.freeze()
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
    if settings.storage.default != "local" or settings.storage.endpoints:
        raise ConfigError(
            ["storage: only the local store is built in yet; leave it at its default"]
        )
    server = settings.server
    clock = SystemClock()
    wall_clock = WallClock(clock)
    apps = {app.app_id: app for app in settings.apps}
    async with AsyncExitStack() as stack:
        stack.enter_context(_exclusive(server.data_dir))
        store = await SqliteTaskStore.open(server.data_dir / "airslice.db", server.master_key)
        stack.push_async_callback(store.close)
        objects = LocalObjectStore(server.data_dir / "objects")
        spool = DiskSpool(server.data_dir / "spool", FileSliceWriters())
        stack.callback(spool.close)
        past = past_journals(server.data_dir / "journal")
        journal = await stack.enter_async_context(_journal(settings, clock))
        sender = HttpCallbackSender(clock, AddressRule(settings.security.private_networks))
        stack.push_async_callback(sender.close)
        delivery = SliceDelivery(
            store=store,
            objects=objects,
            spool=spool,
            sender=sender,
            wall_clock=wall_clock,
            apps=apps,
            on_recorded=journal.settled,
        )
        stack.push_async_callback(delivery.close)
        decoders = find_opus_decoders()
        rooms = Rooms(
            wall_clock=wall_clock,
            decoders=decoders,
            reorder_window_ns=settings.slicing.reorder_window_ms * 1_000_000,
            journal=journal,
            max_publishers_per_room=server.max_publishers_per_room,
        )
        tasks = SliceTasks(
            apps=apps,
            rooms=rooms,
            store=store,
            delivery=delivery,
            tools=RunTools(
                spool=spool,
                journal=journal,
                wall_clock=wall_clock,
                silence_dbfs=settings.slicing.silence_dbfs,
                on_cut=delivery.accept,
            ),
            max_tasks=server.max_tasks,
        )
        # After the engine has closed: sessions that end give up waiting for missing packets.
        stack.push_async_callback(tasks.suspend)
        engine = EmbeddedEngine(
            server.media,
            server.advertise,
            clock,
            server.max_streams,
        )
        await _bound("server.media", server.media, engine.start())
        stack.push_async_callback(engine.close)
        await delivery.resume()
        await _finish_interrupted(past, store, spool, delivery, decoders, settings)
        await tasks.recover()
        stack.push_async_callback(_cancelled, asyncio.create_task(rooms.run(), name="rooms"))
        publishing = Publishing(apps=apps, rooms=rooms, engine=engine, wall_clock=wall_clock)
        health = HealthFacade(
            _readings(engine, rooms, tasks, delivery, spool), is_ready=lambda: True
        )
        root = _Root(
            VolcengineFacade(
                accounts=settings.accounts,
                tasks=tasks,
                clock=clock,
                redundant_duration_unit=settings.slicing.redundant_duration_unit,
            ),
            [
                *WhipFacade(publishing).routes(),
                *_object_routes(settings, objects, wall_clock),
                *health.routes(),
                *([] if server.metrics else health.metrics_routes()),
                *_console(settings, clock, rooms, tasks, store).routes(),
            ],
        )
        http = await stack.enter_async_context(_http("server.http", server.http, root))
        if server.metrics:
            metrics = Starlette(routes=health.metrics_routes())
            await stack.enter_async_context(_http("server.metrics", server.metrics, metrics))
        yield RunningServer(
            http=http,
            media=Address(server.media.host, engine.port),
            opus=decoders.description,
        )


class _Root:
    """Volcengine's wire and everything else share one address."""

    def __init__(self, volcengine: VolcengineFacade, routes: Sequence[BaseRoute]) -> None:
        self._volcengine = volcengine
        self._others = Starlette(routes=routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._others
        if scope["type"] == "http" and scope["path"] == "/" and self._volcengine.takes(scope):
            app = self._volcengine
        await app(scope, receive, send)


class _HttpServer(uvicorn.Server):
    """Leaves signals alone: `serve` handles them for all parts together."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def _http(name: str, address: Address, app: ASGIApp) -> AsyncIterator[Address]:
    """Serve `app` over HTTP; yields the address, with its port if that was left to the system."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the console trusts the peer's address, never a header
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=REQUEST_GRACE_S,
    )
    listener = _listener(name, address)
    server = _HttpServer(config)
    serving = asyncio.create_task(server.serve([listener]), name=name)
    try:
        await server.listening.wait()
        yield Address(address.host, listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving


def _listener(name: str, address: Address) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError([f"{name}: {address} cannot be bound: {error.strerror}"]) from error
    return listener


@contextlib.asynccontextmanager
async def _journal(settings: Settings, clock: SystemClock) -> AsyncIterator[Journal]:
    """Keep a journal if the configuration wants one."""
    if not settings.server.journal:
        yield NoJournal()
        return
    journal = DiskJournal(settings.server.data_dir / "journal", clock, MAX_JOURNAL_BYTES)
    journal.start()
    try:
        yield journal
    finally:
        await journal.close()


async def _finish_interrupted(
    past: Sequence[PastJournal],
    store: SqliteTaskStore,
    spool: DiskSpool,
    delivery: SliceDelivery,
    decoders: OpusDecoders,
    settings: Settings,
) -> None:
    """Make the slices that were open or being written when the last server died."""
    recovery = Recovery(
        store=store,
        spool=spool,
        decoders=decoders,
        silence_dbfs=settings.slicing.silence_dbfs,
        on_cut=delivery.accept,
    )
    for journal in past:
        if journal.unsettled:
            _log.warning("%d slices were interrupted; they are finished", len(journal.unsettled))
        for run_id in await recovery.recover(journal):
            await delivery.recorded(run_id)
        journal.forget()


@contextlib.contextmanager
def _exclusive(data_dir: Path) -> Iterator[None]:
    """Hold the data directory against a second server."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError([f"server.data_dir: another server uses {data_dir}"]) from None
        yield


async def _bound(name: str, address: Address, start: Awaitable[None]) -> None:
    try:
        await start
    except OSError as error:
        raise ConfigError([f"{name}: {address} cannot be bound: {error.strerror}"]) from error


async def _cancelled(task: asyncio.Task[None]) -> None:
    """End a task that runs for ever."""
    task.cancel()
    await asyncio.wait((task,))


def _object_routes(
    settings: Settings, objects: LocalObjectStore, wall_clock: WallClock
) -> Sequence[BaseRoute]:
    signer = UrlSigner(settings.server.master_key)
    return ObjectsFacade(
        signer, objects.open_object, now_s=lambda: wall_clock.utc_ms() / 1000
    ).routes()


def _console(
    settings: Settings,
    clock: SystemClock,
    rooms: Rooms,
    tasks: SliceTasks,
    store: SqliteTaskStore,
) -> ConsoleFacade:
    signer = UrlSigner(settings.server.master_key)

    def streams(key: RoomKey) -> list[StreamKey]:
        room = rooms.find(key)
        return [] if room is None else [s.key for s in room.streams.values() if s.published]

    def mint_token(app: RtcApp, room_id: str, user_id: str) -> str:
        now_s = clock.utc_ns() // 1_000_000_000
        return room_token.mint(
            app_id=app.app_id,
            app_key=app.app_key,
            room_id=room_id,
            user_id=user_id,
            privileges={Privilege.PUBLISH_STREAM: now_s + CONSOLE_TOKEN_S},
            issued_at_s=now_s,
            expires_at_s=now_s + CONSOLE_TOKEN_S,
            nonce=secrets.randbits(32),
        )

    def sign_url(bucket: str, key: str) -> str:
        expires_at_s = clock.utc_ns() // 1_000_000_000 + OBJECT_URL_S
        return signer.sign(bucket, key, expires_at_s=expires_at_s)

    services = ConsoleServices(
        apps=settings.apps,
        accounts=settings.accounts,
        tasks=tasks,
        slices=store,
        streams=streams,
        mint_token=mint_token,
        sign_url=sign_url,
    )
    server = settings.server
    access = AdminAccess(password=server.admin_password, master_key=server.master_key, clock=clock)
    return ConsoleFacade(services, access)


def _readings(
    engine: EmbeddedEngine,
    rooms: Rooms,
    tasks: SliceTasks,
    delivery: SliceDelivery,
    spool: DiskSpool,
) -> list[Reading]:
    def gauge(name: str, meaning: str, read: Callable[[], float]) -> Reading:
        return Reading(name=name, meaning=meaning, read=read)

    def counter(name: str, meaning: str, read: Callable[[], float]) -> Reading:
        return Reading(name=name, meaning=meaning, read=read, counts=True)

    def streams() -> Iterator[PublishedStream]:
        for room in rooms:
            yield from room.streams.values()

    return [
        gauge("sessions", "Publishing sessions.", lambda: engine.stats().sessions),
        gauge("streams", "Published streams.", lambda: sum(s.published for s in streams())),
        gauge("tasks", "Running slice tasks.", lambda: len(tasks.runs)),
        gauge(
            "waiting_streams",
            "Published streams beyond the number that their task takes.",
            lambda: sum(run.waiting_streams for run in tasks.runs),
        ),
        gauge("waiting_slices", "Slices on their way.", lambda: delivery.waiting_slices),
        gauge("spool_writes", "Writes that wait for the disk.", lambda: spool.pending_writes),
        counter("datagrams", "Datagrams received.", lambda: engine.stats().datagrams),
        counter(
            "dropped_datagrams",
            "Datagrams that were not what they should be.",
            lambda: sum(engine.stats().dropped.values()),
        ),
        gauge(
            "lost_packets",
            "Packets that never came, of the streams that are known now.",
            lambda: sum(s.timeline.lost_packets for s in streams()),
        ),
        gauge(
            "late_packets",
            "Packets that came too late or twice, of the streams that are known now.",
            lambda: sum(s.late_packets for s in streams()),
        ),
        counter("stored_slices", "Slices stored.", lambda: delivery.stored_slices),
        counter("announced_slices", "Callbacks accepted.", lambda: delivery.announced_slices),
        counter("lost_slices", "Slices that could not be written.", lambda: delivery.failed_slices),
        counter("failed_tries", "Tries to store that failed.", lambda: delivery.failed_tries),
        counter(
            "failed_callbacks", "Tries to call back that failed.", lambda: delivery.failed_callbacks
        ),
    ]
