"""A finished slice: its name, what is recorded of it, and how far its delivery has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airslice.domain.room import StreamKey, StreamType


class SliceState(StrEnum):
    """How far the delivery of a slice has come."""

    SPOOLED = "spooled"  # a file on this machine
    STORED = "stored"  # confirmed by the object store
    ANNOUNCED = "announced"  # its callback was accepted, or there is nobody to call
    GIVEN_UP = "given_up"  # stored, but nobody took its callback


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceRecord:
    """One slice of a task's run. (run_id, stream, index) is unique."""

    run_id: str
    stream: StreamKey
    index: int
    """Number of the slice among those of its stream in this run, from 0, without gaps."""
    object_key: str
    """Name of the slice in its bucket, see `object_key`."""
    start_ms: int
    """UTC label of the first sample, milliseconds since the Unix epoch."""
    samples: int
    """Length of the audio, in samples per channel."""
    sample_rate_hz: int
    channels: int
    bits_per_sample: int
    size_bytes: int
    sha256: str
    """SHA-256 digest of the file, hexadecimal in lower case."""
    generated_at_ms: int
    """When the file was complete: UTC, milliseconds since the Unix epoch."""
    spool_name: str
    """Name of its file in the spool, which is removed once the slice is stored."""
    event_id: str
    """Id of the event that announces the slice, the same over all tries."""
    identifier: str | None = None
    """File name prefix that the slice was made under; None in records of earlier releases, which
    kept only the task's."""
    state: SliceState = SliceState.SPOOLED

    @property
    def duration_ms(self) -> int:
        """Length of the audio, rounded to the nearest millisecond."""
        return (self.samples * 1000 + self.sample_rate_hz // 2) // self.sample_rate_hz

    @property
    def end_ms(self) -> int:
        """UTC label of the end: `start_ms` plus `duration_ms`."""
        return self.start_ms + self.duration_ms


def object_key(
    *, identifier: str, stream: StreamKey, start_ms: int, index: int, extension: str
) -> str:
    """Return the name of a slice in its bucket, which is always the same for the same slice.

    Source: StartSegment, field Identifier: prefix, user, time stamp and number, in this order.
    """
    user = stream.user_id
    if stream.stream_type is StreamType.SCREEN:
        user += "_screen"
    return f"{identifier}_{user}_{start_ms}_{index}.{extension}"
