"""What every CallbackSettingStore does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.application.ports.records import CallbackSettingStore
from airslice.domain.callback import CallbackReceiver, CallbackSetting
from airslice.persistence.sqlite.callback_settings import SqliteCallbackSettings
from airslice.persistence.sqlite.database import SqliteDatabase
from tests.support.memory.callback_settings import MemoryCallbackSettings

SETTING = CallbackSetting(
    app_id="app",
    business_id="",
    receiver=CallbackReceiver(url="https://example.com/VERYSECRET", secret="VERYSECRET"),
    event_types=("RoomCreate", "RoomDestroy"),
    created_at_ms=1_700_000_000_000,
    updated_at_ms=1_700_000_000_001,
)
OF_BUSINESS = replace(SETTING, business_id="business", event_types=())


@pytest.fixture(params=["memory", "sqlite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[CallbackSettingStore]:
    if request.param == "memory":
        yield MemoryCallbackSettings()
        return
    database = await SqliteDatabase.open(tmp_path / "airslice.db", bytes(32))
    yield SqliteCallbackSettings(database)
    await database.close()
    assert b"VERYSECRET" not in (tmp_path / "airslice.db").read_bytes()


async def test_a_setting_comes_back_as_it_was_saved(store: CallbackSettingStore) -> None:
    await store.save_setting(SETTING)
    await store.save_setting(OF_BUSINESS)

    assert await store.find_setting("app", "") == SETTING
    assert await store.find_setting("app", "business") == OF_BUSINESS
    assert await store.find_setting("app", "other") is None
    assert await store.find_setting("other", "") is None


async def test_saving_again_replaces_it(store: CallbackSettingStore) -> None:
    changed = replace(SETTING, event_types=("UserJoinRoom",), updated_at_ms=7)
    await store.save_setting(SETTING)

    await store.save_setting(changed)

    assert await store.settings("app") == [changed]


async def test_an_applications_settings_are_listed_by_business(store: CallbackSettingStore) -> None:
    await store.save_setting(OF_BUSINESS)
    await store.save_setting(replace(SETTING, app_id="other"))
    await store.save_setting(SETTING)

    assert await store.settings("app") == [SETTING, OF_BUSINESS]


async def test_what_is_removed_is_gone_and_may_be_removed_again(
    store: CallbackSettingStore,
) -> None:
    await store.save_setting(SETTING)
    await store.save_setting(OF_BUSINESS)

    for _ in range(2):
        await store.remove_setting("app", "")

    assert await store.settings("app") == [OF_BUSINESS]
