"""What happens in rooms is announced; how posts are tried is in test_courier."""

from __future__ import annotations

from dataclasses import replace

from airslice.application.delivery.callbacks import RoomAnnouncements
from airslice.delivery.volcengine.room_event import room_event
from airslice.domain.outbox import DeliveryState
from airslice.domain.room import RoomKey
from airslice.domain.room_event import RoomClosed, RoomOpened
from tests.support.stages.stage import APP, Stage

ROOM, OTHER = RoomKey(APP.app_id, "room"), RoomKey(APP.app_id, "other")


async def test_events_are_told_in_order_per_room_and_have_ids_of_their_own(stage: Stage) -> None:
    stage.app = replace(APP, callback_events=("RoomCreate", "RoomDestroy"))
    stage.boot()
    announcements = RoomAnnouncements(stage.announcements, room_event)

    await announcements.announce(RoomOpened(room=ROOM, at_ms=1))
    await announcements.announce(RoomClosed(room=ROOM, at_ms=2))
    await announcements.announce(RoomOpened(room=OTHER, at_ms=3))

    page = await stage.outbox.page(dead=None, after_id=0, limit=9)
    assert [(delivery.lane, delivery.state) for delivery in page] == [
        (f"app/{APP.app_id}/room", DeliveryState.WAITING),
        (f"app/{APP.app_id}/room", DeliveryState.HELD),
        (f"app/{APP.app_id}/other", DeliveryState.WAITING),
    ]
    events = [delivery.event for delivery in page if delivery.event is not None]
    assert [event.event_type for event in events] == ["RoomCreate", "RoomDestroy", "RoomCreate"]
    assert len({event.event_id for event in events}) == 3
