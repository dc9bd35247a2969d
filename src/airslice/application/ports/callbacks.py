"""How an application's owner is told of an event."""

from __future__ import annotations

from typing import Protocol

from airslice.domain.callback import CallbackEvent, CallbackReceiver
from airslice.domain.outbox import Outcome


class CallbackSender(Protocol):
    """Tells an application's owner of an event."""

    async def send(self, event: CallbackEvent, receiver: CallbackReceiver) -> Outcome:
        """Post a callback, once; made if the receiver took it (HTTP 200 within 5 s)."""
