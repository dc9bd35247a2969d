"""Callback settings in the SQLite file."""

from __future__ import annotations

import sqlite3

import msgspec

from airslice.domain.callback import CallbackReceiver, CallbackSetting
from airslice.persistence.sqlite.database import SqliteStore
from airslice.persistence.sqlite.rows import columns, record
from airslice.persistence.sqlite.secrets import SecretBox
from airslice.persistence.sqlite.statements import statements

_SETTINGS = statements("callback_settings")


class SqliteCallbackSettings(SqliteStore):
    """A CallbackSettingStore in the SQLite file; URLs and secrets are sealed."""

    async def save_setting(self, setting: CallbackSetting) -> None:
        """Insert or replace the setting of its application and business."""
        receiver = (setting.receiver.url, setting.receiver.secret)
        context = _context(setting.app_id, setting.business_id)
        row = {
            **columns(setting),
            "receiver": self._database.box.seal_json(receiver, context=context),
            "event_types": msgspec.json.encode(setting.event_types).decode(),
        }
        await self._database.execute(_SETTINGS["save_setting"], row)

    async def find_setting(self, app_id: str, business_id: str) -> CallbackSetting | None:
        """Return the setting of an application, or of one business in it."""
        name = {"app_id": app_id, "business_id": business_id}
        row = await self._database.row(_SETTINGS["find_setting"], name)
        return _read_setting(row, self._database.box) if row else None

    async def settings(self, app_id: str) -> list[CallbackSetting]:
        """Return all settings of an application, in order of their business ids."""
        rows = await self._database.rows(_SETTINGS["settings"], {"app_id": app_id})
        return [_read_setting(row, self._database.box) for row in rows]

    async def remove_setting(self, app_id: str, business_id: str) -> None:
        """Remove a setting; there need not be one."""
        name = {"app_id": app_id, "business_id": business_id}
        await self._database.execute(_SETTINGS["remove_setting"], name)


def _context(app_id: str, business_id: str) -> str:
    """Bind the seal to the row: moved to another, it does not open."""
    return f"callback {app_id} {business_id}"


def _read_setting(row: sqlite3.Row, box: SecretBox) -> CallbackSetting:
    context = _context(row["app_id"], row["business_id"])
    url, secret = box.unseal_json(row["receiver"], tuple[str, str], context=context)
    return record(
        CallbackSetting,
        row,
        receiver=CallbackReceiver(url=url, secret=secret),
        event_types=msgspec.json.decode(row["event_types"], type=tuple[str, ...]),
    )
