"""Groups of rules, live platforms and projects' settings in the SQLite file."""

from __future__ import annotations

import sqlite3

import msgspec

from airslice.application.ports.live import GroupQuery, Page
from airslice.domain.interaction_rules import Rule, RuleGroup
from airslice.domain.live_platform import AccessType, LivePlatform, PlatformCallback
from airslice.domain.live_user_config import LiveUserConfig
from airslice.persistence.sqlite.database import SqliteDatabase
from airslice.persistence.sqlite.rows import Row
from airslice.persistence.sqlite.secrets import SecretBox
from airslice.persistence.sqlite.statements import statements

_RESOURCES = statements("live_resources")


class SqliteRuleGroupStore:
    """A RuleGroupStore; the file's failures raise StoreFailed."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def save_group(self, group: RuleGroup) -> None:
        """Insert or replace a group, with all its rules."""
        await _execute(self._database, "save_group", _group_row(group, self._database.box))

    async def find_group(self, project_id: str, group_id: str) -> RuleGroup | None:
        """Return a group of a project."""
        name: Row = {"project_id": project_id, "group_id": group_id}
        rows = await self._database.rows(_RESOURCES["find_group"], name)
        if not rows:
            return None
        sealed = self._database.box.unseal(rows[0]["rules"], context=_rules_of(group_id))
        return _read_group(rows[0], msgspec.json.decode(sealed, type=tuple[Rule, ...]))

    async def remove_group(self, project_id: str, group_id: str) -> None:
        """Remove a group; there need not be one."""
        name: Row = {"project_id": project_id, "group_id": group_id}
        await _execute(self._database, "remove_group", name)

    async def groups(self, project_id: str, query: GroupQuery) -> Page[RuleGroup]:
        """Return groups of a project, without their rules."""
        wanted: Row = {
            "project_id": project_id,
            "name": query.name.casefold(),
            "since_ms": query.window.created_since_ms,
            "until_ms": query.window.created_until_ms,
            "offset": query.window.offset,
            "limit": query.window.limit,
        }

        def read(connection: sqlite3.Connection) -> Page[RuleGroup]:
            count = connection.execute(_RESOURCES["count_groups"], wanted).fetchone()["groups"]
            rows = connection.execute(_RESOURCES["groups"], wanted)
            return Page(count, tuple(_read_group(row, ()) for row in rows))

        return await self._database.read(read)


class SqliteLivePlatformStore:
    """A LivePlatformStore; keys and addresses are sealed."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def save_platform(self, platform: LivePlatform) -> None:
        """Insert or replace a platform."""
        row = _platform_row(platform, self._database.box)
        await _execute(self._database, "save_platform", row)

    async def find_platform(self, project_id: str, platform_id: str) -> LivePlatform | None:
        """Return a platform of a project."""
        name: Row = {"project_id": project_id, "platform_id": platform_id}
        rows = await self._database.rows(_RESOURCES["find_platform"], name)
        return _read_platform(rows[0], self._database.box) if rows else None

    async def remove_platform(self, project_id: str, platform_id: str) -> None:
        """Remove a platform; there need not be one."""
        name: Row = {"project_id": project_id, "platform_id": platform_id}
        await _execute(self._database, "remove_platform", name)

    async def platforms(self, project_id: str) -> list[LivePlatform]:
        """Return all platforms of a project, the earliest created first."""
        rows = await self._database.rows(_RESOURCES["platforms"], {"project_id": project_id})
        return [_read_platform(row, self._database.box) for row in rows]


class SqliteLiveUserConfigStore:
    """A LiveUserConfigStore; the whole is sealed."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def save_config(self, config: LiveUserConfig) -> None:
        """Insert or replace the setting of a project."""
        project_id = config.project_id
        sealed = self._database.box.seal(
            msgspec.json.encode(config), context=_config_of(project_id)
        )
        row: Row = {"project_id": project_id, "config": sealed}
        await _execute(self._database, "save_config", row)

    async def find_config(self, project_id: str) -> LiveUserConfig | None:
        """Return the setting of a project."""
        rows = await self._database.rows(_RESOURCES["find_config"], {"project_id": project_id})
        if not rows:
            return None
        text = self._database.box.unseal(rows[0]["config"], context=_config_of(project_id))
        return msgspec.json.decode(text, type=LiveUserConfig)


async def _execute(database: SqliteDatabase, statement: str, row: Row) -> None:
    await database.write(lambda connection: connection.execute(_RESOURCES[statement], row))


def _group_row(group: RuleGroup, box: SecretBox) -> Row:
    return {
        "group_id": group.group_id,
        "project_id": group.project_id,
        "name": group.name,
        "folded_name": group.name.casefold(),
        "created_at_ms": group.created_at_ms,
        "updated_at_ms": group.updated_at_ms,
        "rules": box.seal(msgspec.json.encode(group.rules), context=_rules_of(group.group_id)),
    }


def _read_group(row: sqlite3.Row, rules: tuple[Rule, ...]) -> RuleGroup:
    return RuleGroup(
        group_id=row["group_id"],
        project_id=row["project_id"],
        name=row["name"],
        created_at_ms=row["created_at_ms"],
        updated_at_ms=row["updated_at_ms"],
        rules=rules,
    )


def _platform_row(platform: LivePlatform, box: SecretBox) -> Row:
    secrets = (platform.key, platform.callbacks)
    return {
        "platform_id": platform.platform_id,
        "project_id": platform.project_id,
        "name": platform.name,
        "access_type": platform.access_type,
        "created_at_ms": platform.created_at_ms,
        "updated_at_ms": platform.updated_at_ms,
        "secrets": box.seal(
            msgspec.json.encode(secrets), context=_secrets_of(platform.platform_id)
        ),
    }


def _read_platform(row: sqlite3.Row, box: SecretBox) -> LivePlatform:
    key, callbacks = msgspec.json.decode(
        box.unseal(row["secrets"], context=_secrets_of(row["platform_id"])),
        type=tuple[str, tuple[PlatformCallback, ...]],
    )
    return LivePlatform(
        platform_id=row["platform_id"],
        project_id=row["project_id"],
        name=row["name"],
        key=key,
        callbacks=callbacks,
        created_at_ms=row["created_at_ms"],
        updated_at_ms=row["updated_at_ms"],
        access_type=AccessType(row["access_type"]),
    )


# A seal is bound to its row: moved to another, it does not open.


def _rules_of(group_id: str) -> str:
    return f"rules of group {group_id}"


def _secrets_of(platform_id: str) -> str:
    return f"secrets of live platform {platform_id}"


def _config_of(project_id: str) -> str:
    return f"live configuration of project {project_id}"
