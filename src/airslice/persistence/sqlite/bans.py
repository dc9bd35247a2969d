"""Bans in the SQLite file."""

from __future__ import annotations

from airslice.domain.ban import Ban, BanScope
from airslice.persistence.sqlite.database import SqliteStore
from airslice.persistence.sqlite.rows import Row
from airslice.persistence.sqlite.statements import statements

_BANS = statements("bans")


class SqliteBanStore(SqliteStore):
    """A BanStore in the SQLite file."""

    async def save_ban(self, ban: Ban) -> None:
        """Insert a ban, or replace the one of the same scope."""
        row = {**_scope_row(ban.scope), "expires_at_ms": ban.expires_at_ms}
        await self._database.execute(_BANS["save_ban"], row)

    async def lift_ban(self, scope: BanScope) -> None:
        """Remove the ban of `scope`; there need not be one."""
        await self._database.execute(_BANS["lift_ban"], _scope_row(scope))

    async def bans(self) -> list[Ban]:
        """Return all bans, the first to expire first."""
        return [
            Ban(
                scope=BanScope(
                    app_id=row["app_id"],
                    room_id=row["room_id"] or None,
                    user_id=row["user_id"] or None,
                ),
                expires_at_ms=row["expires_at_ms"],
            )
            for row in await self._database.rows(_BANS["bans"])
        ]

    async def forget_bans(self, now_ms: int) -> None:
        """Remove the bans that have expired at `now_ms` (UTC)."""
        await self._database.execute(_BANS["forget_bans"], {"now_ms": now_ms})


def _scope_row(scope: BanScope) -> Row:
    # No id is empty, and the columns of a primary key cannot be NULL.
    return {
        "app_id": scope.app_id,
        "room_id": scope.room_id or "",
        "user_id": scope.user_id or "",
    }
