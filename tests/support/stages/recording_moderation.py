"""The use cases on users and rooms without any users, for façades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airslice.application.moderation import Moderation
from airslice.domain.apps import Account
from airslice.domain.ban import BanScope
from airslice.domain.room import RoomKey
from tests.support.stages.in_memory_tasks import check_owner


class RecordingModeration(Moderation):
    """Remembers what is asked, and says who is in a room as it was told.

    Args:
        owners: Application id to account id.
    """

    def __init__(self, owners: Mapping[str, str]) -> None:
        self.bans: list[tuple[BanScope, int]] = []
        self.kicks: list[tuple[RoomKey, str]] = []
        self.dismissals: list[RoomKey] = []
        self.users: dict[RoomKey, list[str]] = {}
        self.failure: Exception | None = None
        """Raised by every call in place of an answer."""
        self._owners = owners

    async def ban(self, account: Account, scope: BanScope, *, length_s: int) -> None:
        self._check(account, scope.app_id)
        self.bans.append((scope, length_s))

    async def kick(self, account: Account, room: RoomKey, user_id: str) -> None:
        self._check(account, room.app_id)
        self.kicks.append((room, user_id))

    async def dismiss(self, account: Account, room: RoomKey) -> None:
        self._check(account, room.app_id)
        self.dismissals.append(room)

    async def online_users(self, account: Account, room: RoomKey) -> Sequence[str]:
        self._check(account, room.app_id)
        return self.users.get(room, [])

    def _check(self, account: Account, app_id: str) -> None:
        if self.failure is not None:
            raise self.failure
        check_owner(self._owners, account, app_id)
