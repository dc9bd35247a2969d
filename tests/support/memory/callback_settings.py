"""Callback settings in memory, for tests and trials."""

from __future__ import annotations

from airslice.domain.callback import CallbackSetting


class MemoryCallbackSettings:
    """A CallbackSettingStore that forgets everything with the process."""

    def __init__(self) -> None:
        self._settings: dict[tuple[str, str], CallbackSetting] = {}

    async def save_setting(self, setting: CallbackSetting) -> None:
        """Insert or replace the setting of its application and business."""
        self._settings[setting.app_id, setting.business_id] = setting

    async def find_setting(self, app_id: str, business_id: str) -> CallbackSetting | None:
        """Return the setting of an application, or of one business in it."""
        return self._settings.get((app_id, business_id))

    async def settings(self, app_id: str) -> list[CallbackSetting]:
        """Return all settings of an application, in order of their business ids."""
        return [setting for key, setting in sorted(self._settings.items()) if key[0] == app_id]

    async def remove_setting(self, app_id: str, business_id: str) -> None:
        """Remove a setting; there need not be one."""
        self._settings.pop((app_id, business_id), None)
