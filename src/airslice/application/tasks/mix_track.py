"""The track of a task's mix: it sums what the streams add, and slices the sum."""

from __future__ import annotations

from airslice.application.tasks.track import Track, TrackTools
from airslice.application.tasks.track_plan import TrackPlan
from airslice.slicing.assembly import Block
from airslice.slicing.audio import PcmAudio
from airslice.slicing.mixer import Mixer
from airslice.slicing.task_grid import TaskGrid


class MixTrack(Track[PcmAudio]):
    """A track that all streams of a task feed, each in order; positions are of the PCM grid."""

    def __init__(self, plan: TrackPlan, tools: TrackTools, grid: TaskGrid) -> None:
        """Begin where `plan` says; `grid` is the task's, in samples of the plan's kind."""
        super().__init__(plan, tools, grid)
        self._mixer = Mixer(plan.position, grid.rate_hz)
        self._chunk_samples = grid.rate_hz  # bounds what is summed at a time to a second

    def feed(self, block: Block[PcmAudio]) -> None:
        """Add a stream's audio at its place; what comes after its place was mixed is left out."""
        start = self._mixer.position
        forced = self._mixer.add(block.position, block.audio)
        if forced is not None:
            super().feed(Block(start, forced))

    def advance(self, position: int) -> None:
        """Mix and slice everything before `position`: no stream will add to it any more."""
        while (start := self._mixer.position) < position:
            audio = self._mixer.mix_until(min(position, start + self._chunk_samples))
            if audio is not None:
                super().feed(Block(start, audio))
