"""Who is in which room, in memory, for tests and trials."""

from __future__ import annotations

from collections.abc import Sequence

from airslice.domain.room_event import Presence


class MemoryPresences:
    """A PresenceStore that forgets everything with the process."""

    def __init__(self) -> None:
        self._present: dict[Presence, Presence] = {}
        self._signed_at_ms = 0

    async def note(
        self, *, entered: Sequence[Presence] = (), left: Sequence[Presence] = ()
    ) -> None:
        """Remember what has come and forget what has gone."""
        self._present.update({presence: presence for presence in entered})
        for presence in left:
            self._present.pop(presence, None)

    async def present(self) -> list[Presence]:
        """Return what has come and not gone."""
        return list(self._present.values())

    async def sign(self, at_ms: int) -> None:
        """Remember that the server lives at `at_ms` (UTC)."""
        self._signed_at_ms = at_ms

    async def last_sign_ms(self) -> int:
        """Return when it lived last; 0 if nobody knows."""
        return self._signed_at_ms
