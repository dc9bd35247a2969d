"""Tell the owners of live jobs of their events, through the outbox.

How an event is written belongs to delivery; what players are told, to `player_notices`.
"""

from __future__ import annotations

import uuid
from typing import Protocol

from airslice.application.delivery.courier import Courier
from airslice.application.ports.live import LiveJobStore
from airslice.application.ports.outbox import Outbox
from airslice.domain.callback import CallbackEvent
from airslice.domain.live_job import LiveJob
from airslice.domain.outbox import Delivery, DeliveryKind, Gone, Made, Outcome
from airslice.domain.owner_event import LiveCallback, OwnerEventKind, ParagraphBegan


class OwnerEventSender(Protocol):
    """Posts the events of live jobs."""

    async def send(self, event: CallbackEvent, callback: LiveCallback) -> Outcome:
        """Post an event, once; made if the receiver took it (a status of 2xx within 5 s)."""


class OwnerEventPost:
    """Carries the events of live jobs (port `Carrier`)."""

    def __init__(self, jobs: LiveJobStore, sender: OwnerEventSender) -> None:
        self._jobs = jobs
        self._sender = sender

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Post once, to where the job says now; nobody is told as well as can be."""
        event = delivery.event
        if event is None:
            return Gone(reason="it has no event")
        job = await self._jobs.find_job(event.app_id, delivery.business_id)
        if job is None:
            return Gone(reason="its job is not known any more")
        if job.callback is None or OwnerEventKind(event.event_type) not in job.callback.events:
            return Made()
        return await self._sender.send(event, job.callback)

    async def settled(self, delivery: Delivery) -> None:
        """There is nothing left to do."""


class EventOf(Protocol):
    """Writes events of live jobs as they are posted."""

    def __call__(
        self, job: LiveJob, event: ParagraphBegan, *, event_id: str, at_ms: int
    ) -> CallbackEvent:
        """Return the callback that tells of `event`, which happened at `at_ms` (UTC)."""


class OwnerAnnouncements:
    """Puts the events of live jobs into the outbox (port `broadcast.OwnerEvents`)."""

    def __init__(self, outbox: Outbox, courier: Courier, event_of: EventOf) -> None:
        self._outbox = outbox
        self._courier = courier
        self._event_of = event_of

    async def announce(self, job: LiveJob, event: ParagraphBegan) -> None:
        """Let a job's owner be told of an event, if he subscribes to it.

        Args:
            job: Its events are told in the order of these calls, which must not overlap for that.
            event: What happened.

        Returns:
            Once the event is on the disk.
        """
        callback = job.callback
        if callback is None or not callback.url or event.kind not in callback.events:
            return
        now_ms = self._courier.now_ms()
        await self._outbox.add_event(
            self._event_of(job, event, event_id=str(uuid.uuid4()), at_ms=now_ms),
            kind=DeliveryKind.LIVE_EVENT,
            business_id=job.job_id,
            lane=f"live/{job.job_id}",
            now_ms=now_ms,
        )
        self._courier.expect()
