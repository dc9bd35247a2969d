"""Files in the spool that no record speaks of."""

from __future__ import annotations

import asyncio
import logging

from airslice.application.ports.outbox import Outbox
from airslice.application.ports.storage import Spool

_log = logging.getLogger(__name__)

KEEP_MS = 3 * 24 * 3_600_000
"""How long a file that nobody waits for is kept, for whoever wants to look at it."""

_BATCH = 1_000


async def clean_spool(spool: Spool, outbox: Outbox, *, now_ms: int) -> int:
    """Remove files that no slice waits in, once they are `KEEP_MS` old; name the others in the log.

    A server that dies right after it has stored a slice leaves its file; so does one that dies
    right before it has recorded one, whose audio the journal has too. Called at the start, after
    the journal was replayed and before anything is cut.

    Returns:
        How many such files there were.
    """
    entries = await asyncio.to_thread(spool.entries)
    left_over = 0
    for start in range(0, len(entries), _BATCH):
        batch = entries[start : start + _BATCH]
        awaited = await outbox.awaited([entry.name for entry in batch])
        for entry in batch:
            if entry.name in awaited:
                continue
            left_over += 1
            if now_ms - entry.modified_at_ms >= KEEP_MS:
                await asyncio.to_thread(spool.remove, entry.name)
                _log.warning("no slice waits in %s: removed", entry.name)
            else:
                _log.warning("no slice waits in %s, %d bytes: kept", entry.name, entry.size_bytes)
    return left_over
