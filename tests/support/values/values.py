"""Plain values for tests; each says only what it is about."""

from __future__ import annotations

from airslice.domain.callback import SEGMENT_EVENT, CallbackEvent
from airslice.domain.room import StreamKey
from airslice.domain.slice_record import SliceRecord, SliceState
from airslice.domain.slice_task import SliceTask, StreamTarget, TaskKey, TaskOrder, TaskState
from airslice.domain.storage_target import StorageTarget, StorageVendor

APP_ID = "123456781234567812345678"
KEY = TaskKey(APP_ID, "room", "task")
ALICE = StreamKey("alice")
TARGET = StorageTarget(vendor=StorageVendor.TOS, region=0, bucket="moderation")


def a_task(
    run_id: str = "run-1",
    *,
    key: TaskKey = KEY,
    started_at_ms: int = 1_700_000_000_000,
    ended_at_ms: int = 0,
    state: TaskState = TaskState.RUNNING,
    storage: StorageTarget = TARGET,
    targets: tuple[StreamTarget, ...] = (),
    api_version: str = "2023-11-01",
) -> SliceTask:
    return SliceTask(
        run_id=run_id,
        order=TaskOrder(
            key=key,
            api_version=api_version,
            storage=storage,
            identifier="prefix",
            business_id="business",
            targets=targets,
        ),
        started_at_ms=started_at_ms,
        ended_at_ms=ended_at_ms,
        state=state,
    )


def an_event(event_id: str = "event", *, event_type: str = SEGMENT_EVENT) -> CallbackEvent:
    return CallbackEvent(
        event_type=event_type,
        event_id=event_id,
        app_id=APP_ID,
        version="2023-11-01",
        time_ms=1_700_000_020_214,
        data='{"RoomId":"room"}',
    )


def a_record(
    index: int = 0,
    *,
    run_id: str = "run-1",
    stream: StreamKey = ALICE,
    state: SliceState = SliceState.SPOOLED,
) -> SliceRecord:
    return SliceRecord(
        run_id=run_id,
        stream=stream,
        index=index,
        object_key=f"prefix_{stream.user_id}_1700000000000_{index}.wav",
        start_ms=1_700_000_000_000 + 20_000 * index,
        samples=320_000,
        sample_rate_hz=16_000,
        channels=1,
        bits_per_sample=16,
        size_bytes=640_044,
        sha256="ab" * 32,
        generated_at_ms=1_700_000_020_214 + 20_000 * index,
        spool_name=f"spool-{index}",
        event_id=f"event-{run_id}-{stream.user_id}-{index}",
        identifier="prefix",
        state=state,
    )
