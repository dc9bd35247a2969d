"""A bucket that fails for an hour, in every way: the S3 client, the outbox and the spool are real,
the hour is a clock's that is turned by hand. Each try takes no time on that clock, and a bucket
that does not answer is given up after a moment of the machine's."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import io
import itertools
import json
import logging
import random
import time
import tracemalloc
import wave
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.delivery.callbacks import CallbackPost
from airslice.application.delivery.courier import Courier
from airslice.application.delivery.storage_health import StorageHealth
from airslice.application.delivery.uploads import SliceUpload
from airslice.application.ports.storage import NO_METADATA
from airslice.application.tasks.recorder import SliceRecorder
from airslice.application.tasks.track import ClosedSlice
from airslice.application.wall_clock import WallClock
from airslice.delivery.volcengine.segment_event import segment_event
from airslice.domain.apps import SliceFormat
from airslice.domain.file_kind import FileKind
from airslice.domain.outbox import DeliveryKind
from airslice.domain.room import StreamKey
from airslice.domain.slice_task import SliceTask, TaskEvent, TaskKey, TaskOrder
from airslice.domain.storage_endpoints import StorageOverride
from airslice.domain.storage_target import StorageTarget, StorageVendor
from airslice.encoding.writers import FileSliceWriters
from airslice.persistence.sqlite.callback_settings import SqliteCallbackSettings
from airslice.persistence.sqlite.outbox import SqliteOutbox
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from airslice.slicing.audio import PcmAudio
from airslice.storage.s3 import S3ObjectStore
from airslice.storage.spool import DiskSpool
from tests.support.clock import HandClock
from tests.support.memory.callback_sender import RecordingCallbackSender
from tests.support.server.fault_lengths import IS_LONG
from tests.support.server.fault_proxy import (
    ANSWERS_LATE,
    HANGS,
    REFUSES,
    RESETS,
    Fault,
    FaultProxy,
    answers,
)
from tests.support.server.s3_servers import ACCESS_KEY, BUCKET, SECRET_KEY, SERVERS, S3Server
from tests.support.stages.passing_time import pass_time
from tests.support.stages.stage import APP

STREAMS = 17
PERIOD_S = 20 if IS_LONG else 60
RATE = 16_000
KIND = FileKind(slice_format=SliceFormat.WAV, sample_rate_hz=RATE, passthrough=False)
SLICE_SAMPLES = 20_000
"""As many bytes as 20 s of Opus at 16 kbit/s take."""
IDENTIFIER = "outage"
ORDER = TaskOrder(
    key=TaskKey(APP.app_id, "room", "task"),
    api_version="2023-11-01",
    storage=StorageTarget(
        vendor=StorageVendor.S3,
        region=0,
        bucket=BUCKET,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
    ),
    identifier=IDENTIFIER,
    duration_s=PERIOD_S,
)
OUTAGE_MINUTES = 60
RETURN_S = 600
PATIENCE_S = 0.1 if IS_LONG else 0.05
"""How long a bucket is waited for that will not answer, on the machine's clock."""
FLAT_FROM_MINUTE = 5
MAX_GROWTH_BYTES = 200_000

DENIED = "<Error><Code>AccessDenied</Code></Error>"
FAULTS = (REFUSES, HANGS, answers(503), answers(403, body=DENIED), RESETS, ANSWERS_LATE)
ALL_IN_TURN = [("all in turn", FAULTS)]
EACH_ALONE = [(str(fault), (fault,)) for fault in FAULTS]


class Buckets:
    """Real clients of a bucket: an impatient one for as long as it will not answer anyhow."""

    def __init__(self, proxy: FaultProxy, clock: HandClock) -> None:
        override = StorageOverride(endpoint=proxy.origin)
        self._proxy = proxy
        self._patient = S3ObjectStore(clock, [override])
        self._impatient = S3ObjectStore(clock, [override], timeout_s=PATIENCE_S)

    async def put(
        self,
        target: StorageTarget,
        key: str,
        source: Path,
        *,
        content_type: str,
        sha256: str,
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> None:
        store = self._impatient if self._proxy.fault in (HANGS, ANSWERS_LATE) else self._patient
        await store.put(
            target, key, source, content_type=content_type, sha256=sha256, metadata=metadata
        )

    async def close(self) -> None:
        await self._patient.close()
        await self._impatient.close()


class Deliveries:
    """What brings slices from the spool to a bucket, over a clock that is turned by hand."""

    def __init__(self, folder: Path, store: SqliteTaskStore, proxy: FaultProxy) -> None:
        self.clock = HandClock()
        self.sender = RecordingCallbackSender()
        self.spool = DiskSpool(folder / "spool", FileSliceWriters())
        self.objects = Buckets(proxy, self.clock)
        wall_clock = WallClock(self.clock)
        outbox = SqliteOutbox(store.database)
        settings = CallbackSettings(
            apps={APP.app_id: APP},
            store=SqliteCallbackSettings(store.database),
            check_url=str,
            wall_clock=wall_clock,
        )
        self.courier = Courier(
            outbox,
            {
                DeliveryKind.UPLOAD: SliceUpload(
                    outbox=outbox,
                    objects=self.objects,
                    storage_health=StorageHealth(self.clock),
                    spool=self.spool,
                    settings=settings,
                    event_of=segment_event,
                ),
                DeliveryKind.CALLBACK: CallbackPost(settings, self.sender),
            },
            clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
        )
        self.recorder = SliceRecorder(
            store=store,
            wall_clock=wall_clock,
            sleep=self.clock.sleep,
            on_recorded=lambda cut: self.courier.expect(),
        )

    async def cut(self, task: SliceTask, index: int) -> None:
        """Finish slice `index` of every stream; return once they are in the spool."""
        for number in range(STREAMS):
            file = self.spool.open(KIND)
            file.write([PcmAudio(pcm(number, index))])
            file.finish()
            self.recorder.accept(
                ClosedSlice(
                    run_id=task.run_id,
                    stream=StreamKey(f"u{number}"),
                    index=index,
                    identifier=IDENTIFIER,
                    start_ms=start_ms(index),
                    samples=SLICE_SAMPLES,
                    kind=KIND,
                    file=file,
                ),
            )
        while self.recorder.waiting_slices:
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        await self.recorder.close()
        await self.courier.close()
        await self.objects.close()
        self.spool.close()


def pcm(stream: int, index: int) -> bytes:
    """The samples of a slice, which no other slice has."""
    return random.Random(f"{stream}/{index}").randbytes(2 * SLICE_SAMPLES)


def start_ms(index: int) -> int:
    """Where a slice begins, UTC."""
    return 1_700_000_000_000 + index * PERIOD_S * 1000


def md5_of_slice(stream: int, index: int) -> str:
    """MD5 of a slice's file, written by another's hand."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE, SLICE_SAMPLES, "NONE", ""))
        writer.writeframes(pcm(stream, index))
    return hashlib.md5(file.getvalue()).hexdigest()


def stored(server: S3Server) -> dict[str, str]:
    """MD5 of every object, by key, as the server computed it."""
    pages = server.admin.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return {o["Key"]: o["ETag"].strip('"') for page in pages for o in page.get("Contents", ())}


def resident_kb() -> int:
    """Resident memory of this process, in kB."""
    (line,) = [
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmRSS")
    ]
    return int(line.split()[1])


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("server_name", "faults"),
    [
        pytest.param(name, faults, id=f"{name}, {what}")
        for name, cases in (
            ("versitygw", ALL_IN_TURN + (EACH_ALONE if IS_LONG else [])),
            ("moto", ALL_IN_TURN if IS_LONG else []),
        )
        for what, faults in cases
    ],
)
async def test_an_hour_without_a_bucket_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, server_name: str, faults: Sequence[Fault]
) -> None:
    begun_s = time.monotonic()
    caplog.set_level(logging.ERROR)  # what is captured stays in memory
    (tmp_path / "s3").mkdir()
    store = await SqliteTaskStore.open(tmp_path / "airslice.db", bytes(32))
    task = SliceTask(run_id="run", order=ORDER, started_at_ms=start_ms(0)).after(
        TaskEvent.SUBSCRIBED, at_ms=start_ms(0)
    )
    await store.save_task(task)
    with SERVERS[server_name](tmp_path / "s3") as server:
        async with FaultProxy(int(server.endpoint.rpartition(":")[2])) as proxy:
            deliveries = Deliveries(tmp_path, store, proxy)
            await deliveries.courier.start()
            growth = await outage(deliveries, proxy, task, faults)
            back_s = time.monotonic()
            made_at_return = deliveries.courier.made[DeliveryKind.UPLOAD]
            rounds, drained_s = await recovered(deliveries, proxy, task)
            drained_real_s = time.monotonic() - back_s
            await deliveries.close()
        found = await asyncio.to_thread(stored, server)
    await store.close()

    tries = deliveries.courier.failed_tries[DeliveryKind.UPLOAD]
    print(
        f"{server_name}, {', then '.join(map(str, faults))}: {OUTAGE_MINUTES} simulated minutes,"
        f" {STREAMS} streams: {STREAMS * rounds} slices, none lost; {tries} tries failed;"
        f" all uploaded {drained_s:.0f} simulated s after its return"
        f" ({drained_real_s:.0f} s of the machine's for {len(found)} slices);"
        f" memory {growth}; {time.monotonic() - begun_s:.0f} s"
    )
    assert made_at_return == 0
    names = itertools.product(range(STREAMS), range(rounds))
    assert found == {
        f"{IDENTIFIER}_u{stream}_{start_ms(index)}_{index}.wav": md5_of_slice(stream, index)
        for stream, index in names
    }
    assert list((tmp_path / "spool").iterdir()) == []
    check_announced(deliveries.sender, rounds)


async def outage(
    deliveries: Deliveries, proxy: FaultProxy, task: SliceTask, faults: Sequence[Fault]
) -> str:
    """Let the bucket fail for an hour; return what became of the memory."""
    rounds = OUTAGE_MINUTES * 60 // PERIOD_S
    tracemalloc.start()
    flat_from = FLAT_FROM_MINUTE * 60 // PERIOD_S
    before = before_kb = 0
    for number in range(rounds):
        fault = faults[number * len(faults) // rounds]
        if proxy.fault is not fault:
            await proxy.fail(fault)
        await deliveries.cut(task, number)
        await pass_time(deliveries.clock, deliveries.courier, PERIOD_S)
        if number == flat_from:
            gc.collect()
            before, before_kb = tracemalloc.get_traced_memory()[0], resident_kb()
    gc.collect()
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert deliveries.courier.waiting == STREAMS * rounds
    assert after - before < MAX_GROWTH_BYTES
    return (
        f"{(after - before) / 1000:+.0f} kB of Python's from minute {FLAT_FROM_MINUTE} to"
        f" {OUTAGE_MINUTES} (peak {peak / 1000:.0f} kB), resident {resident_kb() - before_kb:+} kB"
    )


async def recovered(
    deliveries: Deliveries, proxy: FaultProxy, task: SliceTask
) -> tuple[int, float]:
    """Bring the bucket back while streams go on; return how many rounds there were, and after how
    long nothing waited any more."""
    await proxy.fail(None)
    rounds = OUTAGE_MINUTES * 60 // PERIOD_S
    back_ns = deliveries.clock.now_ns
    while deliveries.courier.waiting:
        assert deliveries.clock.now_ns - back_ns <= RETURN_S * 10**9, "it takes too long"
        await deliveries.cut(task, rounds)
        rounds += 1
        for _ in range(PERIOD_S):
            await pass_time(deliveries.clock, deliveries.courier, 1)
            if not deliveries.courier.waiting:
                break
    return rounds, (deliveries.clock.now_ns - back_ns) / 1e9


def check_announced(sender: RecordingCallbackSender, rounds: int) -> None:
    """Every slice was announced, each stream's in order."""
    announced: defaultdict[str, list[int]] = defaultdict(list)
    for event in sender.sent:
        for data in json.loads(event.data)["Data"]:
            announced[data["Stream"]["UserId"]].append(data["Index"])
    assert len(announced) == STREAMS
    assert all(indexes == list(range(rounds)) for indexes in announced.values())
