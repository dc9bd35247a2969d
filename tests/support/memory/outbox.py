"""The outbox in memory, for tests and trials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from airslice.application.ports.outbox import Queue
from airslice.domain.callback import CallbackEvent
from airslice.domain.outbox import (
    HOLDS_LANE,
    Delivery,
    DeliveryKind,
    DeliveryState,
    IllegalDeliveryEvent,
    SliceName,
)
from airslice.domain.slice_record import SliceRecord, SliceState
from airslice.domain.slice_task import SliceTask
from tests.support.memory.tasks import MemoryTaskStore

_ON_OFFER = frozenset({DeliveryState.WAITING, DeliveryState.PARKED})


class MemoryOutbox:
    """An Outbox over a MemoryTaskStore; each object is a claimant of its own."""

    def __init__(self, store: MemoryTaskStore) -> None:
        self._store = store

    async def recover(self, *, now_ms: int) -> int:
        """Void all claims; return how many deliveries are on their way."""
        for delivery in list(self._store.deliveries.values()):
            claimed = self._store.claims.pop(delivery.id, None) is not None
            if claimed or delivery.kind is DeliveryKind.UPLOAD:
                self._put(replace(delivery, due_at_ms=min(delivery.due_at_ms, now_ms)))
        return sum(d.state is not DeliveryState.DEAD for d in self._store.deliveries.values())

    async def queues(self) -> list[Queue]:
        """Return what there is to hand out, whether it is due or not."""
        first_due: dict[tuple[DeliveryKind, str], int] = {}
        for delivery in self._store.deliveries.values():
            if delivery.state in _ON_OFFER:
                name = (delivery.kind, delivery.destination)
                first_due[name] = min(delivery.due_at_ms, first_due.get(name, delivery.due_at_ms))
        return [Queue(*name, due_at_ms) for name, due_at_ms in first_due.items()]

    async def claim(
        self, queue: Queue, *, now_ms: int, until_ms: int, limit: int
    ) -> list[Delivery]:
        """Claim the deliveries of `queue` that are due, the longest due first."""
        due = [
            delivery
            for delivery in self._store.deliveries.values()
            if (delivery.kind, delivery.destination) == (queue.kind, queue.destination)
            and delivery.state in _ON_OFFER
            and delivery.due_at_ms <= now_ms
        ]
        claimed = sorted(due, key=lambda delivery: delivery.due_at_ms)[:limit]
        for delivery in claimed:
            self._store.claims[delivery.id] = self
            self._put(replace(delivery, due_at_ms=until_ms))
        return claimed

    async def settle(
        self,
        delivery: Delivery,
        *,
        now_ms: int,
        then: CallbackEvent | None = None,
        business_id: str = "",
    ) -> bool:
        """Put a claimed delivery back as it is after a try, with its effects."""
        if self._store.claims.get(delivery.id) is not self:
            return False
        del self._store.claims[delivery.id]
        slice_state = delivery.slice_state
        if slice_state is SliceState.STORED and then is None:
            slice_state = SliceState.ANNOUNCED  # there is nobody to call
        self._set_slice_state(delivery, slice_state)
        if delivery.state is DeliveryState.DONE:
            del self._store.deliveries[delivery.id]
        else:
            self._put(delivery)
        if then is not None:
            self._add(then, business_id, delivery.lane, delivery.position, now_ms, delivery)
        if delivery.state not in HOLDS_LANE:
            self._release(delivery.lane, now_ms)
        return True

    async def add_event(
        self,
        event: CallbackEvent,
        *,
        business_id: str,
        lane: str,
        now_ms: int,
        kind: DeliveryKind = DeliveryKind.CALLBACK,
    ) -> None:
        """Put in a callback of an event other than a slice's, as the last in `lane`."""
        position = max((d.position + 1 for d in self._in_lane(lane)), default=0)
        self._add(event, business_id, lane, position, now_ms, None, kind)

    async def slice_of(self, delivery: Delivery) -> tuple[SliceTask, SliceRecord] | None:
        """Return what an upload brings to its bucket."""
        if delivery.slice is None or delivery.slice not in self._store.slices:
            return None
        return self._store.tasks[delivery.slice.run_id], self._store.slices[delivery.slice]

    async def find(self, delivery_id: int) -> Delivery | None:
        """Return a delivery that is in the outbox."""
        return self._store.deliveries.get(delivery_id)

    async def page(self, *, dead: bool | None, after_id: int, limit: int) -> list[Delivery]:
        """Return deliveries in order of their ids."""
        found = [
            delivery
            for number, delivery in sorted(self._store.deliveries.items())
            if number > after_id and dead in (None, delivery.state is DeliveryState.DEAD)
        ]
        return found[:limit]

    async def revive(self, delivery_id: int, *, now_ms: int) -> Delivery | None:
        """Begin another round of tries for a delivery that is dead or parked."""
        delivery = self._store.deliveries.get(delivery_id)
        if delivery is None or delivery_id in self._store.claims:
            return delivery
        try:
            revived = delivery.revived(now_ms=now_ms)
        except IllegalDeliveryEvent:
            return delivery
        self._set_slice_state(revived, revived.slice_state)
        if revived.kind is not DeliveryKind.UPLOAD and self._is_preceded(revived):
            revived = replace(revived, state=DeliveryState.HELD)
        self._put(revived)
        return revived

    async def awaited(self, spool_names: Iterable[str]) -> set[str]:
        """Return which of these names are of slices that are not stored yet."""
        records = self._store.slices.values()
        spooled = {r.spool_name for r in records if r.state is SliceState.SPOOLED}
        return spooled & set(spool_names)

    def _put(self, delivery: Delivery) -> None:
        self._store.deliveries[delivery.id] = delivery

    def _add(
        self,
        event: CallbackEvent,
        business_id: str,
        lane: str,
        position: int,
        now_ms: int,
        upload: Delivery | None,
        kind: DeliveryKind = DeliveryKind.CALLBACK,
    ) -> None:
        delivery = Delivery(
            id=next(self._store.delivery_ids),
            kind=kind,
            destination=event.app_id,
            lane=lane,
            position=position,
            state=DeliveryState.WAITING,
            due_at_ms=now_ms,
            created_at_ms=now_ms,
            slice=None if upload is None else upload.slice,
            spool_name="" if upload is None else upload.spool_name,
            event=event,
            business_id=business_id,
        )
        if self._is_preceded(delivery):
            delivery = replace(delivery, state=DeliveryState.HELD)
        self._put(delivery)

    def _in_lane(self, lane: str) -> list[Delivery]:
        return [
            delivery
            for delivery in self._store.deliveries.values()
            if delivery.lane == lane and delivery.state in HOLDS_LANE
        ]

    def _is_preceded(self, delivery: Delivery) -> bool:
        return any(d.position < delivery.position for d in self._in_lane(delivery.lane))

    def _release(self, lane: str, now_ms: int) -> None:
        first = min(self._in_lane(lane), key=lambda delivery: delivery.position, default=None)
        if first is not None and first.state is DeliveryState.HELD:
            self._put(replace(first, state=DeliveryState.WAITING, due_at_ms=now_ms))

    def _set_slice_state(self, delivery: Delivery, state: SliceState | None) -> None:
        name: SliceName | None = delivery.slice
        if name is not None and state is not None:
            self._store.slices[name] = replace(self._store.slices[name], state=state)
