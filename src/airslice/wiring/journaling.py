"""The journal of this server, and what the journals of those that died are good for."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from airslice.application.journal import Journal, NoJournal, PastJournal
from airslice.application.ports import Clock, OpusDecoders
from airslice.application.recovery import Recovery
from airslice.application.slice_recorder import SliceRecorder
from airslice.config import Settings
from airslice.persistence.sqlite import SqliteTaskStore
from airslice.storage.journal import DiskJournal
from airslice.storage.spool import DiskSpool

_log = logging.getLogger(__name__)

MAX_JOURNAL_BYTES = 4 * 1024**3
"""600 s, the longest slice, of 1,000 streams at 32 kbit/s."""


@contextlib.asynccontextmanager
async def journal_of(settings: Settings, clock: Clock) -> AsyncIterator[Journal]:
    """Keep a journal if the configuration wants one."""
    if not settings.server.journal:
        yield NoJournal()
        return
    journal = DiskJournal(settings.server.data_dir / "journal", clock, MAX_JOURNAL_BYTES)
    journal.start()
    try:
        yield journal
    finally:
        await journal.close()


async def finish_interrupted(
    past: Sequence[PastJournal],
    store: SqliteTaskStore,
    spool: DiskSpool,
    recorder: SliceRecorder,
    decoders: OpusDecoders,
    settings: Settings,
) -> None:
    """Make the slices that were open or being written when the last server died."""
    recovery = Recovery(
        store=store,
        spool=spool,
        decoders=decoders,
        silence_dbfs=settings.slicing.silence_dbfs,
        on_cut=recorder.accept,
    )
    for journal in past:
        if journal.unsettled:
            _log.warning("%d slices were interrupted; they are finished", len(journal.unsettled))
        for run_id in await recovery.recover(journal):
            await recorder.recorded(run_id)
        journal.forget()
