"""Bring finished slices to their bucket, then tell their owner. In order per stream."""

from __future__ import annotations

import asyncio
import itertools
import logging
import uuid
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping

from airslice.application.ports import CallbackSender, ObjectStore, Spool, TaskStore
from airslice.application.slice_track import CutSlice
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import RtcApp
from airslice.domain.callback import next_delay_s
from airslice.domain.errors import AirsliceError, StoreFailed
from airslice.domain.room import StreamKey
from airslice.domain.slice_record import SliceRecord, SliceState, object_key
from airslice.domain.slice_task import SliceTask

_log = logging.getLogger(__name__)

MAX_UPLOADS = 16
MAX_CALLBACKS = 64
"""Uploads and callbacks under way at once."""

RETRY_PAUSES_S = (1, 2, 5, 10, 20, 40, 60)
"""Pauses between tries to record or store; the last is repeated for as long as it takes."""

PCM_BITS = 16

_Lane = tuple[str, StreamKey]
_Announcement = tuple[SliceTask, SliceRecord]


class SliceDelivery:
    """Takes slices as they are cut; each stream of each run has a lane of its own."""

    def __init__(
        self,
        *,
        store: TaskStore,
        objects: ObjectStore,
        spool: Spool,
        sender: CallbackSender,
        wall_clock: WallClock,
        apps: Mapping[str, RtcApp],
        on_recorded: Callable[[str], None] = lambda name: None,
    ) -> None:
        """Deliver with these; `on_recorded` is told the spool's name of each slice that is safe."""
        self._store = store
        self._objects = objects
        self._spool = spool
        self._sender = sender
        self._wall_clock = wall_clock
        self._apps = apps
        self._on_recorded = on_recorded
        self._lanes: dict[_Lane, deque[Awaitable[_Announcement | None]]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._recording: defaultdict[str, set[asyncio.Task[_Announcement | None]]] = defaultdict(
            set
        )
        self._uploads = asyncio.Semaphore(MAX_UPLOADS)
        self._callbacks = asyncio.Semaphore(MAX_CALLBACKS)
        self.stored_slices = 0
        self.announced_slices = 0
        self.failed_slices = 0
        """Whose file could not be written: their audio is lost."""
        self.failed_tries = 0
        """Tries to record or store that failed."""
        self.failed_callbacks = 0
        """Tries that failed."""

    @property
    def waiting_slices(self) -> int:
        """Slices that are on their way."""
        return sum(len(lane) for lane in self._lanes.values())

    def accept(self, task: SliceTask, cut: CutSlice) -> None:
        """Take a slice whose audio is complete; its file may still be being written."""
        recording = asyncio.get_running_loop().create_task(self._record(task, cut))
        run = self._recording[task.run_id]
        run.add(recording)
        recording.add_done_callback(run.discard)
        self._enqueue((task.run_id, cut.stream), recording)

    async def resume(self) -> None:
        """Take up what was on its way when the server stopped."""
        undelivered = await self._store.undelivered_slices()
        # They were recorded in the order in which their files were complete.
        for task, record in sorted(undelivered, key=lambda pair: pair[1].index):
            known: asyncio.Future[_Announcement | None]
            known = asyncio.get_running_loop().create_future()
            known.set_result((task, record))
            self._enqueue((task.run_id, record.stream), known)

    async def recorded(self, run_id: str) -> None:
        """Wait until every slice of a run that was accepted is on disk and in the records."""
        if recording := self._recording.pop(run_id, None):
            await asyncio.wait(recording)

    async def close(self) -> None:
        """Wait until all accepted slices are recorded, then leave the rest for the next start."""
        for run_id in tuple(self._recording):
            await self.recorded(run_id)
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _enqueue(self, key: _Lane, announcement: Awaitable[_Announcement | None]) -> None:
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append(announcement)
            return
        self._lanes[key] = deque((announcement,))
        worker = asyncio.get_running_loop().create_task(self._work(key))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, key: _Lane) -> None:
        """Deliver a lane's slices one after another, until there are none."""
        lane = self._lanes[key]
        while lane:
            announcement = await lane[0]
            if announcement is not None:
                await self._deliver(*announcement)
            lane.popleft()
        del self._lanes[key]

    async def _record(self, task: SliceTask, cut: CutSlice) -> _Announcement | None:
        try:
            file = await cut.file.finished()
            record = SliceRecord(
                run_id=task.run_id,
                stream=cut.stream,
                index=cut.index,
                object_key=object_key(
                    identifier=cut.identifier,
                    stream=cut.stream,
                    start_ms=cut.start_ms,
                    index=cut.index,
                    extension=cut.kind.slice_format.extension,
                ),
                start_ms=cut.start_ms,
                samples=cut.samples,
                sample_rate_hz=cut.kind.sample_rate_hz,
                channels=1,
                bits_per_sample=PCM_BITS,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
                generated_at_ms=self._wall_clock.utc_ms(),
                spool_name=cut.file.name,
                event_id=str(uuid.uuid4()),
            )
        except (AirsliceError, OSError):
            self.failed_slices += 1
            _log.exception("slice lost: run %s, %s, slice %d", task.run_id, cut.stream, cut.index)
            return None
        await self._until_it_works(lambda: self._store.add_slice(record), "recorded", record)
        self._on_recorded(record.spool_name)
        return task, record

    async def _deliver(self, task: SliceTask, record: SliceRecord) -> None:
        try:
            if record.state is SliceState.SPOOLED:
                await self._until_it_works(lambda: self._upload(task, record), "stored", record)
                await self._store.set_slice_state(record, SliceState.STORED)
                self._spool.remove(record.spool_name)
                self.stored_slices += 1
            announced = await self._announce(task, record)
            state = SliceState.ANNOUNCED if announced else SliceState.GIVEN_UP
            await self._store.set_slice_state(record, state)
        except Exception:  # one slice's bug or a broken disk must not stop those behind it
            _log.exception("slice %s is not delivered; it will be at the next start", record)

    async def _until_it_works(
        self, attempt: Callable[[], Awaitable[None]], aim: str, record: SliceRecord
    ) -> None:
        """Attempt until the store does not fail, with pauses; the slice stays in the spool."""
        pauses_s = itertools.chain(RETRY_PAUSES_S, itertools.repeat(RETRY_PAUSES_S[-1]))
        for pause_s in pauses_s:
            try:
                await attempt()
            except StoreFailed as error:
                self.failed_tries += 1
                _log.warning("slice %s is not %s yet: %s", record.object_key, aim, error)
                await asyncio.sleep(pause_s)
            else:
                return

    async def _upload(self, task: SliceTask, record: SliceRecord) -> None:
        async with self._uploads:
            await self._objects.put(
                task.order.storage,
                record.object_key,
                self._spool.path_of(record.spool_name),
                content_type=self._apps[task.key.app_id].slice_format.content_type,
                sha256=record.sha256,
            )

    async def _announce(self, task: SliceTask, record: SliceRecord) -> bool:
        app = self._apps[task.key.app_id]
        if app.callback_url is None:
            return True
        tries = 0
        while True:
            async with self._callbacks:
                if await self._sender.send(app, task, record):
                    self.announced_slices += 1
                    return True
            tries += 1
            self.failed_callbacks += 1
            delay_s = next_delay_s(tries)
            if delay_s is None:
                _log.error("callback of %s is given up after %d tries", record.object_key, tries)
                return False
            await asyncio.sleep(delay_s)
