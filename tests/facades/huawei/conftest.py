"""A façade over the use cases in memory, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from airslice.facades.huawei.facade import HuaweiFacade
from tests.support.clients.huawei_client import HuaweiClient
from tests.support.stages.smart_live_stage import SmartLiveStage


@pytest.fixture
def live() -> SmartLiveStage:
    return SmartLiveStage()


@pytest.fixture
def facade(live: SmartLiveStage) -> HuaweiFacade:
    return live.facade


@pytest_asyncio.fixture
async def client(facade: HuaweiFacade, live: SmartLiveStage) -> AsyncIterator[HuaweiClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(facade)) as http:
        yield HuaweiClient(http=http, clock=live.clock)
