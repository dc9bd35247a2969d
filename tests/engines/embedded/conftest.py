from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from aiortc import RTCPeerConnection

from airslice.engines.embedded import EmbeddedEngine
from tests.support.clients.raw_publisher import RawPublisher
from tests.support.clock import PushedClock
from tests.support.stages.observers import RecordingSink


@pytest.fixture
def peer() -> Iterator[RawPublisher]:
    with RawPublisher() as peer:
        yield peer


@pytest.fixture
async def connection() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection()
    yield connection
    await connection.close()


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


@pytest.fixture
def clock() -> PushedClock:
    return PushedClock()


@pytest.fixture
async def engine(clock: PushedClock) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(("127.0.0.1", 0), [], clock, max_sessions=20)
    await engine.start()
    yield engine
    await engine.close()
