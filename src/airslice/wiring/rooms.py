"""Who is in the rooms: the media engine, publishers and listeners, bans, and what owners are told.

The rooms' streams themselves, which are sliced, are in `slicing`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from airslice.application.broadcast.player_notices import PlayerNotices
from airslice.application.delivery.callbacks import Announcements, RoomAnnouncements
from airslice.application.listening.channels import Channels, MixTools
from airslice.application.listening.sessions import Listening, PlayControl
from airslice.application.pacing import Pacer
from airslice.application.rooms.bans import Bans
from airslice.application.rooms.publishing import Publishing
from airslice.application.rooms.room_events import RoomEvents
from airslice.application.rooms.room_sessions import Admission
from airslice.config import ConfigError
from airslice.delivery.volcengine.room_event import room_event
from airslice.encoding.opus_encoder import AvOpusEncoders
from airslice.engines.embedded import EmbeddedEngine
from airslice.persistence.sqlite.bans import SqliteBanStore
from airslice.persistence.sqlite.presences import SqlitePresences
from airslice.wiring.delivery import DeliveryServices
from airslice.wiring.environment import Environment
from airslice.wiring.slicing import SlicingServices
from airslice.wiring.storage import StorageServices

MAX_LISTENERS = 2_000
"""Each listener costs 80 KB and 0.04 % of a core: docs/decisions/listening.md."""

MAX_LISTENERS_PER_ROOM = 500
"""A packet goes out to all listeners of a room before anything else runs: in 2 to 5 ms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomServices:
    """What lets users into rooms, and keeps them out."""

    bans: Bans
    admission: Admission
    room_events: RoomEvents
    """Tells owners what happens; what former servers left untold has to be recovered."""
    engine: EmbeddedEngine
    publishing: Publishing
    pacer: Pacer


@contextlib.asynccontextmanager
async def open_rooms(
    environment: Environment,
    storage: StorageServices,
    delivery: DeliveryServices,
    slicing: SlicingServices,
) -> AsyncIterator[RoomServices]:
    """Begin to take media; at the end, send everybody away.

    Raises:
        ConfigError: the address for media cannot be bound.
    """
    database, wall_clock = storage.tasks.database, environment.wall_clock
    async with AsyncExitStack() as stack:
        bans = Bans(store=SqliteBanStore(database), wall_clock=wall_clock)
        await bans.recover()
        announcements = Announcements(delivery.outbox, delivery.callbacks, delivery.courier)
        room_events = RoomEvents(
            sink=RoomAnnouncements(announcements, room_event),
            presences=SqlitePresences(database),
            wall_clock=wall_clock,
        )
        stack.push_async_callback(room_events.close)  # after the engine: its sessions end then
        engine = await _started_engine(environment)
        stack.push_async_callback(engine.close)
        admission = Admission(apps=environment.apps, wall_clock=wall_clock, bans=bans)
        yield RoomServices(
            bans=bans,
            admission=admission,
            room_events=room_events,
            engine=engine,
            publishing=Publishing(
                admission=admission, rooms=slicing.rooms, engine=engine, observer=room_events
            ),
            pacer=Pacer(wall_clock),
        )


async def _started_engine(environment: Environment) -> EmbeddedEngine:
    server = environment.settings.server
    engine = EmbeddedEngine(
        server.media, server.advertise, environment.clock, server.max_streams, MAX_LISTENERS
    )
    try:
        await engine.start()
    except OSError as error:
        raise ConfigError(
            [f"server.media: {server.media} cannot be bound: {error.strerror}"]
        ) from error
    return engine


def listening_of(
    environment: Environment,
    slicing: SlicingServices,
    rooms: RoomServices,
    *,
    notices: PlayerNotices,
    control: PlayControl,
) -> Listening:
    """Return the listening sessions; their users get `notices`, and some may use `control`."""
    tools = MixTools(
        wall_clock=environment.wall_clock,
        decoders=slicing.decoders,
        encoders=AvOpusEncoders(),
        pacer=rooms.pacer,
    )
    return Listening(
        admission=rooms.admission,
        engine=rooms.engine,
        channels=Channels(slicing.rooms, tools),
        notices=notices,
        control=control,
        max_listeners_per_room=MAX_LISTENERS_PER_ROOM,
    )
