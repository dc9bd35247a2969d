"""Who is told of an application's events: as its owner has set, or else as the file says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from airslice.application.ownership import owned_app
from airslice.application.ports.records import CallbackSettingStore
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import Account, RtcApp
from airslice.domain.callback import CallbackReceiver, CallbackSetting
from airslice.domain.errors import CallbackExists, CallbackNotFound, InvalidInput
from airslice.domain.fields import SliceField

MAX_EVENT_TYPES = 64
MAX_SECRET_CHARS = 256
MAX_SETTINGS_PER_APP = 200
"""Businesses with a setting of their own."""

_EVENT_TYPE = re.compile(r"[A-Za-z0-9_]{1,64}")


class CallbackSettings:
    """The callback settings of all applications.

    Whatever an account asks for raises AppNotFound if there is no such application, and AppNotOwned
    if it is another account's.
    """

    def __init__(
        self,
        *,
        apps: Mapping[str, RtcApp],
        store: CallbackSettingStore,
        check_url: Callable[[str], object],
        wall_clock: WallClock,
    ) -> None:
        """Begin with what `store` remembers.

        Args:
            apps: By application id; their own callback settings are the defaults.
            store: Remembers settings.
            check_url: Raises ValueError, saying why, for a URL that must not be called.
            wall_clock: Dates changes.
        """
        self._apps = apps
        self._store = store
        self._check_url = check_url
        self._wall_clock = wall_clock

    async def create(self, account: Account, setting: CallbackSetting) -> None:
        """Set who is told, where nothing is set yet; the times of `setting` do not matter.

        Raises:
            InvalidInput: a field is out of bounds, the URL must not be called, or the application
                has as many settings as it may.
            CallbackExists: there is a setting of this application and business.
        """
        owned_app(self._apps, account, setting.app_id)
        self._check(setting)
        existing = await self._store.settings(setting.app_id)
        if any(other.business_id == setting.business_id for other in existing):
            raise CallbackExists(f"{_named(setting)} has a callback setting; update it")
        if len(existing) >= MAX_SETTINGS_PER_APP:
            raise InvalidInput(
                SliceField.BUSINESS,
                f"at most {MAX_SETTINGS_PER_APP} of an application can have settings",
            )
        now_ms = self._wall_clock.utc_ms()
        await self._store.save_setting(replace(setting, created_at_ms=now_ms, updated_at_ms=now_ms))

    async def update(
        self, account: Account, setting: CallbackSetting, *, keep_secret: bool = False
    ) -> None:
        """Replace a setting; `keep_secret`: but for its secret.

        Raises:
            InvalidInput: a field is out of bounds, or the URL must not be called.
            CallbackNotFound: there is none.
        """
        owned_app(self._apps, account, setting.app_id)
        self._check(setting)
        former = await self._store.find_setting(setting.app_id, setting.business_id)
        if former is None:
            raise CallbackNotFound(f"{_named(setting)} has no callback setting")
        receiver = setting.receiver
        if keep_secret:
            receiver = replace(receiver, secret=former.receiver.secret)
        await self._store.save_setting(
            replace(
                setting,
                receiver=receiver,
                created_at_ms=former.created_at_ms,
                updated_at_ms=self._wall_clock.utc_ms(),
            )
        )

    async def delete(self, account: Account, app_id: str, business_id: str) -> None:
        """Remove a setting; the file's holds again.

        Raises:
            CallbackNotFound: there is none.
        """
        owned_app(self._apps, account, app_id)
        former = await self._store.find_setting(app_id, business_id)
        if former is None:
            raise CallbackNotFound("there is no such callback setting")
        await self._store.remove_setting(app_id, business_id)

    async def settings(self, account: Account, app_id: str) -> list[CallbackSetting]:
        """Return the settings of an application, that of the application as a whole first."""
        app = owned_app(self._apps, account, app_id)
        stored = await self._store.settings(app_id)
        default = _default(app)
        if default is None or any(not setting.business_id for setting in stored):
            return stored
        return [default, *stored]

    async def receiver(
        self, app_id: str, business_id: str, event_type: str
    ) -> CallbackReceiver | None:
        """Return who is to be told of an event; None: nobody.

        The setting of the business holds, else that of the application, else the file's.
        """
        app = self._apps.get(app_id)
        if app is None:
            return None
        setting = await self._store.find_setting(app_id, business_id)
        if setting is None and business_id:
            setting = await self._store.find_setting(app_id, "")
        setting = setting or _default(app)
        if setting is None or event_type not in setting.event_types:
            return None
        return setting.receiver

    def _check(self, setting: CallbackSetting) -> None:
        try:
            self._check_url(setting.receiver.url)
        except ValueError as error:
            raise InvalidInput(SliceField.CALLBACK_ADDRESS, str(error)) from None
        if len(setting.receiver.secret) > MAX_SECRET_CHARS:
            raise InvalidInput(
                SliceField.CALLBACK_SECRET, f"must have at most {MAX_SECRET_CHARS} characters"
            )
        if len(setting.event_types) > MAX_EVENT_TYPES:
            raise InvalidInput(
                SliceField.CALLBACK_EVENTS, f"must have at most {MAX_EVENT_TYPES} entries"
            )
        if not all(_EVENT_TYPE.fullmatch(name) for name in setting.event_types):
            raise InvalidInput(
                SliceField.CALLBACK_EVENTS, "must hold names of events, such as RoomCreate"
            )


def _named(setting: CallbackSetting) -> str:
    business = f", business {setting.business_id}" if setting.business_id else ""
    return f"application {setting.app_id}{business}"


def _default(app: RtcApp) -> CallbackSetting | None:
    """Return what the configuration says."""
    if app.callback_url is None:
        return None
    return CallbackSetting(
        app_id=app.app_id,
        business_id="",
        receiver=CallbackReceiver(url=app.callback_url, secret=app.callback_secret),
        event_types=app.callback_events,
        created_at_ms=0,
        updated_at_ms=0,
    )
