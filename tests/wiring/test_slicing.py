from __future__ import annotations

from dataclasses import replace

import pytest

from airslice.config import Settings
from airslice.domain.errors import RoomFull
from airslice.domain.room import RoomKey, StreamKey
from airslice.wiring.delivery import open_delivery
from airslice.wiring.environment import Environment
from airslice.wiring.slicing import open_slicing
from airslice.wiring.storage import open_storage


async def test_rooms_take_as_many_publishers_as_the_configuration_says(
    settings: Settings,
) -> None:
    settings.server.data_dir.mkdir()
    server = replace(settings.server, max_publishers_per_room=1)
    environment = Environment.of(replace(settings, server=server))
    (app,) = settings.apps

    async with (
        open_storage(environment) as storage,
        open_delivery(environment, storage) as delivery,
        open_slicing(environment, storage, delivery) as slicing,
    ):
        slicing.rooms.publish(app, "room", StreamKey("ann"))
        with pytest.raises(RoomFull, match="has 1 publishers"):
            slicing.rooms.publish(app, "room", StreamKey("bob"))
        room = slicing.rooms.find(RoomKey(app.app_id, "room"))
        assert room is not None
        assert room.publishers == 1
        assert list(slicing.tasks.runs) == []
