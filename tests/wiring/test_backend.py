from __future__ import annotations

from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.room_event import EndReason
from airslice.wiring.backend import Backend


async def test_who_publishes_by_one_part_is_in_the_rooms_of_the_other(backend: Backend) -> None:
    (app_id,) = backend.environment.apps
    key, ends = RoomKey(app_id, "room"), list[EndReason]()

    publisher = backend.rooms.publishing.present(key, "ann", ends.append)

    room = backend.slicing.rooms.find(key)
    assert room is not None
    assert list(room.streams) == [StreamKey("ann")]
    assert backend.rooms.room_events.users_in(key) == ["ann"]
    publisher.close(EndReason.KICKED)
    assert ends == [EndReason.KICKED]
    assert backend.rooms.room_events.users_in(key) == []
