from __future__ import annotations

import asyncio

import pytest

from airslice.application import slice_delivery
from airslice.domain.slice_record import SliceState
from tests.application.stage import ACCOUNT, APP, Stage


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are a rule of the domain, tested there; here they are skipped."""
    monkeypatch.setattr(slice_delivery, "RETRY_PAUSES_S", (0.001,))
    monkeypatch.setattr(
        slice_delivery, "next_delay_s", lambda failed_tries: 0.001 if failed_tries < 3 else None
    )


async def states(stage: Stage) -> list[SliceState]:
    rows = await stage.store.room_slices(APP.app_id, "room", limit=100)
    return [record.state for _, record in sorted(rows, key=lambda row: row[1].index)]


async def test_a_callback_comes_only_after_its_object_is_stored(stage: Stage) -> None:
    stage.objects.is_down = True
    await stage.tasks.start(ACCOUNT, stage.order())
    stage.run(2.5, [stage.join("ann")])
    async with asyncio.timeout(10):
        while stage.delivery.failed_tries < 3:
            await asyncio.sleep(0.001)
    assert not stage.sender.sent

    stage.objects.is_down = False
    await stage.settle()

    assert [s.index for s in stage.stored("ann")] == [0, 1]


async def test_a_stored_slice_leaves_the_spool(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    stage.run(1.5, [stage.join("ann")])
    await stage.settle()

    left = [path.name for path in stage.spool.path_of("x").parent.iterdir()]

    assert all(name.endswith(".part") for name in left)


async def test_callbacks_of_a_stream_keep_their_order_over_retries(stage: Stage) -> None:
    stage.sender._answers.extend([False, False, True, False])
    await stage.tasks.start(ACCOUNT, stage.order())

    stage.run(3.5, [stage.join("ann")])
    await stage.settle()

    tried = [s.index for s in stage.stored("ann")]
    assert tried == [0, 0, 0, 1, 1, 2]
    assert len({event.event_id for event in stage.sender.sent[:3]}) == 1


async def test_a_callback_is_given_up_after_three_tries(stage: Stage) -> None:
    stage.sender._answers.extend([False, False, False])
    await stage.tasks.start(ACCOUNT, stage.order())

    stage.run(2.5, [stage.join("ann")])
    await stage.settle()

    assert await states(stage) == [SliceState.GIVEN_UP, SliceState.ANNOUNCED]


async def test_what_was_on_its_way_is_delivered_after_a_restart(stage: Stage) -> None:
    stage.objects.is_down = True
    await stage.tasks.start(ACCOUNT, stage.order())
    stage.run(3.5, [stage.join("ann")])
    await stage.tasks.suspend()
    await stage.delivery.close()
    assert not stage.sender.sent

    stage.objects.is_down = False
    stage.boot()
    await stage.delivery.resume()
    await stage.settle()

    assert [s.index for s in stage.stored("ann")] == [0, 1, 2, 3]


async def test_a_lane_that_fails_does_not_hold_up_the_others(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    ann, bob = stage.join("ann"), stage.join("bob")
    stage.sender._answers.extend([False] * 3)
    stage.run(2.5, [ann, bob])
    await stage.settle()

    assert len({s.user for s in stage.stored()}) == 2
