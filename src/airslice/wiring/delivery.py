"""What leaves the server: slices on their way to storage, callbacks to their receivers."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from airslice.application.broadcast.owner_events import OwnerEventPost
from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.delivery.callbacks import CallbackPost
from airslice.application.delivery.courier import Carrier, Courier
from airslice.application.delivery.uploads import SliceUpload
from airslice.delivery.destination import validate_url
from airslice.delivery.huawei.owner_event_sender import HttpOwnerEventSender
from airslice.delivery.volcengine.callback_sender import HttpCallbackSender
from airslice.delivery.volcengine.segment_event import segment_event
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import DeliveryKind
from airslice.persistence.sqlite.callback_settings import SqliteCallbackSettings
from airslice.persistence.sqlite.outbox import SqliteOutbox
from airslice.wiring.environment import Environment
from airslice.wiring.storage import StorageServices


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryServices:
    """The outbox, and the courier that empties it."""

    address_rule: AddressRule
    callbacks: CallbackSettings
    outbox: SqliteOutbox
    courier: Courier
    """Makes no deliveries until it is started."""


@contextlib.asynccontextmanager
async def open_delivery(
    environment: Environment, storage: StorageServices
) -> AsyncIterator[DeliveryServices]:
    """Make everything ready to deliver; at the end, stop delivering."""
    clock, database = environment.clock, storage.tasks.database
    rule = AddressRule(environment.settings.security.private_networks)
    async with AsyncExitStack() as stack:
        sender = HttpCallbackSender(clock, rule)
        stack.push_async_callback(sender.close)
        event_sender = HttpOwnerEventSender(clock, rule)
        stack.push_async_callback(event_sender.close)
        callbacks = CallbackSettings(
            apps=environment.apps,
            store=SqliteCallbackSettings(database),
            check_url=partial(validate_url, rule=rule),
            wall_clock=environment.wall_clock,
        )
        outbox = SqliteOutbox(database)
        carriers: dict[DeliveryKind, Carrier] = {
            DeliveryKind.UPLOAD: _upload(storage, outbox, callbacks),
            DeliveryKind.CALLBACK: CallbackPost(callbacks, sender),
            DeliveryKind.LIVE_EVENT: OwnerEventPost(storage.live_jobs, event_sender),
        }
        courier = Courier(outbox, carriers, clock=clock, sleep=asyncio.sleep, chance=random.random)
        stack.push_async_callback(courier.close)
        yield DeliveryServices(
            address_rule=rule, callbacks=callbacks, outbox=outbox, courier=courier
        )


def _upload(
    storage: StorageServices, outbox: SqliteOutbox, callbacks: CallbackSettings
) -> SliceUpload:
    return SliceUpload(
        outbox=outbox,
        objects=storage.buckets,
        storage_health=storage.health,
        spool=storage.spool,
        settings=callbacks,
        event_of=segment_event,
    )
