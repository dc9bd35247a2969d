"""Callbacks that go nowhere, for tests and trials."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from airslice.delivery.segment_event import segment_event
from airslice.domain.apps import RtcApp
from airslice.domain.callback import CallbackEvent
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import SliceTask


class RecordingCallbackSender:
    """A CallbackSender that keeps what it was to send.

    Args:
        answers: What the next tries return, in order; after them every try succeeds.
    """

    def __init__(self, answers: Iterable[bool] = ()) -> None:
        self.sent: list[CallbackEvent] = []
        """Every try, refused ones included."""
        self._answers = deque(answers)

    async def send(self, app: RtcApp, task: SliceTask, record: SliceRecord) -> bool:
        """Keep the event of one callback; return the next answer."""
        if app.callback_url is None:
            return True
        self.sent.append(segment_event(task, record))
        return self._answers.popleft() if self._answers else True
