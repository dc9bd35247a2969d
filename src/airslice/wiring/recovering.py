"""Take up what the last server left."""

from __future__ import annotations

import logging

from airslice.application.tasks.recovery import Recovery
from airslice.application.tasks.spool_cleaning import clean_spool
from airslice.wiring.parts import Parts

_log = logging.getLogger(__name__)


async def recover(parts: Parts) -> None:
    """Finish slices, go on with tasks, deliver what is left, miss the users who are gone."""
    storage, delivery = parts.storage, parts.delivery
    await _finish_slices(parts)
    await parts.slicing.tasks.recover()
    now_ms = parts.given.wall_clock.utc_ms()
    await clean_spool(storage.spool, delivery.outbox, now_ms=now_ms)
    await delivery.courier.start()
    await parts.media.room_events.recover()


async def _finish_slices(parts: Parts) -> None:
    """Make the slices that were open or being written when the last server died."""
    recorder = parts.slicing.recorder
    recovery = Recovery(
        store=parts.storage.tasks, decoders=parts.slicing.decoders, tools=parts.slicing.tools
    )
    for journal in parts.storage.past:
        if journal.unsettled:
            _log.warning("%d slices were interrupted; they are finished", len(journal.unsettled))
        for run_id in await recovery.recover(journal):
            await recorder.recorded(run_id)
        journal.forget()
