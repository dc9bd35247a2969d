"""How tasks begin, change and end, with somebody on air."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.support.audio.slice_audio import beeps
from tests.support.clients.rtp_publisher import opus_loop
from tests.support.clients.slicing_client import OrderedTask, SlicingClient
from tests.support.server.callback_sink import CallbackSink
from tests.support.server.running_server import AUTO
from tests.support.stages.publishing_stage import PublishingStage
from tests.support.waiting import PATIENCE_S, until

ENDED = 3
LATE_MS = 10_000
"""By how much a busy machine may be late; the next time-out after that is of 30 s."""
LOOP = opus_loop(beeps(1.0))


async def test_a_user_is_sliced_by_himself_for_his_stay(
    client: SlicingClient, sink: CallbackSink, stage: PublishingStage
) -> None:
    app_id = stage.server.apps[AUTO].app_id
    key = {"AppId": app_id, "RoomId": "automatic", "TaskId": "alice"}
    task = OrderedTask(client=client, sink=sink, server=stage.server, key=key)

    publisher = await stage.publish(LOOP, room="automatic", user="alice", kind=AUTO)
    await task.wait_for(1)
    await stage.leave(publisher)
    state = await ended(task)
    await until(lambda: task.slices()[-1].duration_ms < 2_000)  # the last one

    assert state["StopReason"] == "UserDisconnect"
    assert state["Duration"] == 2
    assert {announced.user for announced in task.slices()} == {"alice"}
    assert len(task.slices()) >= 2
    assert [announced.index for announced in task.slices()] == [*range(len(task.slices()))]


async def test_a_task_without_a_publisher_ends_after_its_idle_time(
    order: Any, stage: PublishingStage
) -> None:
    never = await order(room="never", MaxIdleTime=2)
    left = await order(room="left", MaxIdleTime=2)
    publisher = await stage.publish(LOOP, room="left", user="u")
    await left.wait_for(1)
    await stage.leave(publisher)
    left_ms = time.time() * 1000

    states = await asyncio.gather(ended(never), ended(left))

    assert [state["StopReason"] for state in states] == ["IdleTimeOut"] * 2
    assert 2_000 <= states[0]["EndTime"] - states[0]["StartTime"] <= 2_000 + LATE_MS
    assert 1_000 <= states[1]["EndTime"] - left_ms <= 2_000 + LATE_MS


async def test_a_task_on_hold_slices_from_the_update_on(order: Any, stage: PublishingStage) -> None:
    aligned = await order(room="hold", task="aligned", Handle=False, Control={"Align": True})
    loose = await order(room="hold", task="loose", Handle=False)
    await stage.publish(LOOP, room="hold", user="u")
    await asyncio.sleep(2.5)  # more than a period, in which nothing may be sliced
    assert not aligned.slices()
    assert not loose.slices()

    released_ms = time.time() * 1000
    await asyncio.gather(aligned.update(Handle=True), loose.update(Handle=True))
    answered_ms = time.time() * 1000

    for task in (aligned, loose):
        (first, *_) = await task.wait_for(1)
        assert first.index == 0
        assert released_ms - 500 <= first.start_ms <= answered_ms + 500
    assert first.duration_ms == 2_000

    await asyncio.gather(aligned.update(Handle=False), loose.update(Handle=False))
    assert not (await aligned.state())["Handle"]
    held_ms = time.time() * 1000
    await asyncio.sleep(2.5)
    assert all(a.end_ms < held_ms + 500 for a in [*aligned.slices(), *loose.slices()])


async def test_a_new_duration_cuts_at_once(order: Any, stage: PublishingStage) -> None:
    aligned = await order(room="cut", task="aligned", Duration=60, Control={"Align": True})
    loose = await order(room="cut", task="loose", Duration=60)
    begun_ms = time.time() * 1000
    await stage.publish(LOOP, room="cut", user="u")
    await asyncio.sleep(1.5)  # something to cut

    updated_ms = time.time() * 1000
    await asyncio.gather(aligned.update(Duration=1), loose.update(Duration=1, Identifier="new"))
    answered_ms = time.time() * 1000

    for task in (aligned, loose):
        cut, *following = await task.wait_for(3)
        assert 500 < cut.duration_ms < answered_ms - begun_ms + 500
        assert updated_ms - 500 <= cut.end_ms <= answered_ms + 500
        assert {announced.duration_ms for announced in following} == {1_000}
        assert following[0].start_ms == pytest.approx(cut.end_ms, abs=2)
        assert (await task.state())["Duration"] == 1
    assert not loose.slices()[0].key.startswith("new_u_")
    assert loose.slices()[1].key.startswith("new_u_")


async def test_a_task_id_is_used_again(order: Any, stage: PublishingStage) -> None:
    await stage.publish(LOOP, room="again", user="u")
    task = await order(room="again", Duration=1, Identifier="former")
    await task.wait_for(2)
    former = await task.stop()
    assert (await ended(task))["StopReason"] == "StopByAPI"

    await order(room="again", Duration=1, Identifier="latter")
    await task.wait_for(len(former) + 2)
    every = await task.stop()

    assert [announced.index for announced in every[: len(former)]] == [*range(len(former))]
    assert [announced.index for announced in every[len(former) :]] == [
        *range(len(every) - len(former))
    ]
    assert (await task.state())["Identifier"] == "latter"


async def ended(task: OrderedTask) -> dict[str, Any]:
    """Wait until the task has ended; return how."""
    async with asyncio.timeout(PATIENCE_S):
        while (state := await task.state())["Status"] != ENDED:
            await asyncio.sleep(0.1)
    return state
