from __future__ import annotations

from dataclasses import replace

import pytest

from airslice.application.delivery.deliveries import Deliveries
from airslice.domain.errors import DeliveryNotFound
from airslice.domain.outbox import Delivery, DeliveryKind, DeliveryState
from tests.support.stages.stage import Stage
from tests.support.values.values import an_event

COUNT = 1_203
"""More than are looked at in one go."""


@pytest.fixture
def deliveries(stage: Stage) -> Deliveries:
    return Deliveries(stage.outbox, stage.courier)


async def put(stage: Stage, *states: DeliveryState) -> list[Delivery]:
    for number, _ in enumerate(states):
        await stage.outbox.add_event(
            an_event(f"event-{number}"), business_id="", lane=f"lane-{number}", now_ms=1
        )
    before = list(stage.store.deliveries.values())
    for delivery, state in zip(before, states, strict=True):
        stage.store.deliveries[delivery.id] = replace(delivery, state=state, attempts=3)
    return list(stage.store.deliveries.values())


async def test_deliveries_are_found_by_their_ids(stage: Stage, deliveries: Deliveries) -> None:
    waiting, dead = await put(stage, DeliveryState.WAITING, DeliveryState.DEAD)

    assert await deliveries.find(dead.id) == dead
    assert await deliveries.page(dead=None, after_id=0, limit=10) == [waiting, dead]
    assert await deliveries.page(dead=True, after_id=0, limit=10) == [dead]
    assert await deliveries.page(dead=None, after_id=waiting.id, limit=10) == [dead]
    for ask in (deliveries.find, deliveries.retry):
        with pytest.raises(DeliveryNotFound, match="there is no delivery 99"):
            await ask(99)


async def test_a_dead_delivery_is_on_its_way_again(stage: Stage, deliveries: Deliveries) -> None:
    (dead,) = await put(stage, DeliveryState.DEAD)

    after = await deliveries.retry(dead.id)

    assert after.state is DeliveryState.WAITING
    assert after.due_at_ms == stage.courier.now_ms()
    assert stage.courier.waiting == 1


async def test_a_delivery_that_waits_is_not_counted_twice(
    stage: Stage, deliveries: Deliveries
) -> None:
    (waiting,) = await put(stage, DeliveryState.WAITING)

    assert await deliveries.retry(waiting.id) == waiting
    assert stage.courier.waiting == 0


async def test_all_that_are_dead_are_retried_and_counted(
    stage: Stage, deliveries: Deliveries
) -> None:
    await put(stage, DeliveryState.WAITING, *[DeliveryState.DEAD] * COUNT)

    assert await deliveries.retry_dead() == COUNT
    assert await deliveries.retry_dead() == 0
    assert stage.courier.waiting == COUNT
    assert {d.kind for d in stage.store.deliveries.values()} == {DeliveryKind.CALLBACK}
