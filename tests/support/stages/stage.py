"""Everything around the use cases, in memory and with a clock that is turned by hand."""

from __future__ import annotations

import array
import asyncio
import io
import itertools
import json
import wave
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.delivery.callbacks import Announcements, CallbackPost
from airslice.application.delivery.courier import Courier
from airslice.application.delivery.storage_health import StorageHealth
from airslice.application.delivery.uploads import SliceUpload
from airslice.application.ports.journal import Journal, NoJournal
from airslice.application.ports.media import StreamSink
from airslice.application.ports.storage import StorageProbe
from airslice.application.rooms.registry import Rooms
from airslice.application.tasks.intake import Intake
from airslice.application.tasks.recorder import SliceRecorder
from airslice.application.tasks.slice_tasks import SliceTasks
from airslice.application.tasks.track import ClosedSlice, TrackTools
from airslice.application.wall_clock import WallClock
from airslice.delivery.volcengine.segment_event import segment_event
from airslice.domain.apps import Account, RtcApp
from airslice.domain.outbox import DeliveryKind
from airslice.domain.room import StreamKey, StreamType
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import SliceControl, TaskKey, TaskOrder
from airslice.domain.storage_target import StorageTarget, StorageVendor
from airslice.encoding.writers import FileSliceWriters
from airslice.slicing.packets import RtpPacket
from airslice.storage.spool import DiskSpool
from tests.support.clock import HandClock as HandClock
from tests.support.memory.callback_sender import RecordingCallbackSender
from tests.support.memory.callback_settings import MemoryCallbackSettings
from tests.support.memory.objects import MemoryObjectStore
from tests.support.memory.outbox import MemoryOutbox
from tests.support.memory.tasks import MemoryTaskStore
from tests.support.waiting import PATIENCE_S

APP = RtcApp(
    app_id="0123456789abcdef01234567",
    app_key="app key",
    account_id="2100000000",
    callback_url="http://receiver.invalid/",
    callback_secret="callback secret",
)
ACCOUNT = Account(id="2100000000", access_key="AK", secret_key="SK")
RATE = 16_000
FRAME_NS = 20_000_000
FRAME_SAMPLES = RATE // 50
TARGET = StorageTarget(vendor=StorageVendor.TOS, region=0, bucket="bucket", account_id="1")
TOC_CELT_20_MS = 0xF8


class ValueDecoders:
    """Decoders of packets that hold one sample value, which they repeat."""

    def open(self, sample_rate_hz: int) -> ValueDecoders:
        assert sample_rate_hz == RATE
        return self

    def decode(self, payload: bytes, samples: int) -> bytes:
        value = int.from_bytes(payload[1:3], "big", signed=True)
        return array.array("h", [value]).tobytes() * samples

    def recover(self, payload: bytes, samples: int) -> bytes:
        return self.conceal(samples)

    def conceal(self, samples: int) -> bytes:
        return bytes(2 * samples)


@dataclass(eq=False)
class Speaker:
    """One publisher's RTP: 20 ms packets, each with one sample value."""

    stage: Stage
    sink: StreamSink
    ssrc: int
    sequence: int = 100
    timestamp: int = 1_000
    take: Callable[[RtpPacket], object] = field(init=False)

    def __post_init__(self) -> None:
        self.take = self.sink.source(self.ssrc)

    def say(self, value: int) -> None:
        """Send 20 ms of a value, as if captured now; a speaker who has left says nothing."""
        payload = bytes((TOC_CELT_20_MS,)) + value.to_bytes(2, "big", signed=True)
        now_ns = self.stage.clock.now_ns
        self.take(RtpPacket(self.sequence & 0xFFFF, self.timestamp, now_ns, 20, payload))
        self.sequence += 1
        self.timestamp += 960


@dataclass(frozen=True)
class Stored:
    """A slice as its owner finds it."""

    user: str
    index: int
    start_ms: int
    key: str
    pcm: array.array[int]

    @property
    def seconds(self) -> float:
        return len(self.pcm) / RATE


class _Records:
    """A server's way to the records of slices, which ends when it dies."""

    def __init__(self, store: MemoryTaskStore) -> None:
        self._store = store
        self.is_out_of_reach = False

    async def add_slice(self, record: SliceRecord) -> None:
        if self.is_out_of_reach:
            await asyncio.Event().wait()
        await self._store.add_slice(record)


class Stage:
    """The use cases on in-memory adapters."""

    def __init__(self, spool: Path, *, app: RtcApp = APP, max_tasks: int = 10) -> None:
        self.clock = HandClock()
        self.app = app
        self.store = MemoryTaskStore()
        self.callbacks = MemoryCallbackSettings()
        self.objects = MemoryObjectStore()
        self.probe: StorageProbe | None = None
        self.sender = RecordingCallbackSender()
        self.spool = DiskSpool(spool, FileSliceWriters())
        self.journal: Journal = NoJournal()
        self.max_tasks = max_tasks
        self._ssrcs = itertools.count(1)
        self.boot()

    def boot(self) -> None:
        """Start the server's parts anew, over the same stores."""
        wall_clock = WallClock(self.clock)
        apps = {self.app.app_id: self.app}
        self.storage_health = StorageHealth(self.clock, self.probe)
        self.outbox = MemoryOutbox(self.store)
        self.settings = CallbackSettings(
            apps=apps, store=self.callbacks, check_url=str, wall_clock=wall_clock
        )
        self.courier = Courier(
            self.outbox,
            {
                DeliveryKind.UPLOAD: SliceUpload(
                    outbox=self.outbox,
                    objects=self.objects,
                    storage_health=self.storage_health,
                    spool=self.spool,
                    settings=self.settings,
                    event_of=segment_event,
                ),
                DeliveryKind.CALLBACK: CallbackPost(self.settings, self.sender),
            },
            clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
        )
        self.delivering = False
        self.announcements = Announcements(self.outbox, self.settings, self.courier)
        self._records = _Records(self.store)
        self.recorder = SliceRecorder(
            store=self._records,  # type: ignore[arg-type]
            wall_clock=wall_clock,
            sleep=self.clock.sleep,
            on_recorded=self._recorded,
        )
        self.rooms = Rooms(
            wall_clock=wall_clock,
            decoders=ValueDecoders(),
            reorder_window_ns=200_000_000,
            max_publishers_per_room=50,
            journal=self.journal,
        )
        self.tools = TrackTools(
            spool=self.spool,
            journal=self.journal,
            wall_clock=wall_clock,
            silence_dbfs=-50,
            on_closed=self.closed,
        )
        self.tasks = SliceTasks(
            apps=apps,
            rooms=self.rooms,
            store=self.store,
            recorder=self.recorder,
            storage_health=self.storage_health,
            intake=Intake(spool=self.spool, journal=self.journal, max_tasks=self.max_tasks),
            tools=self.tools,
        )

    def order(self, task_id: str = "task", **changes: Any) -> TaskOrder:
        """An order for the room ``room``; `control` takes keywords of SliceControl as a dict."""
        control = SliceControl(**changes.pop("control", {}))
        order = TaskOrder(
            key=TaskKey(self.app.app_id, "room", task_id),
            api_version="2023-11-01",
            storage=TARGET,
            identifier="prefix",
            duration_s=1,
            control=control,
        )
        return replace(order, **changes)

    def join(self, user: str, stream_type: StreamType = StreamType.MAIN) -> Speaker:
        """Let a user publish into the room ``room``."""
        sink = self.rooms.publish(self.app, "room", StreamKey(user, stream_type))
        return Speaker(self, sink, next(self._ssrcs))

    def pass_time(self, seconds: float) -> None:
        """Let time pass in silence."""
        self.run(seconds, {})

    def run(self, seconds: float, speakers: dict[Speaker, int] | Iterable[Speaker]) -> None:
        """Let speakers speak for a while: each a value, or 1000 where none is given."""
        values = speakers if isinstance(speakers, dict) else dict.fromkeys(speakers, 1_000)
        for _ in range(round(seconds * 50)):
            self.clock.now_ns += FRAME_NS
            for speaker, value in values.items():
                speaker.say(value)
            self.rooms.beat()

    async def deliver(self) -> None:
        """Let deliveries begin, as they do at the start of a server."""
        if not self.delivering:
            self.delivering = True
            await self.courier.start()

    async def settle(self) -> None:
        """Wait until all slices that were cut are stored and announced, however long that takes."""
        async with asyncio.timeout(PATIENCE_S):
            while self.recorder.waiting_slices:
                await asyncio.sleep(0.001)
            await self.deliver()
            while self.courier.waiting + self.recorder.waiting_slices:
                busy = self.courier.under_way
                if self.courier.is_resting and (not busy or self.clock.sleepers > busy):
                    self.clock.turn_to_next_alarm()
                await asyncio.sleep(0.001)

    async def until_quiet(self) -> None:
        """Wait until all that is due was tried."""
        async with asyncio.timeout(PATIENCE_S):
            while self.courier.under_way or not self.courier.is_resting or self.clock.alarm_is_over:
                await asyncio.sleep(0)

    async def close(self) -> None:
        """Stop delivering; what was cut is recorded."""
        await self.recorder.close()
        await self.courier.close()

    async def die(self) -> None:
        """Lose what is only in memory, as when the process is killed; files that were finished
        are complete."""
        await self.courier.close()
        self._records.is_out_of_reach = True
        self.spool.close()

    def closed(self, closed: ClosedSlice) -> None:
        """A slice has all its audio: let it be recorded."""
        self.recorder.accept(closed)

    def _recorded(self, closed: ClosedSlice) -> None:
        self.journal.settled(closed.file.name)
        self.courier.expect()

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for a condition of background work."""
        async with asyncio.timeout(PATIENCE_S):
            while not await condition():
                await asyncio.sleep(0.001)

    def stored(self, user: str | None = None) -> list[Stored]:
        """The slices in the bucket, in the order in which they were announced."""
        slices = []
        for event in self.sender.sent:
            facts = json.loads(event.data)
            for data in facts["Data"]:
                body = self.objects.body(facts["Bucket"], data["ObjectKey"])
                with wave.open(io.BytesIO(body)) as file:
                    pcm = array.array("h", file.readframes(file.getnframes()))
                slices.append(
                    Stored(
                        user=data["Stream"]["UserId"],
                        index=data["Index"],
                        start_ms=data["StartTime"],
                        key=data["ObjectKey"],
                        pcm=pcm,
                    )
                )
        return [s for s in slices if user in (None, s.user)]
