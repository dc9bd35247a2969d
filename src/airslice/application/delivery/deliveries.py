"""What operators see of the outbox, and can retry; `courier` makes the deliveries."""

from __future__ import annotations

from airslice.application.delivery.courier import Courier
from airslice.application.ports.outbox import Outbox
from airslice.domain.errors import DeliveryNotFound
from airslice.domain.outbox import Delivery, DeliveryState

_BATCH = 500


class Deliveries:
    """Shows operators the deliveries that are in the outbox, and retries them."""

    def __init__(self, outbox: Outbox, courier: Courier) -> None:
        self._outbox = outbox
        self._courier = courier

    async def page(self, *, dead: bool | None, after_id: int, limit: int) -> list[Delivery]:
        """Return deliveries in order of their ids; see `Outbox.page`."""
        return await self._outbox.page(dead=dead, after_id=after_id, limit=limit)

    async def find(self, delivery_id: int) -> Delivery:
        """Return one delivery.

        Raises:
            DeliveryNotFound: it is not in the outbox: done, or never there.
        """
        delivery = await self._outbox.find(delivery_id)
        if delivery is None:
            raise DeliveryNotFound(f"there is no delivery {delivery_id} in the outbox")
        return delivery

    async def retry(self, delivery_id: int) -> Delivery:
        """Begin another round of tries, at once, for a delivery that is dead or parked.

        Returns:
            The delivery as it is now; others are unchanged.

        Raises:
            DeliveryNotFound: it is not in the outbox: done, or never there.
        """
        before = await self.find(delivery_id)
        after = await self._outbox.revive(delivery_id, now_ms=self._courier.now_ms())
        if after is None:
            raise DeliveryNotFound(f"there is no delivery {delivery_id} in the outbox")
        was_dead, is_dead = (d.state is DeliveryState.DEAD for d in (before, after))
        self._courier.expect(int(was_dead and not is_dead))
        return after

    async def retry_dead(self) -> int:
        """Begin another round of tries for all deliveries that are dead; return their number."""
        revived = last_id = 0
        while dead := await self._outbox.page(dead=True, after_id=last_id, limit=_BATCH):
            for delivery in dead:
                await self.retry(delivery.id)
            revived += len(dead)
            last_id = dead[-1].id
        return revived
