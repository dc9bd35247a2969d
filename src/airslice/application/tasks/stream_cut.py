"""One stream within a running task: its slices, and its part in the mix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airslice.application.rooms.published_stream import STALL_NS, PublishedStream
from airslice.application.tasks.mix_track import MixTrack
from airslice.application.tasks.slice_track import SliceTrack
from airslice.slicing.assembly import Block
from airslice.slicing.audio import OPUS_GRAIN_SAMPLES, OpusAudio, PcmAudio
from airslice.slicing.grid import GridPlacer, opus_stretch, pcm_stretch
from airslice.slicing.packets import RTP_CLOCK_HZ
from airslice.slicing.task_grid import TaskGrid


class StreamPlacers:
    """Place a stream's audio on a task's grid: decoded, and as packets."""

    def __init__(self, pcm_rate_hz: int) -> None:
        self.pcm = GridPlacer(pcm_stretch(pcm_rate_hz), pcm_rate_hz)
        self.opus = GridPlacer(opus_stretch, RTP_CLOCK_HZ, grain=OPUS_GRAIN_SAMPLES)


class StreamCut:
    """Listens to a published stream and feeds its track, and the mix if there is one."""

    def __init__(
        self,
        stream: PublishedStream,
        track: SliceTrack[Any],
        *,
        grid: TaskGrid,
        pcm_grid: TaskGrid,
        aligned: bool,
        passthrough: bool,
        mix: MixTrack | None,
        placers: StreamPlacers,
        on_placed: Callable[[int], None],
    ) -> None:
        """Subscribe to `stream`.

        Args:
            stream: Whose audio it is.
            track: Of its slices.
            grid: In samples of the track's slicer.
            pcm_grid: In samples of decoded audio.
            aligned: Whether slices are cut on the grid.
            passthrough: Whether slices hold the publisher's own packets.
            mix: The task's mix; None if it has none.
            placers: Place its audio on the grid.
            on_placed: Told where the stream lies on the PCM grid if it is mixed, and again when
                that changes.
        """
        self.stream = stream
        self.track = track
        self.wants_opus = passthrough
        self.wants_pcm = not passthrough or mix is not None
        self._grid = grid
        self._pcm_grid = pcm_grid
        self._aligned = aligned
        self._mix = mix
        self._placers = placers
        self._on_placed = on_placed
        self._offset: int | None = None  # as `on_placed` was told
        self.mixed_until = 0 if mix is None else mix.position
        """PCM grid position up to which the stream has been added to the mix."""
        stream.subscribe(self)

    @property
    def corrected_samples(self) -> int:
        """Samples put in or left out against drift."""
        return self._placers.pcm.corrected_samples + self._placers.opus.corrected_samples

    def feed(self, pcm: Sequence[Block[PcmAudio]], opus: Sequence[Block[OpusAudio]]) -> None:
        """Take the stream's next audio (port `StreamListener`)."""
        for block in pcm:
            placed = block
            if self._aligned or self._mix is not None:
                placed = self._placed(self._placers.pcm, block, self._pcm_grid)
            if self._mix is not None:
                self._note_place(placed.position - block.position)
                self._mix.add(placed)
                self.mixed_until = placed.position + placed.audio.samples
            if not self.wants_opus:
                self._slice(placed if self._aligned else block)
        for packets in opus:
            if self._aligned:
                packets = self._placed(self._placers.opus, packets, self._grid)
            self._slice(packets)

    def advance(self, now_ns: int) -> None:
        """Time has passed: let a period end without audio that will not come any more."""
        if self.stream.is_active(now_ns):
            return
        decided_ns = now_ns - (STALL_NS if self.stream.published else 0)
        slicer = self.track.slicer
        if self._aligned:
            self.track.handle(slicer.advance(self._grid.line_at(decided_ns)))
        elif self.track.is_open:
            # The slice is closed but its time is not decided: should the audio come after all,
            # it goes into another slice. Nothing is lost where nobody shares the grid.
            position = self.stream.position_at(decided_ns) * self._grid.rate_hz // RTP_CLOCK_HZ
            if position >= slicer.boundary:
                self.track.handle(slicer.finish())

    def _note_place(self, offset: int) -> None:
        if offset != self._offset:
            self._offset = offset
            self._on_placed(offset)

    def _slice(self, block: Block[Any]) -> None:
        self.track.handle(self.track.slicer.feed(block.position, block.audio))

    def _placed(self, placer: GridPlacer[Any], block: Block[Any], grid: TaskGrid) -> Block[Any]:
        ticks = block.position * (RTP_CLOCK_HZ // grid.rate_hz)
        captured_ns = self.stream.timeline.captured_ns(ticks)
        placed: Block[Any] = placer.place(block, 0 if captured_ns is None else grid.at(captured_ns))
        return placed
