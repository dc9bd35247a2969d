"""Where deliveries are kept until they are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from airslice.domain.callback import CallbackEvent
from airslice.domain.outbox import Delivery, DeliveryKind
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import SliceTask


class Queue(NamedTuple):
    """The deliveries of one kind to one destination that are waiting or parked."""

    kind: DeliveryKind
    destination: str
    due_at_ms: int
    """When the first of them is due: UTC, milliseconds since the Unix epoch."""


class Outbox(Protocol):
    """One server's access to the outbox, which may be shared.

    `TaskStore.add_slice` puts a slice's upload into it. A delivery is handed out to one server at a
    time: to whom it is claimed for, until the claim expires. Every method may raise StoreFailed.
    """

    async def recover(self, *, now_ms: int) -> int:
        """Void all claims, of servers that are gone; no other may share the outbox.

        Uploads are due at once.

        Returns:
            How many deliveries are on their way.
        """

    async def queues(self) -> list[Queue]:
        """Return what there is to hand out, whether it is due or not."""

    async def claim(
        self, queue: Queue, *, now_ms: int, until_ms: int, limit: int
    ) -> list[Delivery]:
        """Claim the deliveries of `queue` that are due at `now_ms`, the longest due first.

        Args:
            queue: Whose.
            now_ms: UTC, milliseconds since the Unix epoch, as is `until_ms`.
            until_ms: Until when nobody else gets them.
            limit: How many at most.
        """

    async def settle(
        self,
        delivery: Delivery,
        *,
        now_ms: int,
        then: CallbackEvent | None = None,
        business_id: str = "",
    ) -> bool:
        """Put a claimed delivery back as it is after a try, in one transaction with its effects.

        If it is done it leaves the outbox, and its slice is stored or announced. If it does not
        hold its lane any more, the next callback in the lane is released.

        Args:
            delivery: As it is now.
            now_ms: UTC, milliseconds since the Unix epoch.
            then: Event that announces the slice of an upload that is done, in the same lane and
                position; None: nobody is to be told.
            business_id: Of `then`.

        Returns:
            False if the claim was lost; nothing is changed.
        """

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

    async def slice_of(self, delivery: Delivery) -> tuple[SliceTask, SliceRecord] | None:
        """Return what an upload brings to its bucket."""

    async def find(self, delivery_id: int) -> Delivery | None:
        """Return a delivery that is in the outbox."""

    async def page(self, *, dead: bool | None, after_id: int, limit: int) -> list[Delivery]:
        """Return deliveries in order of their ids.

        Args:
            dead: Only the dead, only those on their way, or all of them.
            after_id: Only those with a higher id.
            limit: How many at most.
        """

    async def revive(self, delivery_id: int, *, now_ms: int) -> Delivery | None:
        """Begin another round of tries for a delivery that is dead or parked.

        Returns:
            It as it is now; one in another state is unchanged. None if there is none.
        """

    async def awaited(self, spool_names: Iterable[str]) -> set[str]:
        """Return which of these names are of slices that are not stored yet."""
