"""What a project has set for all its broadcasts: wire structs, and what the operations call."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from airslice.domain.live_user_config import LiveUserConfig, NotifyAction, NotifyChange, NotifyEvent
from airslice.facades.huawei.callbacks import LiveEventCallBackConfig
from airslice.facades.huawei.calls import Call
from airslice.facades.huawei.fields import NoBody, NoQuery, Wire
from airslice.facades.huawei.scripts import LiveExitConfig

NotifyEvents = Annotated[list[NotifyEvent], Meta(max_length=10)]


class LiveNotifyConfigReq(Wire, frozen=True, kw_only=True):
    """A change of what the owner is notified of."""

    action: NotifyAction | None = None
    notify_events: NotifyEvents | None = None

    def change(self) -> NotifyChange:
        """Return the change; without an action, the events replace the former ones."""
        return NotifyChange(
            action=self.action or NotifyAction.REPLACE, events=frozenset(self.notify_events or ())
        )


class UpdateSmartLiveUserConfigReq(Wire, frozen=True, kw_only=True):
    """The parts of a project's configuration that change; absent parts stay."""

    live_exit_config: LiveExitConfig | None = None
    live_event_callback_config: LiveEventCallBackConfig | None = None
    live_notify_config: LiveNotifyConfigReq | None = None


class LiveNotifyConfig(Wire, frozen=True, kw_only=True):
    """What the owner is notified of."""

    notify_events: list[NotifyEvent]


class SmartLiveUserConfig(Wire, frozen=True, kw_only=True):
    """What a project has set for all its broadcasts."""

    live_exit_config: LiveExitConfig | None = None
    live_event_callback_config: LiveEventCallBackConfig | None = None
    live_notify_config: LiveNotifyConfig

    @classmethod
    def of(cls, config: LiveUserConfig) -> SmartLiveUserConfig:
        """Return what shows a project's configuration."""
        return cls(
            live_exit_config=LiveExitConfig.of(config.exit) if config.exit else None,
            live_event_callback_config=(
                LiveEventCallBackConfig.of(config.callback) if config.callback else None
            ),
            live_notify_config=LiveNotifyConfig(notify_events=sorted(config.notify_events)),
        )


async def show_user_config(call: Call[NoQuery, NoBody]) -> SmartLiveUserConfig:
    """Show what a project has set for all its broadcasts."""
    return SmartLiveUserConfig.of(await call.use_cases.user_configs.show(call.project_id))


async def update_user_config(call: Call[NoQuery, UpdateSmartLiveUserConfigReq]) -> NoBody:
    """Change what a project has set for all its broadcasts."""
    asked = call.body
    live_exit, callback = asked.live_exit_config, asked.live_event_callback_config
    notify = asked.live_notify_config
    await call.use_cases.user_configs.update(
        call.project_id,
        live_exit=live_exit.live_exit() if live_exit else None,
        callback=callback.callback() if callback else None,
        notify=notify.change() if notify else None,
    )
    return NoBody()
