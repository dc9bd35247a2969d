"""Put the parts together and run them.

`running` reads top to bottom as the order of start; its `AsyncExitStack` undoes it bottom to top.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import resource
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import uvloop
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from airslice import __version__
from airslice.application.bans import Bans
from airslice.application.callback_post import Announcements, CallbackPost
from airslice.application.callback_settings import CallbackSettings
from airslice.application.courier import Courier
from airslice.application.deliveries import Deliveries
from airslice.application.history import keep_history
from airslice.application.intake import Intake
from airslice.application.live_event_post import LiveEventPost
from airslice.application.live_notices import LiveNotices
from airslice.application.moderation import Moderation
from airslice.application.pacing import Pacer
from airslice.application.publishing import Publishing
from airslice.application.room_events import RoomEvents
from airslice.application.rooms import Rooms
from airslice.application.slice_recorder import SliceRecorder
from airslice.application.slice_tasks import SliceTasks
from airslice.application.slice_track import CutSlice
from airslice.application.slice_upload import SliceUpload
from airslice.application.spool_cleaning import clean_spool
from airslice.application.storage_health import StorageHealth
from airslice.application.track_maker import RunTools
from airslice.application.wall_clock import WallClock
from airslice.config import Address, ConfigError, Settings
from airslice.delivery.destination import validate_url
from airslice.delivery.live_event_sender import HttpLiveEventSender
from airslice.delivery.room_event import room_event
from airslice.delivery.segment_event import segment_event
from airslice.delivery.sender import HttpCallbackSender
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import DeliveryKind
from airslice.domain.room_event import RoomEvent
from airslice.encoding.opus_decoder import find_opus_decoders
from airslice.encoding.writers import FileSliceWriters
from airslice.engines.embedded import EmbeddedEngine
from airslice.facades.health import HealthFacade
from airslice.facades.objects import ObjectsFacade
from airslice.facades.volcengine import VolcengineFacade
from airslice.facades.whip import WhepFacade, WhipFacade
from airslice.persistence.sqlite import SqliteTaskStore
from airslice.persistence.sqlite_bans import SqliteBanStore
from airslice.persistence.sqlite_callback_settings import SqliteCallbackSettings
from airslice.persistence.sqlite_live_jobs import SqliteLiveJobStore
from airslice.persistence.sqlite_outbox import SqliteOutbox
from airslice.persistence.sqlite_presences import SqlitePresences
from airslice.storage.bucket_router import BucketRouter
from airslice.storage.journal import past_journals
from airslice.storage.local import LocalObjectStore
from airslice.storage.s3 import S3ObjectStore
from airslice.storage.signed_url import UrlSigner
from airslice.storage.spool import DiskSpool
from airslice.wiring.clock import SystemClock
from airslice.wiring.console import console_of
from airslice.wiring.data_dir import exclusive
from airslice.wiring.http import Gate, Root, start_http
from airslice.wiring.journaling import finish_interrupted, journal_of
from airslice.wiring.listening import MAX_LISTENERS, listening_of
from airslice.wiring.live import LiveSurroundings, smart_live
from airslice.wiring.readings import readings

_log = logging.getLogger(__name__)

YOUNG_OBJECTS = 100_000
"""How many more objects than before must be there until garbage is looked for: 10 to 20 MB. The
interpreter's own 700 cost a tenth of all CPU time with 300 streams."""


class _RoomCallbacks:
    """What happens in rooms is called back, in order per room (port `EventSink`)."""

    def __init__(self, announcements: Announcements) -> None:
        self._announcements = announcements

    async def announce(self, event: RoomEvent) -> None:
        """Take the event."""
        callback = room_event(event, event_id=str(uuid.uuid4()))
        await self._announcements.announce(callback, business_id="", lane=event.room.room_id)


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
    clock = SystemClock()
    wall_clock = WallClock(clock)
    apps = {app.app_id: app for app in settings.apps}
    async with AsyncExitStack() as stack:
        stack.enter_context(exclusive(server.data_dir))
        gate = Gate()
        http = await start_http("server.http", server.http, gate)
        stack.push_async_callback(http.close)
        store = await SqliteTaskStore.open(server.data_dir / "airslice.db", server.master_key)
        stack.push_async_callback(store.close)
        objects = LocalObjectStore(server.data_dir / "objects")
        remote = S3ObjectStore(clock, settings.storage.endpoints)
        stack.push_async_callback(remote.close)
        buckets = BucketRouter(
            local=objects,
            remote=remote,
            overrides=settings.storage.endpoints,
            default=settings.storage.default,
        )
        storage_health = StorageHealth(clock, buckets if settings.storage.probe else None)
        stack.push_async_callback(storage_health.close)
        spool = DiskSpool(
            server.data_dir / "spool", FileSliceWriters(), quota_bytes=server.spool_quota_bytes
        )
        stack.callback(spool.close)
        past = past_journals(server.data_dir / "journal")
        journal = await stack.enter_async_context(journal_of(settings, clock))
        intake = Intake(spool=spool, journal=journal)
        address_rule = AddressRule(settings.security.private_networks)
        sender = HttpCallbackSender(clock, address_rule)
        stack.push_async_callback(sender.close)
        callback_settings = CallbackSettings(
            apps=apps,
            store=SqliteCallbackSettings(store.database),
            check_url=partial(validate_url, rule=address_rule),
            wall_clock=wall_clock,
        )
        outbox = SqliteOutbox(store.database)
        job_store = await SqliteLiveJobStore.open(store.database)
        event_sender = HttpLiveEventSender(clock, address_rule)
        stack.push_async_callback(event_sender.close)
        courier = Courier(
            outbox,
            {
                DeliveryKind.UPLOAD: SliceUpload(
                    outbox=outbox,
                    objects=buckets,
                    storage_health=storage_health,
                    spool=spool,
                    settings=callback_settings,
                    event_of=segment_event,
                ),
                DeliveryKind.CALLBACK: CallbackPost(callback_settings, sender),
                DeliveryKind.LIVE_EVENT: LiveEventPost(job_store, event_sender),
            },
            clock=clock,
            sleep=asyncio.sleep,
            chance=random.random,
        )
        stack.push_async_callback(courier.close)

        def on_recorded(cut: CutSlice) -> None:
            journal.settled(cut.file.name)
            courier.expect()

        recorder = SliceRecorder(
            store=store,
            wall_clock=wall_clock,
            sleep=asyncio.sleep,
            on_recorded=on_recorded,
        )
        stack.push_async_callback(recorder.close)
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
            recorder=recorder,
            storage_health=storage_health,
            intake=intake,
            tools=RunTools(
                spool=spool,
                journal=journal,
                wall_clock=wall_clock,
                silence_dbfs=settings.slicing.silence_dbfs,
                on_cut=recorder.accept,
            ),
            max_tasks=server.max_tasks,
        )
        # After the engine has closed: sessions that end give up waiting for missing packets.
        stack.push_async_callback(tasks.suspend)
        bans = Bans(store=SqliteBanStore(store.database), wall_clock=wall_clock)
        await bans.recover()
        room_events = RoomEvents(
            sink=_RoomCallbacks(Announcements(outbox, callback_settings, courier)),
            presences=SqlitePresences(store.database),
            wall_clock=wall_clock,
        )
        stack.push_async_callback(room_events.close)  # after the engine: its sessions end then
        engine = EmbeddedEngine(
            server.media,
            server.advertise,
            clock,
            server.max_streams,
            MAX_LISTENERS,
        )
        await _bound("server.media", server.media, engine.start())
        stack.push_async_callback(engine.close)
        await finish_interrupted(past, store, spool, recorder, decoders, settings)
        await tasks.recover()
        await clean_spool(spool, outbox, now_ms=wall_clock.utc_ms())
        await courier.start()
        await room_events.recover()
        pacer = Pacer(wall_clock)
        for name, work in (
            ("rooms", rooms.run()),
            ("pacer", pacer.run()),
            ("history", keep_history(store, wall_clock, asyncio.sleep)),
            ("intake", intake.watch(asyncio.sleep)),
            ("signs", room_events.keep_signs(asyncio.sleep)),
        ):
            stack.push_async_callback(_cancelled, asyncio.create_task(work, name=name))
        publishing = Publishing(
            apps=apps,
            rooms=rooms,
            engine=engine,
            wall_clock=wall_clock,
            bans=bans,
            listener=room_events,
        )
        notices = LiveNotices()
        live = await stack.enter_async_context(
            smart_live(
                LiveSurroundings(
                    settings=settings,
                    apps=apps,
                    database=store.database,
                    job_store=job_store,
                    outbox=outbox,
                    courier=courier,
                    address_rule=address_rule,
                    publishing=publishing,
                    pacer=pacer,
                    notices=notices,
                    clock=clock,
                    wall_clock=wall_clock,
                )
            )
        )
        listening = listening_of(
            apps=apps,
            rooms=rooms,
            engine=engine,
            wall_clock=wall_clock,
            decoders=decoders,
            pacer=pacer,
            bans=bans,
            notices=notices,
            control=live.jobs.control,
        )
        moderation = Moderation(
            apps=apps,
            publishing=publishing,
            listening=listening,
            bans=bans,
            users_in=room_events.users_in,
            wall_clock=wall_clock,
        )
        health = HealthFacade(
            readings(engine, rooms, tasks, recorder, courier, spool, room_events, journal),
            refusal=intake.refusal,
        )
        root = Root(
            VolcengineFacade(
                accounts=settings.accounts,
                tasks=tasks,
                moderation=moderation,
                callbacks=callback_settings,
                clock=clock,
                redundant_duration_unit=settings.slicing.redundant_duration_unit,
            ),
            live.facade,
            [
                *WhipFacade(publishing).routes(),
                *WhepFacade(listening).routes(),
                *_object_routes(settings, objects, wall_clock),
                *health.routes(),
                *([] if server.metrics else health.metrics_routes()),
                *console_of(
                    settings, clock, rooms, tasks, store, Deliveries(outbox, courier), live.jobs
                ).routes(),
            ],
        )
        if server.metrics:
            metrics = Starlette(routes=health.metrics_routes())
            listener = await start_http("server.metrics", server.metrics, metrics)
            stack.push_async_callback(listener.close)
        gate.open(root)
        stack.push_async_callback(http.close)  # before the parts that answer requests
        stack.callback(listening.close)  # before it: streams of events end with their sessions
        yield RunningServer(
            http=http.address,
            media=Address(server.media.host, engine.port),
            opus=decoders.description,
        )


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
