"""How S3ObjectStore finds out whether a bucket can be written to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from airslice.domain.errors import StoreFailed, StoreRefused
from airslice.storage.s3 import (
    MAX_REMEMBERED_PROBES,
    PROBE_KEY,
    PROBE_MEMORY_NS,
    S3ObjectStore,
)
from tests.support.clock import HandClock
from tests.support.stages.scripted_store import ScriptedStore
from tests.support.values.values import TARGET


@pytest.fixture
async def script() -> AsyncIterator[ScriptedStore]:
    async with ScriptedStore() as script:
        yield script


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(script: ScriptedStore, clock: HandClock) -> AsyncIterator[S3ObjectStore]:
    store = S3ObjectStore(clock, [script.override()], timeout_s=60)
    yield store
    await store.close()


async def test_the_probe_leaves_nothing(script: ScriptedStore, store: S3ObjectStore) -> None:
    await store.check(TARGET)

    assert script.methods == ["PUT", "DELETE"]
    assert script.requests[0].body == b""
    assert not script.objects


async def test_permission_to_delete_is_not_needed(
    script: ScriptedStore, store: S3ObjectStore
) -> None:
    script.scripts = [script.as_s3, script.says(403, "AccessDenied")]

    await store.check(TARGET)

    assert list(script.objects) == [f"/moderation/{PROBE_KEY}"]


async def test_a_store_that_hangs_is_told_from_one_that_refuses(
    script: ScriptedStore, clock: HandClock
) -> None:
    script.scripts = [script.hangs]
    hasty = S3ObjectStore(clock, [script.override()], timeout_s=0.5)

    with pytest.raises(StoreFailed) as caught:
        await hasty.check(TARGET)
    await hasty.close()

    assert caught.value.retryable


async def test_success_is_remembered_for_a_while(
    script: ScriptedStore, store: S3ObjectStore, clock: HandClock
) -> None:
    await store.check(TARGET)
    clock.now_ns += PROBE_MEMORY_NS - 1
    await store.check(TARGET)
    assert script.methods == ["PUT", "DELETE"]

    clock.now_ns += 1
    await store.check(TARGET)

    assert script.methods == ["PUT", "DELETE"] * 2


async def test_failure_is_not_remembered(script: ScriptedStore, store: S3ObjectStore) -> None:
    script.scripts = [script.says(403, "AccessDenied")]
    with pytest.raises(StoreRefused):
        await store.check(TARGET)

    await store.check(TARGET)


async def test_other_keys_are_another_question(script: ScriptedStore, store: S3ObjectStore) -> None:
    await store.check(TARGET)

    await store.check(replace(TARGET, secret_key="another"))

    assert script.methods == ["PUT", "DELETE"] * 2


async def test_what_is_remembered_is_bounded(script: ScriptedStore, store: S3ObjectStore) -> None:
    for number in range(MAX_REMEMBERED_PROBES + 1):
        store._passed_at_ns[replace(TARGET, bucket=f"bucket-{number}")] = 0  # noqa: SLF001 - shows nowhere else

    await store.check(TARGET)

    assert len(store._passed_at_ns) == MAX_REMEMBERED_PROBES  # noqa: SLF001 - shows nowhere else
