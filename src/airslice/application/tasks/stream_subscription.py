"""A task's subscription to one published stream: it feeds the stream's track, and the mix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airslice.application.rooms.published_stream import PublishedStream
from airslice.application.tasks.mix_track import MixTrack
from airslice.application.tasks.track import CaptureTimes, Track, TrackTools
from airslice.application.tasks.track_plan import TrackPlan
from airslice.slicing.assembly import Block
from airslice.slicing.audio import OpusAudio, PcmAudio
from airslice.slicing.grid import GridPlacer, opus_stretch, pcm_stretch
from airslice.slicing.packets import RTP_CLOCK_HZ
from airslice.slicing.task_grid import TaskGrid
from airslice.slicing.timeline import STALL_NS, Timeline


class _TimelineTimes:
    """Capture times of a stream that has audio, for positions on its timeline."""

    def __init__(self, timeline: Timeline, rate_hz: int) -> None:
        self._timeline = timeline
        self._ticks = RTP_CLOCK_HZ // rate_hz

    def captured_ns(self, position: int) -> int:
        return self._timeline.captured_ns(position * self._ticks) or 0


class StreamSubscription:
    """Takes a published stream's audio until it is told to stop (port `AudioConsumer`)."""

    def __init__(
        self,
        stream: PublishedStream,
        plan: TrackPlan,
        tools: TrackTools,
        *,
        grid: TaskGrid,
        pcm_grid: TaskGrid,
        mix: MixTrack | None,
    ) -> None:
        """Subscribe to `stream`.

        Args:
            stream: Whose audio it is.
            plan: How it is sliced.
            tools: What its track works with.
            grid: The task's, in samples of the plan's kind.
            pcm_grid: The task's, in samples of decoded audio.
            mix: The task's mix; None if it has none.
        """
        self.stream = stream
        self.wants_opus = plan.kind.passthrough
        self.wants_pcm = not plan.kind.passthrough or mix is not None
        self._aligned = plan.aligned
        self._grid = grid
        self._pcm_grid = pcm_grid
        self._mix = mix
        self._journal = tools.journal
        self._offset: int | None = None  # as the journal was told
        self.mixed_until = 0 if mix is None else mix.position
        """PCM grid position up to which the stream has been added to the mix."""
        self._pcm_placer = GridPlacer(pcm_stretch(pcm_grid.rate_hz), pcm_grid.rate_hz)
        self._opus_placer = GridPlacer(opus_stretch, RTP_CLOCK_HZ, grain=grid.grain)
        placer: GridPlacer[Any] | None = None
        times: CaptureTimes = _TimelineTimes(stream.timeline, grid.rate_hz)
        if plan.aligned:
            placer = self._opus_placer if self.wants_opus else self._pcm_placer
            times = grid
        self.track: Track[Any] = Track(plan, tools, times, placer)
        stream.subscribe(self)

    def feed(self, pcm: Sequence[Block[PcmAudio]], opus: Sequence[Block[OpusAudio]]) -> None:
        """Take the stream's next audio."""
        for block in pcm:
            placed = block
            if self._aligned or self._mix is not None:
                placed = self._placed(self._pcm_placer, block, self._pcm_grid)
            if self._mix is not None:
                self._note_offset(placed.position - block.position)
                self._mix.feed(placed)
                self.mixed_until = placed.position + placed.audio.samples
            if not self.wants_opus:
                self.track.feed(placed if self._aligned else block)
        for packets in opus:
            if self._aligned:
                packets = self._placed(self._opus_placer, packets, self._grid)
            self.track.feed(packets)

    def advance(self, now_ns: int) -> None:
        """Let a period end without audio that will not come any more; `now_ns` is monotonic."""
        if self.stream.is_active(now_ns):
            return
        decided_ns = now_ns - (STALL_NS if self.stream.published else 0)
        if self._aligned:
            self.track.advance(self._grid.line_at(decided_ns))
        elif self.track.is_open:
            # The slice is closed but its time is not decided: should the audio come after all,
            # it goes into another slice. Nothing is lost where nobody shares the grid.
            position = self.stream.position_at(decided_ns) * self._grid.rate_hz // RTP_CLOCK_HZ
            if position >= self.track.boundary:
                self.track.finish()

    def cancel(self) -> None:
        """Take no more audio; the track stays as it is."""
        self.stream.unsubscribe(self)

    def _note_offset(self, offset: int) -> None:
        """Let a crash find the stream on the PCM grid."""
        if offset != self._offset:
            self._offset = offset
            self._journal.placed(self.track.plan.run_id, self.track.plan.address, offset)

    def _placed(self, placer: GridPlacer[Any], block: Block[Any], grid: TaskGrid) -> Block[Any]:
        ticks = block.position * (RTP_CLOCK_HZ // grid.rate_hz)
        captured_ns = self.stream.timeline.captured_ns(ticks)
        placed: Block[Any] = placer.place(block, 0 if captured_ns is None else grid.at(captured_ns))
        return placed
