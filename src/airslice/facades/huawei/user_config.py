"""What a project has set for all its broadcasts: wire structs ↔ the domain's values."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from airslice.domain.live_user_config import (
    LiveUserConfig,
    NotifyAction,
    NotifyChange,
    NotifyEvent,
)
from airslice.facades.huawei.callbacks import LiveEventCallBackConfig
from airslice.facades.huawei.fields import Wire
from airslice.facades.huawei.scripts import LiveExitConfig

NotifyEvents = Annotated[list[NotifyEvent], Meta(max_length=10)]


class LiveNotifyConfigReq(Wire, frozen=True, kw_only=True):
    """A change of what the owner is notified of."""

    action: NotifyAction | None = None
    notify_events: NotifyEvents | None = None

    def change(self) -> NotifyChange:
        """Return what is given; without an action, the events are the new ones."""
        return NotifyChange(
            action=self.action or NotifyAction.REPLACE,
            events=frozenset(self.notify_events or ()),
        )


class UpdateSmartLiveUserConfigReq(Wire, frozen=True, kw_only=True):
    """What shall change; what is not given stays."""

    live_exit_config: LiveExitConfig | None = None
    live_event_callback_config: LiveEventCallBackConfig | None = None
    live_notify_config: LiveNotifyConfigReq | None = None


class LiveNotifyConfig(Wire, frozen=True, kw_only=True):
    """What the owner is notified of."""

    notify_events: list[NotifyEvent]


class SmartLiveUserConfig(Wire, frozen=True, kw_only=True):
    """What is set."""

    live_exit_config: LiveExitConfig | None = None
    live_event_callback_config: LiveEventCallBackConfig | None = None
    live_notify_config: LiveNotifyConfig

    @classmethod
    def of(cls, config: LiveUserConfig) -> SmartLiveUserConfig:
        """Show what is set."""
        return cls(
            live_exit_config=LiveExitConfig.of(config.exit) if config.exit else None,
            live_event_callback_config=(
                LiveEventCallBackConfig.of(config.callback) if config.callback else None
            ),
            live_notify_config=LiveNotifyConfig(notify_events=sorted(config.notify_events)),
        )
