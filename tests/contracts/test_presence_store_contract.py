"""What every PresenceStore does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from airslice.application.ports.records import PresenceStore
from airslice.domain.room import RoomKey, StreamType
from airslice.domain.room_event import Presence
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.presences import SqlitePresences
from tests.support.memory.presences import MemoryPresences

ROOM = Presence(room=RoomKey("app", "room"), since_ms=1)
ANN = Presence(room=ROOM.room, user_id="ann", since_ms=2)
SCREEN = Presence(room=ROOM.room, user_id="ann", stream_type=StreamType.SCREEN, since_ms=3)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PresenceStore]:
    if request.param == "memory":
        yield MemoryPresences()
        return
    database = await SqliteDatabase.open(tmp_path / "airslice.db", bytes(32))
    yield SqlitePresences(database)
    await database.close()


async def test_what_has_come_is_there_until_it_goes(store: PresenceStore) -> None:
    await store.note(entered=[ROOM, ANN, SCREEN])
    await store.note(left=[SCREEN])

    present = await store.present()
    assert present == [ROOM, ANN]
    assert [presence.since_ms for presence in present] == [1, 2]


async def test_what_comes_again_is_there_once(store: PresenceStore) -> None:
    await store.note(entered=[ANN])

    await store.note(entered=[Presence(room=ANN.room, user_id="ann", since_ms=9)])

    [present] = await store.present()
    assert present.since_ms == 9


async def test_what_is_not_there_can_go(store: PresenceStore) -> None:
    await store.note(left=[ANN])

    assert await store.present() == []


async def test_the_last_sign_counts(store: PresenceStore) -> None:
    assert await store.last_sign_ms() == 0

    await store.sign(1_700_000_000_123)
    await store.sign(1_700_000_010_123)

    assert await store.last_sign_ms() == 1_700_000_010_123
