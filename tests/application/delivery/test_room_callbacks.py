from __future__ import annotations

from dataclasses import replace

from airslice.application.delivery.room_callbacks import RoomCallbacks
from airslice.domain.callback import CallbackEvent
from airslice.domain.outbox import DeliveryKind
from airslice.domain.room import RoomKey
from airslice.domain.room_event import RoomClosed, RoomEvent, RoomOpened
from tests.support.stages.stage import APP, Stage
from tests.support.values.values import an_event


async def test_what_happens_in_a_room_goes_into_the_outbox_in_the_rooms_lane(
    stage: Stage,
) -> None:
    stage.app = replace(APP, callback_events=("RoomCreate",))
    stage.boot()

    def event_of(event: RoomEvent) -> CallbackEvent:
        kind = "RoomCreate" if isinstance(event, RoomOpened) else "RoomDestroy"
        name = f"{kind} {event.room.room_id}"
        return replace(an_event(name, event_type=kind), app_id=event.room.app_id)

    callbacks = RoomCallbacks(stage.announcements, event_of)
    for room_id in ("one", "two"):
        await callbacks.announce(RoomOpened(room=RoomKey(APP.app_id, room_id), at_ms=1))
        await callbacks.announce(RoomClosed(room=RoomKey(APP.app_id, room_id), at_ms=2))

    deliveries = await stage.outbox.page(dead=None, after_id=0, limit=10)
    assert [(d.kind, d.lane, d.event and d.event.event_id) for d in deliveries] == [
        (DeliveryKind.CALLBACK, f"app/{APP.app_id}/one", "RoomCreate one"),
        (DeliveryKind.CALLBACK, f"app/{APP.app_id}/two", "RoomCreate two"),
    ]
