from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from airslice.application.delivery.uploads import TRUSTING_TRIES, SliceUpload
from airslice.delivery.volcengine.segment_event import segment_event
from airslice.domain.errors import StoreRefused
from airslice.domain.outbox import Delivery, DeliveryKind, Failed, Gone, Made
from tests.support.stages.stage import ACCOUNT, APP, TARGET, Stage


@pytest.fixture
def upload(stage: Stage) -> SliceUpload:
    return SliceUpload(
        outbox=stage.outbox,
        objects=stage.objects,
        storage_health=stage.storage_health,
        spool=stage.spool,
        settings=stage.settings,
        event_of=segment_event,
    )


@pytest.fixture
async def delivery(stage: Stage) -> Delivery:
    """That of a slice of one second, which was recorded."""
    await stage.tasks.start(ACCOUNT, stage.order())
    stage.run(1.5, [stage.join("ann")])
    async with asyncio.timeout(10):
        while stage.recorder.waiting_slices:
            await asyncio.sleep(0.001)
    (delivery,) = await stage.outbox.page(dead=None, after_id=0, limit=10)
    assert delivery.kind is DeliveryKind.UPLOAD
    return delivery


async def test_a_slice_comes_into_its_bucket_and_is_to_be_announced(
    stage: Stage, upload: SliceUpload, delivery: Delivery
) -> None:
    outcome = await upload.attempt(delivery)

    ((place, stored),) = stage.objects.objects.items()
    assert place[0] == TARGET.bucket
    assert stored.content_type == "audio/wav"
    assert stored.metadata["user-id"] == "ann"
    assert stored.metadata["duration-ms"] == "1000"
    assert isinstance(outcome, Made)
    assert outcome.then is not None
    assert (outcome.then.app_id, place[1] in outcome.then.data) == (APP.app_id, True)


async def test_nobody_is_told_where_nobody_asks_for_it(
    stage: Stage, upload: SliceUpload, delivery: Delivery
) -> None:
    stage.app = replace(APP, callback_url=None)
    stage.boot()
    untold = SliceUpload(
        outbox=stage.outbox,
        objects=stage.objects,
        storage_health=stage.storage_health,
        spool=stage.spool,
        settings=stage.settings,
        event_of=segment_event,
    )

    assert await untold.attempt(delivery) == Made()
    assert stage.objects.objects


async def test_what_is_missing_is_given_up_by_name(
    stage: Stage, upload: SliceUpload, delivery: Delivery
) -> None:
    assert delivery.slice is not None
    unknown = replace(delivery, slice=replace(delivery.slice, index=99))
    assert await upload.attempt(unknown) == Gone(reason="its slice is not in the records")

    await upload.settled(delivery)

    assert not stage.spool.path_of(delivery.spool_name).exists()
    assert await upload.attempt(delivery) == Gone(reason="its file is not in the spool")


async def test_a_damaged_file_is_given_up_once_the_store_was_trusted_in_vain(
    stage: Stage, upload: SliceUpload, delivery: Delivery
) -> None:
    with stage.spool.path_of(delivery.spool_name).open("ab") as file:
        file.write(b"more")

    assert isinstance(await upload.attempt(delivery), Failed)
    tried = replace(delivery, attempts=TRUSTING_TRIES)
    assert await upload.attempt(tried) == Gone(reason="its file was damaged")


async def test_a_sound_file_is_kept_however_often_the_store_fails(
    stage: Stage, upload: SliceUpload, delivery: Delivery
) -> None:
    stage.objects.is_down = True

    outcome = await upload.attempt(replace(delivery, attempts=100))

    assert outcome == Failed(reason="the store is down")
    assert stage.spool.path_of(delivery.spool_name).exists()


async def test_a_refusal_is_remembered_until_an_upload_is_taken(
    stage: Stage, upload: SliceUpload, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise StoreRefused("the keys are wrong")

    with monkeypatch.context() as patched:
        patched.setattr(stage.objects, "put", refuse)
        assert await upload.attempt(delivery) == Failed(reason="the keys are wrong")
    assert stage.storage_health.refusal(TARGET) == "the keys are wrong"

    await upload.attempt(delivery)

    assert stage.storage_health.refusal(TARGET) == ""
