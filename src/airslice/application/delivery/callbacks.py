"""Tell applications' owners of events."""

from __future__ import annotations

from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.delivery.courier import Courier
from airslice.application.ports.callbacks import CallbackSender
from airslice.application.ports.outbox import Outbox
from airslice.domain.callback import CallbackEvent
from airslice.domain.outbox import Delivery, Gone, Made, Outcome


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
