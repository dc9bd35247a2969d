"""Volcengine's façade over use cases in memory."""

from __future__ import annotations

from typing import Literal

from airslice.application.ports.clock import Clock
from airslice.facades.volcengine.facade import VolcengineFacade
from tests.support.stages.callback_settings import settings_in_memory
from tests.support.stages.in_memory_tasks import InMemorySliceTasks
from tests.support.stages.recording_moderation import RecordingModeration
from tests.support.values.wire_accounts import ACCOUNTS, OWNERS


class VolcengineStage:
    """A façade, and what stands behind it."""

    def __init__(self, clock: Clock, *, redundant_duration_unit: Literal["s", "ms"] = "s") -> None:
        self.tasks = InMemorySliceTasks(OWNERS, clock)
        self.moderation = RecordingModeration(OWNERS)
        self.callbacks = settings_in_memory(OWNERS, clock)
        self.facade = VolcengineFacade(
            accounts=ACCOUNTS,
            tasks=self.tasks,
            moderation=self.moderation,
            callbacks=self.callbacks,
            clock=clock,
            redundant_duration_unit=redundant_duration_unit,
        )
