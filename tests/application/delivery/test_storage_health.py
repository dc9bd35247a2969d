from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from airslice.application.delivery import storage_health
from airslice.application.delivery.storage_health import (
    MAX_PROBES,
    MAX_TARGETS,
    PROBE_MEMORY_NS,
    StorageHealth,
)
from airslice.domain.errors import StoreFailed, StoreRefused
from airslice.domain.slice_task import SliceTask, StopReason, TaskChange, TaskState
from airslice.domain.storage_target import StorageTarget
from tests.support.stages.stage import ACCOUNT, TARGET, HandClock, Stage

REFUSAL = StoreRefused("bucket 'bucket': there is no such bucket")


class Bucket:
    """Answers probes as it is told (port `StorageProbe`)."""

    def __init__(self) -> None:
        self.asked: list[StorageTarget] = []
        self.failure: Exception | None = None
        self.hangs = False

    async def check(self, target: StorageTarget) -> None:
        self.asked.append(target)
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def health(bucket: Bucket, clock: HandClock) -> AsyncIterator[StorageHealth]:
    health = StorageHealth(clock, bucket)
    yield health
    await health.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_health, "PROBE_TIMEOUT_S", 0.01)


async def test_a_refusal_is_told_and_remembered(health: StorageHealth, bucket: Bucket) -> None:
    bucket.failure = REFUSAL

    with pytest.raises(StoreRefused, match="there is no such bucket"):
        await health.check(TARGET)

    assert health.refusal(TARGET) == str(REFUSAL)


@pytest.mark.parametrize("failure", [StoreFailed("503"), RuntimeError("a mistake of ours")])
async def test_doubt_is_no_refusal(
    health: StorageHealth, bucket: Bucket, failure: Exception
) -> None:
    bucket.failure = failure

    await health.check(TARGET)

    assert health.refusal(TARGET) == ""


@pytest.mark.usefixtures("impatient")
async def test_a_bucket_that_hangs_is_not_waited_for(health: StorageHealth, bucket: Bucket) -> None:
    bucket.hangs = True

    async with asyncio.timeout(60):
        await health.check(TARGET)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("state", ["good", "refusing", "failing", "hanging"])
async def test_many_starts_ask_once(
    health: StorageHealth, bucket: Bucket, clock: HandClock, state: str
) -> None:
    bucket.failure = {"refusing": REFUSAL, "failing": StoreFailed("503")}.get(state)
    bucket.hangs = state == "hanging"

    answers = await asyncio.gather(
        *(health.check(TARGET) for _ in range(60)), return_exceptions=True
    )
    clock.now_ns += PROBE_MEMORY_NS - 1
    answers += await asyncio.gather(health.check(TARGET), return_exceptions=True)
    assert len(bucket.asked) == 1
    assert {isinstance(answer, StoreRefused) for answer in answers} == {state == "refusing"}

    clock.now_ns += 1
    await asyncio.gather(health.check(TARGET), return_exceptions=True)
    assert len(bucket.asked) == 2


async def test_a_bucket_that_was_mended_is_believed(
    health: StorageHealth, bucket: Bucket, clock: HandClock
) -> None:
    bucket.failure = REFUSAL
    with pytest.raises(StoreRefused):
        await health.check(TARGET)

    bucket.failure = None
    clock.now_ns += PROBE_MEMORY_NS
    await health.check(TARGET)

    assert health.refusal(TARGET) == ""


async def test_other_keys_are_another_question(health: StorageHealth, bucket: Bucket) -> None:
    await health.check(TARGET)
    await health.check(replace(TARGET, secret_key="another"))

    assert len(bucket.asked) == 2


async def test_only_so_many_buckets_are_asked_at_a_time(
    health: StorageHealth, bucket: Bucket
) -> None:
    bucket.hangs = True
    asking = [
        asyncio.create_task(health.check(replace(TARGET, bucket=f"bucket-{number}")))
        for number in range(MAX_PROBES)
    ]
    await asyncio.sleep(0)

    async with asyncio.timeout(60):
        await health.check(TARGET)

    await asyncio.sleep(0)
    assert len(bucket.asked) == MAX_PROBES
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_what_is_remembered_is_bounded(health: StorageHealth) -> None:
    for number in range(MAX_TARGETS + 1):
        health.refused(replace(TARGET, bucket=f"bucket-{number}"), "no")

    assert health.refusal(replace(TARGET, bucket="bucket-0")) == ""
    assert health.refusal(replace(TARGET, bucket=f"bucket-{MAX_TARGETS}")) == "no"


async def test_a_task_whose_bucket_refuses_is_refused_and_found_as_failed(
    stage: Stage, bucket: Bucket
) -> None:
    stage.probe = bucket
    stage.boot()
    bucket.failure = REFUSAL

    with pytest.raises(StoreRefused):
        await stage.tasks.start(ACCOUNT, stage.order())
    stage.clock.now_ns += PROBE_MEMORY_NS
    with pytest.raises(StoreRefused):
        await stage.tasks.start(ACCOUNT, stage.order())

    task = await stage.tasks.find(ACCOUNT, stage.order().key)
    assert (task.state, task.stop_reason) == (TaskState.FAILED, StopReason.START_FAILED)
    assert task.problem == str(REFUSAL)
    assert task.ended_at_ms == stage.clock.utc_ns() // 1_000_000
    assert len(stage.store.tasks) == 1  # however often it is tried
    assert not stage.tasks.runs


async def test_a_refusal_is_told_also_where_it_cannot_be_remembered(
    stage: Stage, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(task: SliceTask) -> None:
        raise StoreFailed("the database failed: disk I/O error")

    stage.probe = bucket
    stage.boot()
    bucket.failure = REFUSAL
    monkeypatch.setattr(stage.store, "save_task", fail)

    with pytest.raises(StoreRefused):
        await stage.tasks.start(ACCOUNT, stage.order())


async def test_a_key_whose_start_failed_can_be_used(stage: Stage, bucket: Bucket) -> None:
    stage.probe = bucket
    stage.boot()
    bucket.failure = REFUSAL
    with pytest.raises(StoreRefused):
        await stage.tasks.start(ACCOUNT, stage.order())

    bucket.failure = None
    stage.clock.now_ns += PROBE_MEMORY_NS

    assert await stage.tasks.start(ACCOUNT, stage.order())
    task = await stage.tasks.find(ACCOUNT, stage.order().key)
    assert (task.state, task.problem) == (TaskState.RUNNING, "")


async def test_a_running_task_is_never_ended_by_its_bucket(stage: Stage, bucket: Bucket) -> None:
    stage.probe = bucket
    stage.boot()
    await stage.tasks.start(ACCOUNT, stage.order())
    bucket.failure = REFUSAL
    stage.clock.now_ns += PROBE_MEMORY_NS

    assert not await stage.tasks.start(ACCOUNT, stage.order())

    assert len(stage.tasks.runs) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_bucket_that_hangs_holds_up_no_other_request(stage: Stage, bucket: Bucket) -> None:
    stage.probe = bucket
    stage.boot()
    await stage.tasks.start(ACCOUNT, stage.order("running"))
    bucket.hangs = True
    elsewhere = stage.order("slow", storage=replace(TARGET, bucket="elsewhere"))
    starting = asyncio.create_task(stage.tasks.start(ACCOUNT, elsewhere))
    await asyncio.sleep(0)

    await stage.tasks.update(ACCOUNT, stage.order("running").key, TaskChange())

    assert not starting.done()
    assert await starting


async def test_what_an_upload_is_told_is_shown_while_it_lasts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, refusing = stage.objects.put, True

    async def put_or_refuse(*args: object, **options: object) -> None:
        if refusing:
            raise StoreRefused("the keys may not write to the bucket")
        await put(*args, **options)  # type: ignore[arg-type]

    async def problem() -> str:
        return (await stage.tasks.find(ACCOUNT, stage.order().key)).problem

    monkeypatch.setattr(stage.objects, "put", put_or_refuse)
    await stage.tasks.start(ACCOUNT, stage.order())
    speaker = stage.join("alice")
    stage.run(2.5, [speaker])
    await stage.recorder.close()
    await stage.deliver()
    await stage.until_quiet()

    assert await problem() == "the keys may not write to the bucket"
    [task] = stage.tasks.in_room(stage.order().key.room)
    assert task.problem == await problem()
    assert task.state is TaskState.RUNNING

    refusing = False
    stage.run(1, [speaker])
    await stage.settle()

    assert await problem() == ""
    assert len(stage.stored()) == 3


@pytest.mark.parametrize("down", [True, False])
async def test_a_store_that_fails_is_no_problem_of_the_task(stage: Stage, down: bool) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    stage.objects.is_down = down
    stage.run(1.5, [stage.join("alice")])
    await stage.recorder.close()
    await stage.deliver()
    await stage.until_quiet()

    assert (await stage.tasks.find(ACCOUNT, stage.order().key)).problem == ""


async def test_callbacks_say_the_identifier_that_the_slice_was_cut_under(stage: Stage) -> None:
    await stage.tasks.start(ACCOUNT, stage.order())
    speaker = stage.join("alice")
    stage.run(1.5, [speaker])
    await stage.tasks.update(ACCOUNT, stage.order().key, TaskChange(identifier="later"))
    stage.run(2, [speaker])
    await stage.settle()

    told = [json.loads(event.data) for event in stage.sender.sent]
    keys = [facts["Data"][0]["ObjectKey"] for facts in told]
    assert [facts["Identifier"] for facts in told] == ["prefix", "prefix", "later"]
    assert all(key.startswith(facts["Identifier"]) for key, facts in zip(keys, told, strict=True))
