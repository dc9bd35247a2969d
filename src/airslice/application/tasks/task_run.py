"""A slice task while it runs: which streams it slices, and where their slices are cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from airslice.application.ports.journal import StreamAddress
from airslice.application.rooms.published_stream import PublishedStream
from airslice.application.tasks.mix_track import MixTrack
from airslice.application.tasks.slice_track import SliceTrack
from airslice.application.tasks.stream_cut import StreamCut, StreamPlacers
from airslice.application.tasks.track_maker import RunTools, TrackMaker
from airslice.domain.apps import RtcApp
from airslice.domain.room import MIXED_STREAM, StreamKey
from airslice.domain.slice_task import MAX_STREAMS, SliceTask, TaskChange
from airslice.slicing.task_grid import TaskGrid


class TaskRun:
    """Slices a room's streams for one task, from its start or a restart until it stops."""

    def __init__(
        self,
        task: SliceTask,
        app: RtcApp,
        tools: RunTools,
        *,
        next_index: Mapping[StreamKey, int] | None = None,
    ) -> None:
        """Begin to run at this moment.

        Args:
            task: The task; its grid begins where it was started.
            app: Its application.
            tools: What it works with.
            next_index: Given when the task goes on after a restart of the server: of each
                stream that has slices from before.
        """
        self.task = task
        self._maker = TrackMaker(app, tools)
        self._clock = tools.wall_clock
        self._journal = tools.journal
        self._next_index = dict(next_index or {})
        self._aligned = task.order.control.align
        now_ns = self._clock.monotonic_ns()
        origin_ns = min(now_ns, task.started_at_ms * 1_000_000 - self._clock.offset_ns)
        self._begun_ns = origin_ns if next_index is None else now_ns
        """Audio captured before is not the task's, or was lost with the server."""
        self._pcm_grid = TaskGrid(origin_ns, self._maker.pcm_rate_hz)
        self._grid = TaskGrid(origin_ns, self._maker.stream_rate_hz, grain=self._maker.stream_grain)
        self._cuts: dict[StreamKey, StreamCut] = {}
        self._waiting: dict[StreamKey, PublishedStream] = {}
        self._idle_since_ns: int | None = now_ns
        self._mix: MixTrack | None = None
        if task.order.control.mixed:
            self._mix = self._maker.for_mix(
                task,
                grid=self._pcm_grid,
                begun_ns=self._begun_ns,
                next_index=self._next_index.get(MIXED_STREAM, 0),
            )

    @property
    def waiting_streams(self) -> int:
        """Published streams that are not sliced because the task has its full number."""
        return len(self._waiting)

    @property
    def streams(self) -> list[PublishedStream]:
        """The streams that are sliced."""
        return [cut.stream for cut in self._cuts.values()]

    def idle_ns(self, now_ns: int) -> int:
        """For how long no stream of the task has been published."""
        return 0 if self._idle_since_ns is None else now_ns - self._idle_since_ns

    def stream_published(self, stream: PublishedStream) -> None:
        """A stream of the room is published: slice it if the task is to."""
        targets = self.task.order.targets
        if targets and all(target.stream != stream.key for target in targets):
            return
        self._idle_since_ns = None
        if stream.key not in self._cuts:
            self._waiting[stream.key] = stream
            self._take_waiting()

    def stream_unpublished(self, stream: PublishedStream) -> None:
        """A stream of the room is not published any more; its period goes on."""
        self._waiting.pop(stream.key, None)
        if self._idle_since_ns is None and not any(s.published for s in self.streams):
            self._idle_since_ns = self._clock.monotonic_ns()

    def beat(self, now_ns: int) -> None:
        """Time has passed."""
        for cut in self._cuts.values():
            cut.advance(now_ns)
        if self._mix is not None:
            until = self._pcm_grid.at(now_ns)
            active = (cut for cut in self._cuts.values() if cut.stream.is_active(now_ns))
            self._mix.mix_until(min((cut.mixed_until for cut in active), default=until))
        if self._waiting:
            self._take_waiting()

    def update(self, change: TaskChange) -> None:
        """Apply a change to what is sliced from now on."""
        position = max(self._grid.at(self._clock.monotonic_ns()), self._decided())
        position = self._grid.cut_at(position)
        restart = change.duration_s is not None
        self.task = self.task.changed(change)
        if restart:
            origin_ms = self.task.started_at_ms + position * 1000 // self._grid.rate_hz
            self.task = replace(self.task, period_origin_ms=origin_ms)
        order = self.task.order
        tracks: list[tuple[SliceTrack[Any], int]] = [
            (cut.track, position if self._aligned else cut.track.slicer.position)
            for cut in self._cuts.values()
        ]
        if self._mix is not None:
            tracks.append((self._mix.track, self._on_pcm_grid(position)))
        for track, at in tracks:
            track.apply(order, at=at, restart=restart)

    def stop(self) -> None:
        """Close the open slices, which may be shorter, and let go of the streams.

        Streams that share the grid are closed at the same place: the last that was received.
        """
        now_ns = self._clock.monotonic_ns()
        end = self._decided()
        if not any(cut.stream.is_active(now_ns) for cut in self._cuts.values()):
            end = max(end, self._grid.line_at(now_ns))
        for cut in self._cuts.values():
            cut.stream.unsubscribe(cut)
            if self._aligned:
                cut.track.handle(cut.track.slicer.advance(end))
            cut.track.handle(cut.track.slicer.finish())
        if self._mix is not None:
            mixed = [cut.mixed_until for cut in self._cuts.values()]
            self._mix.mix_until(max(self._on_pcm_grid(end), *mixed, 0))
            self._mix.track.handle(self._mix.track.slicer.finish())
        self._cuts.clear()
        self._waiting.clear()
        self._journal.run_ended(self.task.run_id)

    def _take_waiting(self) -> None:
        """Slice the streams that wait, in order of publication, while there is room."""
        if len(self._cuts) >= MAX_STREAMS:
            self._release_gone()
        while self._waiting and len(self._cuts) < MAX_STREAMS:
            key = next(iter(self._waiting))
            stream = self._waiting.pop(key)
            placers = StreamPlacers(self._maker.pcm_rate_hz)
            track = self._maker.for_stream(
                self.task,
                stream,
                grid=self._grid,
                begun_ns=self._begun_ns,
                next_index=self._next_index.get(key, 0),
                placer=placers.opus if self._maker.passthrough else placers.pcm,
            )
            self._cuts[key] = StreamCut(
                stream,
                track,
                grid=self._grid,
                pcm_grid=self._pcm_grid,
                aligned=self._aligned,
                passthrough=self._maker.passthrough,
                mix=self._mix,
                placers=placers,
                on_placed=partial(
                    self._journal.placed,
                    self.task.run_id,
                    StreamAddress(self.task.key.room, key),
                ),
            )

    def _release_gone(self) -> None:
        """Make room: let go of streams that are not published and have no open slice."""
        for key, cut in tuple(self._cuts.items()):
            if not cut.stream.published and not cut.track.is_open:
                cut.stream.unsubscribe(cut)
                self._next_index[key] = cut.track.next_index
                del self._cuts[key]

    def _decided(self) -> int:
        """The last place of the grid before which some track has decided everything."""
        positions = [0]
        if self._mix is not None:
            positions.append(self._mix.position * self._grid.rate_hz // self._pcm_grid.rate_hz)
        if self._aligned:
            positions += (cut.track.slicer.position for cut in self._cuts.values())
        return max(positions)

    def _on_pcm_grid(self, position: int) -> int:
        return position * self._pcm_grid.rate_hz // self._grid.rate_hz
