"""Tell the owners of live jobs of their events, through the outbox."""

from __future__ import annotations

import uuid
from typing import Protocol

from airslice.application.delivery.courier import Courier
from airslice.application.ports.live import LiveJobStore
from airslice.application.ports.outbox import Outbox
from airslice.domain.callback import CallbackEvent
from airslice.domain.live_callback import LiveCallback, LiveEventKind
from airslice.domain.live_job import LiveJob
from airslice.domain.outbox import Delivery, DeliveryKind, Gone, Made, Outcome

VERSION = "v1"


class LiveEventSender(Protocol):
    """Posts the events of live jobs."""

    async def send(self, event: CallbackEvent, callback: LiveCallback) -> Outcome:
        """Post an event, once; made if the receiver took it (a status of 2xx within 5 s)."""


class LiveEventPost:
    """Carries the events of live jobs (port `Carrier`)."""

    def __init__(self, jobs: LiveJobStore, sender: LiveEventSender) -> None:
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
        if job.callback is None or LiveEventKind(event.event_type) not in job.callback.events:
            return Made()
        return await self._sender.send(event, job.callback)

    async def settled(self, delivery: Delivery) -> None:
        """There is nothing left to do."""


class LiveAnnouncements:
    """Puts the events of live jobs into the outbox (port `broadcast.LiveEvents`)."""

    def __init__(self, outbox: Outbox, courier: Courier) -> None:
        self._outbox = outbox
        self._courier = courier

    async def announce(self, job: LiveJob, kind: LiveEventKind, message: str) -> None:
        """Let a job's owner be told of an event, if he subscribes to it.

        Args:
            job: Its events are told in the order of these calls, which must not overlap for that.
            kind: Of the event.
            message: The facts, as JSON text.

        Returns:
            Once the event is on the disk.
        """
        if job.callback is None or not job.callback.url or kind not in job.callback.events:
            return
        now_ms = self._courier.now_ms()
        event = CallbackEvent(
            event_type=kind.value,
            event_id=str(uuid.uuid4()),
            app_id=job.project_id,
            version=VERSION,
            time_ms=now_ms,
            data=message,
        )
        await self._outbox.add_event(
            event,
            kind=DeliveryKind.LIVE_EVENT,
            business_id=job.job_id,
            lane=f"live/{job.job_id}",
            now_ms=now_ms,
        )
        self._courier.expect()
