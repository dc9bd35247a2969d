"""Callback settings in the SQLite file."""

from __future__ import annotations

import sqlite3

import msgspec

from airslice.domain.callback import CallbackReceiver, CallbackSetting
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.rows import Row
from airslice.persistence.sqlite.secrets import SecretBox
from airslice.persistence.sqlite.statements import statements

_SETTINGS = statements("callback_settings")


class SqliteCallbackSettings:
    """A CallbackSettingStore; URLs and secrets are sealed."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def save_setting(self, setting: CallbackSetting) -> None:
        """Insert or replace the setting of its application and business."""
        row = _setting_row(setting, self._database.box)
        await self._execute("save_setting", row)

    async def find_setting(self, app_id: str, business_id: str) -> CallbackSetting | None:
        """Return the setting of an application, or of one business in it."""
        rows = await self._database.rows(_SETTINGS["find_setting"], _name(app_id, business_id))
        return _read_setting(rows[0], self._database.box) if rows else None

    async def settings(self, app_id: str) -> list[CallbackSetting]:
        """Return all settings of an application, in order of their business ids."""
        rows = await self._database.rows(_SETTINGS["settings"], {"app_id": app_id})
        return [_read_setting(row, self._database.box) for row in rows]

    async def remove_setting(self, app_id: str, business_id: str) -> None:
        """Remove a setting; there need not be one."""
        await self._execute("remove_setting", _name(app_id, business_id))

    async def _execute(self, statement: str, row: Row) -> None:
        await self._database.write(lambda connection: connection.execute(_SETTINGS[statement], row))


def _name(app_id: str, business_id: str) -> Row:
    return {"app_id": app_id, "business_id": business_id}


def _context(app_id: str, business_id: str) -> str:
    """Bind the seal to the row: moved to another, it does not open."""
    return f"callback {app_id} {business_id}"


def _setting_row(setting: CallbackSetting, box: SecretBox) -> Row:
    receiver = (setting.receiver.url, setting.receiver.secret)
    return {
        **_name(setting.app_id, setting.business_id),
        "receiver": box.seal(
            msgspec.json.encode(receiver), context=_context(setting.app_id, setting.business_id)
        ),
        "event_types": msgspec.json.encode(setting.event_types).decode(),
        "created_at_ms": setting.created_at_ms,
        "updated_at_ms": setting.updated_at_ms,
    }


def _read_setting(row: sqlite3.Row, box: SecretBox) -> CallbackSetting:
    app_id, business_id = row["app_id"], row["business_id"]
    sealed = box.unseal(row["receiver"], context=_context(app_id, business_id))
    url, secret = msgspec.json.decode(sealed, type=tuple[str, str])
    return CallbackSetting(
        app_id=app_id,
        business_id=business_id,
        receiver=CallbackReceiver(url=url, secret=secret),
        event_types=msgspec.json.decode(row["event_types"], type=tuple[str, ...]),
        created_at_ms=row["created_at_ms"],
        updated_at_ms=row["updated_at_ms"],
    )
