"""What projects set for all their broadcasts."""

from __future__ import annotations

import asyncio

from airslice.application.ports.live import LiveUserConfigStore
from airslice.domain.live_user_config import LiveUserConfig, NotifyChange
from airslice.domain.owner_event import LiveCallback
from airslice.domain.script import LiveExit


class LiveUserConfigs:
    """The settings of all projects.

    Args:
        configs: Remembers them.
    """

    def __init__(self, *, configs: LiveUserConfigStore) -> None:
        self._configs = configs
        self._changing = asyncio.Lock()

    async def show(self, project_id: str) -> LiveUserConfig:
        """Return the setting of a project: an empty one, if it has set nothing."""
        config = await self._configs.find_config(project_id)
        return config or LiveUserConfig(project_id=project_id)

    async def update(
        self,
        project_id: str,
        *,
        live_exit: LiveExit | None = None,
        callback: LiveCallback | None = None,
        notify: NotifyChange | None = None,
    ) -> LiveUserConfig:
        """Replace what is given, keep the rest."""
        async with self._changing:
            former = await self.show(project_id)
            config = LiveUserConfig(
                project_id=project_id,
                exit=live_exit or former.exit,
                callback=callback or former.callback,
                notify_events=(
                    notify.applied_to(former.notify_events) if notify else former.notify_events
                ),
            )
            await self._configs.save_config(config)
        return config
