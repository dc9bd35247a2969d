"""Bans in memory, for tests and trials."""

from __future__ import annotations

from airslice.domain.ban import Ban, BanScope


class MemoryBanStore:
    """A BanStore that forgets everything with the process."""

    def __init__(self) -> None:
        self._by_scope: dict[BanScope, Ban] = {}

    async def save_ban(self, ban: Ban) -> None:
        """Insert the ban, or replace the one of its scope."""
        self._by_scope[ban.scope] = ban

    async def lift_ban(self, scope: BanScope) -> None:
        """Remove the ban of `scope`; there need not be one."""
        self._by_scope.pop(scope, None)

    async def bans(self) -> list[Ban]:
        """Return all bans, the first to expire first."""
        return sorted(self._by_scope.values(), key=lambda ban: ban.expires_at_ms)

    async def forget_bans(self, now_ms: int) -> None:
        """Remove those that have expired at `now_ms` (UTC)."""
        self._by_scope = {
            scope: ban for scope, ban in self._by_scope.items() if not ban.has_expired(now_ms)
        }
