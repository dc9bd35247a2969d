"""A slice task while it runs: which streams it slices, and where updates and its end cut them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from airslice.application.rooms.published_stream import PublishedStream
from airslice.application.tasks.mix_track import MixTrack
from airslice.application.tasks.stream_subscription import StreamSubscription
from airslice.application.tasks.track import TrackTools
from airslice.application.tasks.track_plan import TrackPlan
from airslice.domain.apps import RtcApp
from airslice.domain.file_kind import FileKind
from airslice.domain.room import MIXED_STREAM, StreamKey
from airslice.domain.slice_task import MAX_STREAMS, SliceTask, TaskChange
from airslice.slicing.packets import RTP_CLOCK_HZ
from airslice.slicing.task_grid import TaskGrid


class TaskRun:
    """Slices a room's streams for one task, from its start or a restart until it stops."""

    def __init__(
        self,
        task: SliceTask,
        app: RtcApp,
        tools: TrackTools,
        *,
        next_index: Mapping[StreamKey, int] | None = None,
    ) -> None:
        """Begin to run at this moment.

        Args:
            task: The task; its grid begins where it was started.
            app: Its application.
            tools: What its tracks work with.
            next_index: Number of the next slice of each stream that has some from before. Given
                when the task goes on after a restart of the server.
        """
        self.task = task
        self._tools = tools
        self._clock = tools.wall_clock
        self._kind = FileKind.of_streams(app)
        mix_kind = FileKind.of_mixes(app)
        self._next_index = dict(next_index or {})
        self._aligned = task.order.control.align
        now_ns = self._clock.monotonic_ns()
        origin_ns = min(now_ns, task.started_at_ms * 1_000_000 - self._clock.offset_ns)
        self._begun_ns = origin_ns if next_index is None else now_ns
        """Audio captured before is not the task's, or was lost with the server."""
        self._pcm_grid = TaskGrid(origin_ns, mix_kind.sample_rate_hz)
        self._grid = TaskGrid(origin_ns, self._kind.sample_rate_hz, grain=self._kind.grain_samples)
        self._subscriptions: dict[StreamKey, StreamSubscription] = {}
        self._waiting: dict[StreamKey, PublishedStream] = {}
        self._idle_since_ns: int | None = now_ns
        self._mix: MixTrack | None = None
        if task.order.control.mixed:
            plan = self._plan(MIXED_STREAM, mix_kind, position=self._begin_on(self._pcm_grid))
            self._mix = MixTrack(plan, tools, self._pcm_grid)

    @property
    def waiting_streams(self) -> int:
        """Published streams that are not sliced because the task has its full number."""
        return len(self._waiting)

    @property
    def streams(self) -> list[PublishedStream]:
        """The streams that are sliced."""
        return [subscription.stream for subscription in self._subscriptions.values()]

    def idle_ns(self, now_ns: int) -> int:
        """Return for how long no stream of the task has been published."""
        return 0 if self._idle_since_ns is None else now_ns - self._idle_since_ns

    def stream_published(self, stream: PublishedStream) -> None:
        """Slice a stream that is published in the room, if the order asks for it."""
        targets = self.task.order.targets
        if targets and all(target.stream != stream.key for target in targets):
            return
        self._idle_since_ns = None
        if stream.key not in self._subscriptions:
            self._waiting[stream.key] = stream
            self._take_waiting()

    def stream_unpublished(self, stream: PublishedStream) -> None:
        """Note that a stream of the room is not published any more; its period goes on."""
        self._waiting.pop(stream.key, None)
        if self._idle_since_ns is None and not any(s.published for s in self.streams):
            self._idle_since_ns = self._clock.monotonic_ns()

    def beat(self, now_ns: int) -> None:
        """Decide what time alone decides; `now_ns` is monotonic."""
        subscriptions = self._subscriptions.values()
        for subscription in subscriptions:
            subscription.advance(now_ns)
        if self._mix is not None:
            active = (s.mixed_until for s in subscriptions if s.stream.is_active(now_ns))
            self._mix.advance(min(active, default=self._pcm_grid.at(now_ns)))
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
        for subscription in self._subscriptions.values():
            track = subscription.track
            track.apply(order, at=position if self._aligned else track.position, restart=restart)
        if self._mix is not None:
            self._mix.apply(order, at=self._on_pcm_grid(position), restart=restart)

    def stop(self) -> None:
        """Close the open slices, which may be shorter, and let go of the streams.

        Streams that share the grid are closed at the same place: the last that was received.
        """
        now_ns = self._clock.monotonic_ns()
        end = self._decided()
        subscriptions = self._subscriptions.values()
        if not any(stream.is_active(now_ns) for stream in self.streams):
            end = max(end, self._grid.line_at(now_ns))
        for subscription in subscriptions:
            subscription.cancel()
            if self._aligned:
                subscription.track.advance(end)
            subscription.track.finish()
        if self._mix is not None:
            mixed = [subscription.mixed_until for subscription in subscriptions]
            self._mix.advance(max(self._on_pcm_grid(end), *mixed, 0))
            self._mix.finish()
        self._subscriptions.clear()
        self._waiting.clear()
        self._tools.journal.run_ended(self.task.run_id)

    def _take_waiting(self) -> None:
        """Slice the streams that wait, in order of publication, up to `MAX_STREAMS` at a time."""
        if len(self._subscriptions) >= MAX_STREAMS:
            self._release_gone()
        while self._waiting and len(self._subscriptions) < MAX_STREAMS:
            key = next(iter(self._waiting))
            self._subscriptions[key] = self._subscribe(self._waiting.pop(key))

    def _subscribe(self, stream: PublishedStream) -> StreamSubscription:
        if self._aligned:
            position = self._begin_on(self._grid)
        else:
            begin = max(0, stream.position_at(self._begun_ns)) if stream.timeline.end else 0
            position = begin * self._grid.rate_hz // RTP_CLOCK_HZ
        plan = self._plan(stream.key, self._kind, position=position)
        return StreamSubscription(
            stream, plan, self._tools, grid=self._grid, pcm_grid=self._pcm_grid, mix=self._mix
        )

    def _plan(self, stream: StreamKey, kind: FileKind, *, position: int) -> TrackPlan:
        next_index = self._next_index.get(stream, 0)
        return TrackPlan.of_order(self.task, stream, kind, position=position, next_index=next_index)

    def _begin_on(self, grid: TaskGrid) -> int:
        return grid.cut_at(grid.at(self._begun_ns))

    def _release_gone(self) -> None:
        """Make room: let go of streams that are not published and have no open slice."""
        for key, subscription in tuple(self._subscriptions.items()):
            if not subscription.stream.published and not subscription.track.is_open:
                subscription.cancel()
                self._next_index[key] = subscription.track.next_index
                del self._subscriptions[key]

    def _decided(self) -> int:
        """The last place of the grid before which some track has decided everything."""
        positions = [0]
        if self._mix is not None:
            positions.append(self._mix.position * self._grid.rate_hz // self._pcm_grid.rate_hz)
        if self._aligned:
            positions += (s.track.position for s in self._subscriptions.values())
        return max(positions)

    def _on_pcm_grid(self, position: int) -> int:
        return position * self._pcm_grid.rate_hz // self._grid.rate_hz
