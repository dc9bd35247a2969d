from __future__ import annotations

import asyncio

import pytest

from airslice.application.tasks.history import keep_history
from airslice.application.wall_clock import WallClock
from airslice.domain.slice_task import HISTORY_MS
from tests.support.stages.stage import ACCOUNT, Stage


async def test_tasks_are_forgotten_72_hours_after_their_end(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    (run,) = stage.tasks.runs
    stage.run(1.5, [stage.join("ann")])
    await stage.tasks.stop(ACCOUNT, stage.order().key)
    await stage.settle()
    hours: list[bool] = []

    async def pass_an_hour(seconds: float) -> None:
        hours.append(await stage.store.find_run(run.task.run_id) is not None)
        stage.clock.now_ns += round(seconds * 1e9)
        if len(hours) > HISTORY_MS // 3_600_000 + 1:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await keep_history(stage.store, WallClock(stage.clock), pass_an_hour)

    assert hours == [True] * 73 + [False]
