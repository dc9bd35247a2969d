from __future__ import annotations

import asyncio
from dataclasses import replace

from airslice.domain.callback import SEGMENT_EVENT
from airslice.domain.outbox import DeliveryKind
from airslice.wiring.backend import Backend
from tests.support.values.values import an_event


async def test_nothing_is_delivered_before_the_courier_is_started(backend: Backend) -> None:
    delivery = backend.delivery
    (app_id,) = backend.environment.apps
    event = replace(an_event(), app_id=app_id)
    await delivery.outbox.add_event(event, business_id="", lane="lane", now_ms=1)

    (waiting,) = await delivery.outbox.page(dead=None, after_id=0, limit=10)
    assert (waiting.kind, waiting.attempts) == (DeliveryKind.CALLBACK, 0)
    assert delivery.courier.waiting == delivery.courier.under_way == 0

    await delivery.courier.start()  # nobody is to be told, so it is done at once

    async with asyncio.timeout(10):
        while delivery.courier.waiting:
            await asyncio.sleep(0.001)
    assert await delivery.outbox.page(dead=None, after_id=0, limit=10) == []
    assert delivery.courier.made == {DeliveryKind.CALLBACK: 1}
    assert await delivery.callbacks.receiver(app_id, "", SEGMENT_EVENT) is None
