"""What every BanStore does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from airslice.application.ports.records import BanStore
from airslice.domain.ban import Ban, BanScope
from airslice.persistence.sqlite.bans import SqliteBanStore
from airslice.persistence.sqlite.database import SqliteDatabase
from tests.support.memory.bans import MemoryBanStore

USER = BanScope(app_id="app", room_id="room", user_id="ann")
ALL_ROOMS = BanScope(app_id="app", user_id="ann")
EVERYBODY = BanScope(app_id="app", room_id="room")


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BanStore]:
    if request.param == "memory":
        yield MemoryBanStore()
        return
    database = await SqliteDatabase.open(tmp_path / "airslice.db", bytes(32))
    yield SqliteBanStore(database)
    await database.close()


async def test_bans_come_back_as_they_were_saved_the_first_to_expire_first(
    store: BanStore,
) -> None:
    bans = [
        Ban(scope=scope, expires_at_ms=expires_at_ms)
        for scope, expires_at_ms in [(USER, 3), (ALL_ROOMS, 1), (EVERYBODY, 2)]
    ]

    for ban in bans:
        await store.save_ban(ban)

    assert await store.bans() == [bans[1], bans[2], bans[0]]


async def test_a_scope_has_one_ban(store: BanStore) -> None:
    await store.save_ban(Ban(scope=USER, expires_at_ms=5))

    await store.save_ban(Ban(scope=USER, expires_at_ms=4))

    assert await store.bans() == [Ban(scope=USER, expires_at_ms=4)]


async def test_a_lifted_ban_is_gone_and_others_stay(store: BanStore) -> None:
    for scope in (USER, ALL_ROOMS, EVERYBODY):
        await store.save_ban(Ban(scope=scope, expires_at_ms=5))

    await store.lift_ban(USER)
    await store.lift_ban(USER)

    assert {ban.scope for ban in await store.bans()} == {ALL_ROOMS, EVERYBODY}


async def test_expired_bans_are_forgotten(store: BanStore) -> None:
    await store.save_ban(Ban(scope=USER, expires_at_ms=1_000))
    await store.save_ban(Ban(scope=EVERYBODY, expires_at_ms=1_001))

    await store.forget_bans(1_000)

    assert await store.bans() == [Ban(scope=EVERYBODY, expires_at_ms=1_001)]
