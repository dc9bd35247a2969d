"""The bans that are in force, held in memory: each user who wants to publish is looked up in them.

Who is banned, and that he is sent out, is decided in application.moderation.
"""

from __future__ import annotations

from airslice.application.ports.records import BanStore
from airslice.application.wall_clock import WallClock
from airslice.domain.ban import Ban, BanScope, scopes_of
from airslice.domain.errors import TooManyBans, UserBanned
from airslice.domain.room import RoomKey

MAX_BANS = 50_000
"""Most bans that one application may have: all of them are held in memory."""

SWEEP_MS = 60_000
"""Least time between two removals of expired bans, which happen when a new ban comes."""


class Bans:
    """All bans of this server, remembered over restarts."""

    def __init__(self, *, store: BanStore, wall_clock: WallClock) -> None:
        """Begin without bans; `recover` brings back those that are in `store`."""
        self._store = store
        self._wall_clock = wall_clock
        self._by_app: dict[str, dict[BanScope, Ban]] = {}
        self._swept_at_ms = 0

    async def recover(self) -> None:
        """Bring back the bans that have not expired, and forget the others."""
        await self._store.forget_bans(self._wall_clock.utc_ms())
        for ban in await self._store.bans():
            self._of_app(ban.scope.app_id)[ban.scope] = ban

    def check(self, room: RoomKey, user_id: str) -> None:
        """Refuse a user whom a ban keeps out of a room.

        Raises:
            UserBanned: a ban of the user, the room or both has not expired.
        """
        bans = self._by_app.get(room.app_id, {})
        now_ms = self._wall_clock.utc_ms()
        for scope in scopes_of(room, user_id):
            ban = bans.get(scope)
            if ban is not None and not ban.has_expired(now_ms):
                left_s = (ban.expires_at_ms - now_ms + 999) // 1000
                raise UserBanned(f"{user_id} is kept out of room {room.room_id} for {left_s} s")

    async def put(self, ban: Ban) -> None:
        """Put a ban in force at once, in place of any other of its scope; remember it.

        Raises:
            TooManyBans: the application has `MAX_BANS` already.
            StoreFailed: the ban is in force, but may be forgotten at the next restart.
        """
        now_ms = self._wall_clock.utc_ms()
        is_sweep_due = abs(now_ms - self._swept_at_ms) >= SWEEP_MS
        if is_sweep_due:
            self._sweep(now_ms)
        bans = self._of_app(ban.scope.app_id)
        if len(bans) >= MAX_BANS and ban.scope not in bans:
            raise TooManyBans(f"the application has {MAX_BANS} bans, as many as it can have")
        bans[ban.scope] = ban
        await self._store.save_ban(ban)
        if is_sweep_due:
            await self._store.forget_bans(now_ms)

    async def lift(self, scope: BanScope) -> None:
        """Take the ban of exactly this scope out of force; there need not be one.

        Raises:
            StoreFailed: the ban is lifted, but may come back at the next restart.
        """
        self._of_app(scope.app_id).pop(scope, None)
        await self._store.lift_ban(scope)

    def _of_app(self, app_id: str) -> dict[BanScope, Ban]:
        return self._by_app.setdefault(app_id, {})

    def _sweep(self, now_ms: int) -> None:
        self._swept_at_ms = now_ms
        for bans in self._by_app.values():
            for ban in tuple(bans.values()):
                if ban.has_expired(now_ms):
                    del bans[ban.scope]
