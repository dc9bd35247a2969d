from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from airslice.engines.embedded import EmbeddedEngine
from tests.support.stages.observers import RecordingSink, SystemClock


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
async def engine(clock: SystemClock) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(("127.0.0.1", 0), [], clock, max_sessions=20)
    await engine.start()
    yield engine
    await engine.close()
