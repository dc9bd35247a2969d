"""The use cases on callback settings, over memory."""

from __future__ import annotations

from functools import partial

from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.ports.clock import Clock
from airslice.application.wall_clock import WallClock
from airslice.delivery.destination import validate_url
from airslice.domain.apps import RtcApp
from airslice.domain.destination import AddressRule
from tests.support.memory.callback_settings import MemoryCallbackSettings


def settings_in_memory(owners: dict[str, str], clock: Clock) -> CallbackSettings:
    """Return the use cases, on applications without settings; `owners`: accounts by application."""
    return CallbackSettings(
        apps={
            app_id: RtcApp(app_id=app_id, app_key="key", account_id=account_id)
            for app_id, account_id in owners.items()
        },
        store=MemoryCallbackSettings(),
        check_url=partial(validate_url, rule=AddressRule()),
        wall_clock=WallClock(clock),
    )
