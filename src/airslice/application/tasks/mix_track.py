"""The mix of a task's streams, and its slices."""

from __future__ import annotations

from airslice.application.tasks.slice_track import SliceTrack
from airslice.slicing.assembly import Block
from airslice.slicing.audio import PcmAudio
from airslice.slicing.mixer import Mixer


class MixTrack:
    """Sums what the streams add, and slices the sum. Positions are of the PCM grid."""

    def __init__(self, mixer: Mixer, track: SliceTrack[PcmAudio], sample_rate_hz: int) -> None:
        self._mixer = mixer
        self._chunk_samples = sample_rate_hz  # bounds what is summed at a time to a second
        self.track = track

    @property
    def position(self) -> int:
        """Everything before it has been mixed."""
        return self._mixer.position

    @property
    def late_samples(self) -> int:
        """Came after their place had been mixed."""
        return self._mixer.late_samples

    def add(self, block: Block[PcmAudio]) -> None:
        """Add a stream's audio."""
        position = self._mixer.position
        forced = self._mixer.add(block.position, block.audio)
        if forced is not None:
            self._slice(position, forced)

    def mix_until(self, position: int) -> None:
        """No stream will add anything before `position`: mix and slice it."""
        while (start := self._mixer.position) < position:
            audio = self._mixer.mix_until(min(position, start + self._chunk_samples))
            if audio is not None:
                self._slice(start, audio)

    def _slice(self, position: int, audio: PcmAudio) -> None:
        self.track.handle(self.track.slicer.feed(position, audio))
