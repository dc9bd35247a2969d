"""Tell applications' owners of events; how an event is written belongs to delivery.

What owners of live jobs are told is in `broadcast`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.delivery.courier import Courier
from airslice.application.ports.callbacks import CallbackSender
from airslice.application.ports.outbox import Outbox
from airslice.domain.callback import CallbackEvent
from airslice.domain.outbox import Delivery, Gone, Made, Outcome
from airslice.domain.room_event import RoomEvent


class CallbackPost:
    """Carries callbacks (port `Carrier`)."""

    def __init__(self, settings: CallbackSettings, sender: CallbackSender) -> None:
        self._settings = settings
        self._sender = sender

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Post once, to whoever is to be told now; nobody is told as well as can be."""
        event = delivery.event
        if event is None:
            return Gone(reason="it has no event")
        receiver = await self._settings.receiver(
            event.app_id, delivery.business_id, event.event_type
        )
        return Made() if receiver is None else await self._sender.send(event, receiver)

    async def settled(self, delivery: Delivery) -> None:
        """There is nothing left to do."""


class Announcements:
    """Puts events other than slices' into the outbox."""

    def __init__(self, outbox: Outbox, settings: CallbackSettings, courier: Courier) -> None:
        self._outbox = outbox
        self._settings = settings
        self._courier = courier

    async def announce(self, event: CallbackEvent, *, business_id: str, lane: str) -> None:
        """Let the owner of an application be told of an event, if anybody subscribes to it.

        Args:
            event: Of one of the configured applications.
            business_id: Chooses the receiver; empty: the application's.
            lane: Events of one lane of an application are told in the order of these calls, which
                must not overlap for that.

        Returns:
            Once the event is on the disk.
        """
        if await self._settings.receiver(event.app_id, business_id, event.event_type) is None:
            return
        await self._outbox.add_event(
            event,
            business_id=business_id,
            lane=f"app/{event.app_id}/{lane}",
            now_ms=self._courier.now_ms(),
        )
        self._courier.expect()


class RoomAnnouncements:
    """Announces what happens in rooms, in order per room (port `EventSink`)."""

    def __init__(
        self, announcements: Announcements, event_of: Callable[[RoomEvent, str], CallbackEvent]
    ) -> None:
        """Begin; `event_of` makes the callback that tells of an event, with a given id."""
        self._announcements = announcements
        self._event_of = event_of

    async def announce(self, event: RoomEvent) -> None:
        """Let the owner of a room's application be told of an event, see `Announcements`."""
        callback = self._event_of(event, str(uuid.uuid4()))
        await self._announcements.announce(callback, business_id="", lane=event.room.room_id)
