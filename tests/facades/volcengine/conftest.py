"""A façade over stand-ins, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from airslice.facades.volcengine import VolcengineFacade
from tests.support.clients.wire_client import WireClient
from tests.support.clock import HandClock
from tests.support.stages.callback_settings import settings_in_memory
from tests.support.stages.in_memory_tasks import InMemorySliceTasks
from tests.support.stages.recording_moderation import RecordingModeration
from tests.support.values.wire_accounts import ACCOUNTS, OWNERS


@pytest.fixture
def clock() -> HandClock:
    return HandClock(utc_ms=1_677_477_732_000)


@pytest.fixture
def tasks(clock: HandClock) -> InMemorySliceTasks:
    return InMemorySliceTasks(OWNERS, clock)


@pytest.fixture
def moderation() -> RecordingModeration:
    return RecordingModeration(OWNERS)


@pytest.fixture
def facade(
    tasks: InMemorySliceTasks, moderation: RecordingModeration, clock: HandClock
) -> VolcengineFacade:
    return VolcengineFacade(
        accounts=ACCOUNTS,
        tasks=tasks,
        moderation=moderation,
        callbacks=settings_in_memory(OWNERS, clock),
        clock=clock,
    )


@pytest.fixture
async def wire(facade: VolcengineFacade, clock: HandClock) -> AsyncIterator[WireClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(facade)) as http:
        yield WireClient(http=http, clock=clock)
