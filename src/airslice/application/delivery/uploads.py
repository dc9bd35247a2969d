"""Carry slices from the spool to their buckets; the tries themselves are the courier's."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.delivery.storage_health import StorageHealth
from airslice.application.ports.outbox import Outbox
from airslice.application.ports.storage import ObjectStore, Spool
from airslice.domain.apps import SliceFormat
from airslice.domain.callback import CallbackEvent
from airslice.domain.errors import StoreFailed, StoreRefused
from airslice.domain.outbox import Delivery, Failed, Gone, Made, Outcome
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import SliceTask

_log = logging.getLogger(__name__)

TRUSTING_TRIES = 3
"""Tries in vain before the file is looked at: nearly always it is the store's fault."""

UPLOAD_TIMEOUT_S = 300
"""How long one upload may take; a bucket that hangs takes up capacity no longer."""


class SliceUpload:
    """Uploads slices (port `Carrier`)."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        objects: ObjectStore,
        storage_health: StorageHealth,
        spool: Spool,
        settings: CallbackSettings,
        event_of: Callable[[SliceTask, SliceRecord], CallbackEvent],
    ) -> None:
        """Upload nothing before `attempt`; `event_of` makes the event that announces a slice."""
        self._outbox = outbox
        self._objects = objects
        self._health = storage_health
        self._spool = spool
        self._settings = settings
        self._event_of = event_of

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Upload once; a success is followed by a callback, if somebody is to be told."""
        found = await self._outbox.slice_of(delivery)
        if found is None:
            return Gone(reason="its slice is not in the records")
        task, record = found
        source = self._spool.path_of(record.spool_name)
        if not await asyncio.to_thread(source.exists):
            return Gone(reason="its file is not in the spool")
        try:
            async with asyncio.timeout(UPLOAD_TIMEOUT_S):
                await self._objects.put(
                    task.order.storage,
                    record.object_key,
                    source,
                    content_type=SliceFormat.of_file(record.object_key).content_type,
                    sha256=record.sha256,
                    metadata={
                        "room-id": task.key.room_id,
                        "user-id": record.stream.user_id,
                        "start-ms": str(record.start_ms),
                        "duration-ms": str(record.duration_ms),
                    },
                )
        except TimeoutError:
            return Failed(reason=f"not stored within {UPLOAD_TIMEOUT_S} s")
        except StoreFailed as error:
            if isinstance(error, StoreRefused):
                self._health.refused(task.order.storage, str(error))
            if delivery.attempts >= TRUSTING_TRIES and await _is_damaged(source, record.sha256):
                return Gone(reason="its file was damaged")
            return Failed(reason=str(error))
        self._health.accepted(task.order.storage)
        event = self._event_of(task, record)
        business_id = task.order.business_id
        receiver = await self._settings.receiver(event.app_id, business_id, event.event_type)
        return Made() if receiver is None else Made(then=event, business_id=business_id)

    async def settled(self, delivery: Delivery) -> None:
        """Remove the file of a slice that is stored."""
        try:
            await asyncio.to_thread(self._spool.remove, delivery.spool_name)
        except OSError as error:  # it is found at the next start
            _log.warning("%s stays in the spool: %s", delivery.spool_name, error)


async def _is_damaged(path: Path, sha256: str) -> bool:
    """Whether a file can be read and is not what it was."""

    def digest() -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    try:
        return await asyncio.to_thread(digest) != sha256
    except OSError:
        return False
