"""What owners do to the users of their rooms: send them out, keep them out, see who is in.

The bans themselves are kept in `rooms.bans`, the sessions in `rooms` and `listening`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from airslice.application.listening.sessions import Listening
from airslice.application.ownership import owned_app
from airslice.application.rooms.bans import Bans
from airslice.application.rooms.publishing import Publishing
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import Account, RtcApp
from airslice.domain.ban import Ban, BanScope, ban_length_s
from airslice.domain.room import RoomKey
from airslice.domain.room_event import EndReason


class Moderation:
    """What an application's owner may do to its users.

    Those who are sent out stop publishing and listening before the call returns. That somebody is
    not there is no error: he may be about to come. Every method raises AppNotFound if there is no
    such application, and AppNotOwned if it is not the account's.
    """

    def __init__(
        self,
        *,
        apps: Mapping[str, RtcApp],
        publishing: Publishing,
        bans: Bans,
        listening: Listening | None = None,
        users_in: Callable[[RoomKey], Sequence[str]],
        wall_clock: WallClock,
    ) -> None:
        """Moderate the users of `apps`, which has them by application id.

        `users_in` tells who is in a room, the first who came first.
        """
        self._apps = apps
        self._publishing = publishing
        self._bans = bans
        self._listening = listening
        self._users_in = users_in
        self._wall_clock = wall_clock

    async def ban(self, account: Account, scope: BanScope, *, length_s: int) -> None:
        """Send users out and keep them out; the latest ban of a scope replaces earlier ones.

        Args:
            account: Who asks.
            scope: Whom, and from where.
            length_s: For how long, not negative; see `ban_length_s`. 0 sends them out only, and
                lifts the ban of this scope.

        Raises:
            TooManyBans: the users are out, but may come back.
            StoreFailed: the ban is in force, but may not survive a restart.
        """
        owned_app(self._apps, account, scope.app_id)
        length_s = ban_length_s(length_s)
        self._send_out(scope, EndReason.BANNED if length_s else EndReason.KICKED)
        if not length_s:
            await self._bans.lift(scope)
            return
        # In force before anything else can run: nobody slips in again.
        expires_at_ms = self._wall_clock.utc_ms() + length_s * 1000
        await self._bans.put(Ban(scope=scope, expires_at_ms=expires_at_ms))

    async def kick(self, account: Account, room: RoomKey, user_id: str) -> None:
        """Send a user out of a room; he may come back."""
        owned_app(self._apps, account, room.app_id)
        scope = BanScope(app_id=room.app_id, room_id=room.room_id, user_id=user_id)
        self._send_out(scope, EndReason.KICKED)

    async def dismiss(self, account: Account, room: RoomKey) -> None:
        """Send everybody out of a room; they may come back."""
        owned_app(self._apps, account, room.app_id)
        scope = BanScope(app_id=room.app_id, room_id=room.room_id)
        self._send_out(scope, EndReason.DISMISSED)

    async def online_users(self, account: Account, room: RoomKey) -> Sequence[str]:
        """Return who is in a room, the first who came first; nobody if there is no such room."""
        owned_app(self._apps, account, room.app_id)
        return self._users_in(room)

    def _send_out(self, scope: BanScope, reason: EndReason) -> None:
        self._publishing.end_all(scope, reason)
        if self._listening is not None:
            self._listening.end_all(scope, reason)
