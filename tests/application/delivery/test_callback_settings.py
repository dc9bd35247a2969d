"""Who is told of an application's events."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from airslice.application.delivery.callback_settings import MAX_SETTINGS_PER_APP, CallbackSettings
from airslice.application.wall_clock import WallClock
from airslice.delivery.destination import validate_url
from airslice.domain.apps import Account
from airslice.domain.callback import SEGMENT_EVENT, CallbackReceiver, CallbackSetting
from airslice.domain.destination import AddressRule
from airslice.domain.errors import (
    AppNotFound,
    AppNotOwned,
    CallbackExists,
    CallbackNotFound,
    InvalidInput,
)
from airslice.domain.fields import SliceField
from tests.support.memory.callback_settings import MemoryCallbackSettings
from tests.support.stages.stage import ACCOUNT, APP, HandClock

STRANGER = Account(id="other", access_key="AK2", secret_key="SK2")
SILENT = replace(APP, app_id="silent", callback_url=None)
FROM_FILE = CallbackReceiver(url="http://receiver.invalid/", secret="callback secret")
MINE = CallbackReceiver(url="https://mine.example.com/", secret="mine")
OF_BUSINESS = CallbackReceiver(url="https://business.example.com/", secret="business")


def a_setting(
    business_id: str = "",
    receiver: CallbackReceiver = MINE,
    event_types: tuple[str, ...] = (SEGMENT_EVENT,),
    app_id: str = APP.app_id,
) -> CallbackSetting:
    return CallbackSetting(
        app_id=app_id,
        business_id=business_id,
        receiver=receiver,
        event_types=event_types,
        created_at_ms=0,
        updated_at_ms=0,
    )


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def settings(clock: HandClock) -> CallbackSettings:
    return CallbackSettings(
        apps={app.app_id: app for app in (APP, SILENT)},
        store=MemoryCallbackSettings(),
        check_url=partial(validate_url, rule=AddressRule()),
        wall_clock=WallClock(clock),
    )


async def receiver(
    settings: CallbackSettings, business_id: str = "", event_type: str = SEGMENT_EVENT
) -> CallbackReceiver | None:
    return await settings.receiver(APP.app_id, business_id, event_type)


async def test_the_file_says_who_is_told_of_slices_only(settings: CallbackSettings) -> None:
    assert await receiver(settings) == FROM_FILE
    assert await receiver(settings, "business") == FROM_FILE
    assert await receiver(settings, event_type="RoomCreate") is None


async def test_nobody_is_told_without_a_url_or_an_application(settings: CallbackSettings) -> None:
    assert await settings.receiver(SILENT.app_id, "", SEGMENT_EVENT) is None
    assert await settings.receiver("nowhere", "", SEGMENT_EVENT) is None


async def test_a_setting_takes_the_files_place(settings: CallbackSettings) -> None:
    await settings.create(ACCOUNT, a_setting(event_types=("RoomCreate",)))

    assert await receiver(settings) is None
    assert await receiver(settings, event_type="RoomCreate") == MINE
    assert await receiver(settings, "business", "RoomCreate") == MINE


async def test_a_businesss_setting_takes_the_applications_place(settings: CallbackSettings) -> None:
    await settings.create(ACCOUNT, a_setting())
    await settings.create(ACCOUNT, a_setting("business", OF_BUSINESS, ("RoomCreate",)))

    assert await receiver(settings) == MINE
    assert await receiver(settings, "other") == MINE
    assert await receiver(settings, "business", "RoomCreate") == OF_BUSINESS
    assert await receiver(settings, "business") is None


async def test_without_its_setting_the_file_holds_again(settings: CallbackSettings) -> None:
    await settings.create(ACCOUNT, a_setting())

    await settings.delete(ACCOUNT, APP.app_id, "")

    assert await receiver(settings) == FROM_FILE


async def test_an_update_keeps_the_creations_time_and_if_asked_the_secret(
    settings: CallbackSettings, clock: HandClock
) -> None:
    await settings.create(ACCOUNT, a_setting())
    created_at_ms = clock.utc_ns() // 1_000_000
    clock.now_ns += 5_000_000_000

    changed = CallbackReceiver(url="https://new.example.com/", secret="")
    await settings.update(ACCOUNT, a_setting(receiver=changed), keep_secret=True)

    [setting] = await settings.settings(ACCOUNT, APP.app_id)
    assert setting.receiver == CallbackReceiver(url="https://new.example.com/", secret="mine")
    assert setting.created_at_ms == created_at_ms
    assert setting.updated_at_ms == created_at_ms + 5_000


async def test_all_settings_are_listed_with_the_files(settings: CallbackSettings) -> None:
    await settings.create(ACCOUNT, a_setting("business", OF_BUSINESS))

    listed = await settings.settings(ACCOUNT, APP.app_id)

    assert [setting.receiver for setting in listed] == [FROM_FILE, OF_BUSINESS]


async def test_what_is_set_is_not_created_and_what_is_not_set_not_changed(
    settings: CallbackSettings,
) -> None:
    await settings.create(ACCOUNT, a_setting())

    with pytest.raises(CallbackExists):
        await settings.create(ACCOUNT, a_setting())
    with pytest.raises(CallbackNotFound):
        await settings.update(ACCOUNT, a_setting("business"))
    with pytest.raises(CallbackNotFound):
        await settings.delete(ACCOUNT, APP.app_id, "business")


@pytest.mark.parametrize(
    ("app_id", "account", "error"),
    [("nowhere", ACCOUNT, AppNotFound), (APP.app_id, STRANGER, AppNotOwned)],
)
async def test_settings_are_the_owners_business(
    settings: CallbackSettings, app_id: str, account: Account, error: type[Exception]
) -> None:
    setting = a_setting(app_id=app_id)
    for call in (
        settings.create(account, setting),
        settings.update(account, setting),
        settings.delete(account, app_id, ""),
        settings.settings(account, app_id),
    ):
        with pytest.raises(error):
            await call


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        (a_setting(receiver=replace(MINE, url="ftp://example.com/")), SliceField.CALLBACK_ADDRESS),
        (a_setting(receiver=replace(MINE, url="http://127.0.0.1/")), SliceField.CALLBACK_ADDRESS),
        (
            a_setting(receiver=replace(MINE, url="http://user:hidden@example.com/")),
            SliceField.CALLBACK_ADDRESS,
        ),
        (a_setting(receiver=replace(MINE, secret="s" * 257)), SliceField.CALLBACK_SECRET),
        (a_setting(event_types=("Room Create",)), SliceField.CALLBACK_EVENTS),
        (a_setting(event_types=("",)), SliceField.CALLBACK_EVENTS),
        (a_setting(event_types=tuple(f"Event{n}" for n in range(65))), SliceField.CALLBACK_EVENTS),
    ],
)
async def test_bad_settings_are_refused(
    settings: CallbackSettings, setting: CallbackSetting, field: SliceField
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await settings.create(ACCOUNT, setting)

    assert refused.value.field is field
    assert "hidden" not in str(refused.value)


async def test_an_application_has_a_bounded_number_of_settings(settings: CallbackSettings) -> None:
    for number in range(MAX_SETTINGS_PER_APP):
        await settings.create(ACCOUNT, a_setting(f"business-{number}"))

    with pytest.raises(InvalidInput, match="business"):
        await settings.create(ACCOUNT, a_setting())
