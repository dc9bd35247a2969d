"""Who is in the rooms: the media engine, publishers, bans, and what is told of all of them."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from airslice.application.delivery.callbacks import Announcements
from airslice.application.pacing import Pacer
from airslice.application.rooms.bans import Bans
from airslice.application.rooms.publishing import Publishing
from airslice.application.rooms.room_events import RoomEvents
from airslice.application.rooms.room_sessions import Admission
from airslice.config import ConfigError
from airslice.delivery.room_event import room_event
from airslice.domain.room_event import RoomEvent
from airslice.engines.embedded import EmbeddedEngine
from airslice.persistence.sqlite.bans import SqliteBanStore
from airslice.persistence.sqlite.presences import SqlitePresences
from airslice.wiring.delivery_side import DeliverySide
from airslice.wiring.given import Given
from airslice.wiring.slicing_side import SlicingSide
from airslice.wiring.storage_side import StorageSide

MAX_LISTENERS = 2_000
"""Each costs 80 KB and 0.04 % of a core; docs/decisions/listening.md has the measurements."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaSide:
    """From the network into the rooms."""

    bans: Bans
    admission: Admission
    room_events: RoomEvents
    """Those of former servers have to be recovered."""
    engine: EmbeddedEngine
    publishing: Publishing
    pacer: Pacer


class _RoomCallbacks:
    """What happens in rooms is called back, in order per room (port `EventSink`)."""

    def __init__(self, announcements: Announcements) -> None:
        self._announcements = announcements

    async def announce(self, event: RoomEvent) -> None:
        """Take the event."""
        callback = room_event(event, event_id=str(uuid.uuid4()))
        await self._announcements.announce(callback, business_id="", lane=event.room.room_id)


@contextlib.asynccontextmanager
async def media_side(
    given: Given, storage: StorageSide, delivery: DeliverySide, slicing: SlicingSide
) -> AsyncIterator[MediaSide]:
    """Take media; at the end, send everybody away.

    Raises:
        ConfigError: the address cannot be bound.
    """
    database, wall_clock = storage.tasks.database, given.wall_clock
    async with AsyncExitStack() as stack:
        bans = Bans(store=SqliteBanStore(database), wall_clock=wall_clock)
        await bans.recover()
        announcements = Announcements(delivery.outbox, delivery.callbacks, delivery.courier)
        room_events = RoomEvents(
            sink=_RoomCallbacks(announcements),
            presences=SqlitePresences(database),
            wall_clock=wall_clock,
        )
        stack.push_async_callback(room_events.close)  # after the engine: its sessions end then
        engine = await _started(given)
        stack.push_async_callback(engine.close)
        admission = Admission(apps=given.apps, wall_clock=wall_clock, bans=bans)
        publishing = Publishing(
            admission=admission,
            rooms=slicing.rooms,
            engine=engine,
            observer=room_events,
        )
        yield MediaSide(
            bans=bans,
            admission=admission,
            room_events=room_events,
            engine=engine,
            publishing=publishing,
            pacer=Pacer(wall_clock),
        )


async def _started(given: Given) -> EmbeddedEngine:
    server = given.settings.server
    engine = EmbeddedEngine(
        server.media, server.advertise, given.clock, server.max_streams, MAX_LISTENERS
    )
    try:
        await engine.start()
    except OSError as error:
        raise ConfigError(
            [f"server.media: {server.media} cannot be bound: {error.strerror}"]
        ) from error
    return engine
