"""A façade over use cases in memory, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from airslice.facades.volcengine.facade import VolcengineFacade
from tests.support.clients.wire_client import WireClient
from tests.support.clock import HandClock
from tests.support.stages.in_memory_tasks import InMemorySliceTasks
from tests.support.stages.recording_moderation import RecordingModeration
from tests.support.stages.volcengine_stage import VolcengineStage


@pytest.fixture
def clock() -> HandClock:
    return HandClock(utc_ms=1_677_477_732_000)


@pytest.fixture
def stage(clock: HandClock) -> VolcengineStage:
    return VolcengineStage(clock)


@pytest.fixture
def tasks(stage: VolcengineStage) -> InMemorySliceTasks:
    return stage.tasks


@pytest.fixture
def moderation(stage: VolcengineStage) -> RecordingModeration:
    return stage.moderation


@pytest.fixture
def facade(stage: VolcengineStage) -> VolcengineFacade:
    return stage.facade


@pytest.fixture
async def wire(facade: VolcengineFacade, clock: HandClock) -> AsyncIterator[WireClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(facade)) as http:
        yield WireClient(http=http, clock=clock)
