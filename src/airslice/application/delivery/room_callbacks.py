"""Tell applications' owners what happens in their rooms; `callbacks` carries what is told."""

from __future__ import annotations

from collections.abc import Callable

from airslice.application.delivery.callbacks import Announcements
from airslice.domain.callback import CallbackEvent
from airslice.domain.room_event import RoomEvent


class RoomCallbacks:
    """Announces what happens in rooms, in order per room (port `EventSink`)."""

    def __init__(
        self, announcements: Announcements, event_of: Callable[[RoomEvent], CallbackEvent]
    ) -> None:
        """Announce by `announcements`; `event_of` makes the callback's event, with a fresh id."""
        self._announcements = announcements
        self._event_of = event_of

    async def announce(self, event: RoomEvent) -> None:
        """Take an event; return when it is on the disk.

        Raises:
            StoreFailed: it is not taken.
        """
        callback = self._event_of(event)
        await self._announcements.announce(callback, business_id="", lane=event.room.room_id)
