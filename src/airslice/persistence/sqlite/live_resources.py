"""Groups of rules, live platforms and projects' configurations in the SQLite file."""

from __future__ import annotations

import sqlite3

from airslice.application.ports.live import GroupQuery, Page
from airslice.domain.interaction_rules import Rule, RuleGroup
from airslice.domain.live_platform import AccessType, LivePlatform, PlatformCallback
from airslice.domain.live_user_config import LiveUserConfig
from airslice.persistence.sqlite.database import SqliteStore
from airslice.persistence.sqlite.rows import Row, columns, record
from airslice.persistence.sqlite.secrets import SecretBox
from airslice.persistence.sqlite.statements import statements

_RESOURCES = statements("live_resources")

# A seal is bound to its row: moved to another, it does not open.
_RULES = "rules of group {}"
_SECRETS = "secrets of live platform {}"
_CONFIG = "live configuration of project {}"


class SqliteRuleGroupStore(SqliteStore):
    """A RuleGroupStore in the SQLite file; rules are sealed."""

    async def save_group(self, group: RuleGroup) -> None:
        """Insert or replace a group, with all its rules."""
        sealed = self._database.box.seal_json(group.rules, context=_RULES.format(group.group_id))
        row = {**columns(group), "folded_name": group.name.casefold(), "rules": sealed}
        await self._database.execute(_RESOURCES["save_group"], row)

    async def find_group(self, project_id: str, group_id: str) -> RuleGroup | None:
        """Return a group of a project."""
        name = {"project_id": project_id, "group_id": group_id}
        row = await self._database.row(_RESOURCES["find_group"], name)
        if row is None:
            return None
        rules = self._database.box.unseal_json(
            row["rules"], tuple[Rule, ...], context=_RULES.format(group_id)
        )
        return record(RuleGroup, row, rules=rules)

    async def remove_group(self, project_id: str, group_id: str) -> None:
        """Remove a group; there need not be one."""
        name = {"project_id": project_id, "group_id": group_id}
        await self._database.execute(_RESOURCES["remove_group"], name)

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
            return Page(count, tuple(record(RuleGroup, row, rules=()) for row in rows))

        return await self._database.read(read)


class SqliteLivePlatformStore(SqliteStore):
    """A LivePlatformStore in the SQLite file; keys and addresses are sealed."""

    async def save_platform(self, platform: LivePlatform) -> None:
        """Insert or replace a platform."""
        sealed = self._database.box.seal_json(
            (platform.key, platform.callbacks), context=_SECRETS.format(platform.platform_id)
        )
        row = {**columns(platform), "secrets": sealed}
        await self._database.execute(_RESOURCES["save_platform"], row)

    async def find_platform(self, project_id: str, platform_id: str) -> LivePlatform | None:
        """Return a platform of a project."""
        name = {"project_id": project_id, "platform_id": platform_id}
        row = await self._database.row(_RESOURCES["find_platform"], name)
        return _read_platform(row, self._database.box) if row else None

    async def remove_platform(self, project_id: str, platform_id: str) -> None:
        """Remove a platform; there need not be one."""
        name = {"project_id": project_id, "platform_id": platform_id}
        await self._database.execute(_RESOURCES["remove_platform"], name)

    async def platforms(self, project_id: str) -> list[LivePlatform]:
        """Return all platforms of a project, the earliest created first."""
        rows = await self._database.rows(_RESOURCES["platforms"], {"project_id": project_id})
        return [_read_platform(row, self._database.box) for row in rows]


class SqliteLiveUserConfigStore(SqliteStore):
    """A LiveUserConfigStore in the SQLite file; each configuration is sealed as a whole."""

    async def save_config(self, config: LiveUserConfig) -> None:
        """Insert or replace the configuration of a project."""
        sealed = self._database.box.seal_json(config, context=_CONFIG.format(config.project_id))
        row: Row = {"project_id": config.project_id, "config": sealed}
        await self._database.execute(_RESOURCES["save_config"], row)

    async def find_config(self, project_id: str) -> LiveUserConfig | None:
        """Return the configuration of a project."""
        row = await self._database.row(_RESOURCES["find_config"], {"project_id": project_id})
        if row is None:
            return None
        return self._database.box.unseal_json(
            row["config"], LiveUserConfig, context=_CONFIG.format(project_id)
        )


def _read_platform(row: sqlite3.Row, box: SecretBox) -> LivePlatform:
    key, callbacks = box.unseal_json(
        row["secrets"],
        tuple[str, tuple[PlatformCallback, ...]],
        context=_SECRETS.format(row["platform_id"]),
    )
    access_type = AccessType(row["access_type"])
    return record(LivePlatform, row, key=key, callbacks=callbacks, access_type=access_type)
