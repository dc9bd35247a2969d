"""Record finished slices, each stream's in order: from then on they will be delivered."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable

from airslice.application.delivery.courier import until_recorded
from airslice.application.ports.records import TaskStore
from airslice.application.ports.storage import SpooledFile
from airslice.application.tasks.track import ClosedSlice
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import AirsliceError
from airslice.domain.room import StreamKey
from airslice.domain.slice_record import SliceRecord, object_key

_log = logging.getLogger(__name__)

PCM_BITS = 16


class SliceRecorder:
    """Takes slices as they are closed, and puts them with their uploads into the records."""

    def __init__(
        self,
        *,
        store: TaskStore,
        wall_clock: WallClock,
        sleep: Callable[[float], Awaitable[None]],
        on_recorded: Callable[[ClosedSlice], None],
    ) -> None:
        """Record in `store`; `on_recorded` is told of each slice that is safe."""
        self._store = store
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._on_recorded = on_recorded
        self._recording: defaultdict[str, dict[StreamKey, asyncio.Task[None]]] = defaultdict(dict)
        """The latest of each stream, by run; it ends after those before it."""
        self.waiting_slices = 0
        """Accepted, and not yet in the records."""
        self.failed_slices = 0
        """Whose file could not be written: their audio is lost."""
        self._failed_in_a_row = 0

    def accept(self, closed: ClosedSlice) -> None:
        """Take a slice whose audio is complete; its file may still be being written."""
        run = self._recording[closed.run_id]
        recording = asyncio.get_running_loop().create_task(
            self._record(closed, run.get(closed.stream))
        )
        run[closed.stream] = recording
        self.waiting_slices += 1
        recording.add_done_callback(lambda done: self._forget(closed.run_id, closed.stream, done))

    async def recorded(self, run_id: str) -> None:
        """Wait until every slice of a run that was accepted is on disk and in the records."""
        if recording := self._recording.get(run_id):
            await asyncio.wait(tuple(recording.values()))

    async def close(self) -> None:
        """Wait until all accepted slices are recorded."""
        for run_id in tuple(self._recording):
            await self.recorded(run_id)

    async def _record(self, closed: ClosedSlice, former: asyncio.Task[None] | None) -> None:
        try:
            file = await closed.file.finished()
        except (AirsliceError, OSError) as error:
            file = None
            self._lost(f"run {closed.run_id}, {closed.stream}, slice {closed.index}: {error}")
        if former is not None:
            # A short last slice may be written sooner than the long one before it; but indexes
            # in the records have no gaps, and callbacks follow them.
            await asyncio.wait((former,))
        if file is None:
            return
        record = self._record_of(closed, file)
        try:
            await until_recorded(
                lambda: self._store.add_slice(record), record.object_key, self._sleep
            )
        except AirsliceError as error:  # its run is forgotten
            self._lost(f"{record.object_key}: {error}")
            return
        self._on_recorded(closed)
        if self._failed_in_a_row:
            _log.warning("slices are kept again, %d were lost", self._failed_in_a_row)
            self._failed_in_a_row = 0

    def _lost(self, what: str) -> None:
        """Count a slice that is lost; log the first of those that follow one another."""
        self.failed_slices += 1
        if not self._failed_in_a_row:
            _log.error("slice lost, more may be: %s", what)
        self._failed_in_a_row += 1

    def _record_of(self, closed: ClosedSlice, file: SpooledFile) -> SliceRecord:
        return SliceRecord(
            run_id=closed.run_id,
            stream=closed.stream,
            index=closed.index,
            object_key=object_key(
                identifier=closed.identifier,
                stream=closed.stream,
                start_ms=closed.start_ms,
                index=closed.index,
                extension=closed.kind.slice_format.extension,
            ),
            start_ms=closed.start_ms,
            samples=closed.samples,
            sample_rate_hz=closed.kind.sample_rate_hz,
            channels=1,
            bits_per_sample=PCM_BITS,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            generated_at_ms=self._wall_clock.utc_ms(),
            spool_name=closed.file.name,
            event_id=str(uuid.uuid4()),
            identifier=closed.identifier,
        )

    def _forget(self, run_id: str, stream: StreamKey, recording: asyncio.Task[None]) -> None:
        self.waiting_slices -= 1
        run = self._recording[run_id]
        if run.get(stream) is recording:
            del run[stream]
        if not run:
            del self._recording[run_id]
        if not recording.cancelled() and (error := recording.exception()):
            _log.error("a slice of run %s is not recorded", run_id, exc_info=error)
