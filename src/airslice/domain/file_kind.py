"""What a slice file holds: its format, its sample rate, and whose encoding it is."""

from __future__ import annotations

from dataclasses import dataclass

from airslice.domain.apps import RtcApp, SliceFormat
from airslice.slicing.audio import OPUS_GRAIN_SAMPLES
from airslice.slicing.packets import RTP_CLOCK_HZ


@dataclass(frozen=True, kw_only=True, slots=True)
class FileKind:
    """The kind of a slice file.

    Raises:
        ValueError: the publisher's packets cannot be written in this format, only as `OGG`.
    """

    slice_format: SliceFormat
    sample_rate_hz: int
    """Rate of the samples that its slice is counted in."""
    passthrough: bool
    """Whether it holds the publisher's own Opus packets (`OpusAudio`), not decoded `PcmAudio`."""

    def __post_init__(self) -> None:
        if self.passthrough and self.slice_format is not SliceFormat.OGG:
            raise ValueError(f"Opus packets cannot be written as {self.slice_format}")

    @classmethod
    def of_streams(cls, app: RtcApp) -> FileKind:
        """Return the kind of an application's slices of single streams."""
        if app.slice_format is SliceFormat.OGG:
            return cls(slice_format=SliceFormat.OGG, sample_rate_hz=RTP_CLOCK_HZ, passthrough=True)
        return cls.of_mixes(app)

    @classmethod
    def of_mixes(cls, app: RtcApp) -> FileKind:
        """Return the kind of an application's slices of mixes, which are always decoded."""
        return cls(
            slice_format=app.slice_format, sample_rate_hz=app.sample_rate_hz, passthrough=False
        )

    @property
    def grain_samples(self) -> int:
        """What the places where slices can begin and end are multiples of, in samples."""
        return OPUS_GRAIN_SAMPLES if self.passthrough else 1
