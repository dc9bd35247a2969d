"""Callbacks that go nowhere, for tests and trials."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from airslice.domain.callback import CallbackEvent, CallbackReceiver
from airslice.domain.outbox import Made, Outcome


class RecordingCallbackSender:
    """A CallbackSender that keeps what it was to send.

    Args:
        answers: What comes of the next tries, in order; after them every try succeeds.
    """

    def __init__(self, answers: Iterable[Outcome] = ()) -> None:
        self.sent: list[CallbackEvent] = []
        """Every try, refused ones included."""
        self.answers = deque(answers)

    async def send(self, event: CallbackEvent, receiver: CallbackReceiver) -> Outcome:
        """Keep the event of one callback; return the next answer."""
        del receiver
        self.sent.append(event)
        return self.answers.popleft() if self.answers else Made()
