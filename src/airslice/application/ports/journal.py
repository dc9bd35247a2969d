"""What has been received and is not yet safe in finished slices, kept over a crash.

The journal holds the pieces of each stream's timeline, as they were decided, and notes of the
slices that they go into. A slice is *settled* once it is on the disk and in the records, or
dropped: then nobody needs its pieces again. After a crash `recovery` makes the slices that were
not settled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from airslice.domain.file_kind import FileKind
from airslice.domain.room import MIXED_STREAM, RoomKey, StreamKey
from airslice.slicing.timeline import Piece


class StreamAddress(NamedTuple):
    """Names a published stream on this machine."""

    room: RoomKey
    stream: StreamKey


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceNote:
    """What it takes to make a slice again from its streams' pieces."""

    name: str
    """Name of its file in the spool, which no other slice has."""
    run_id: str
    """The start of a task that it belongs to."""
    address: StreamAddress
    """`stream` is `MIXED_STREAM` for a slice of the mix."""
    kind: FileKind
    """What its file holds; `position`, `offset` and `max_samples` count samples of its rate."""
    identifier: str
    """Prefix of the name that the slice gets in its bucket."""
    position: int
    """Position of its first sample, on the stream's timeline or, if aligned, on the task's grid."""
    offset: int
    """Place on the grid minus place on the timeline; 0 for an unaligned slice."""
    max_samples: int
    """Its length if nothing cuts it short."""
    start_utc_ns: int
    """When its first sample was captured, as far as was known when it was opened: nanoseconds
    since the Unix epoch."""
    aligned: bool
    """Whether unpublished time in it is silence."""
    judged: bool
    """Whether it is dropped if it is silent."""

    @property
    def is_mix(self) -> bool:
        """Whether it is of the mix."""
        return self.address.stream == MIXED_STREAM


class Journal(Protocol):
    """Where notes are made. Every call returns at once."""

    @property
    def failing(self) -> bool:
        """Whether what is received now is not kept, for the disk does not take it."""

    @property
    def size_bytes(self) -> int:
        """Bytes of the disk that it takes."""

    @property
    def dropped_bytes(self) -> int:
        """Bytes of records that the disk did not take, or that its bound left out."""

    def keep(self, address: StreamAddress, pieces: Sequence[Piece]) -> None:
        """Keep a stream's next pieces."""

    def placed(self, run_id: str, address: StreamAddress, offset: int) -> None:
        """A stream that is mixed lies at `offset` on the task's PCM grid from now on."""

    def opened(self, note: SliceNote, *, reach_back_s: float) -> None:
        """Note that a slice was opened; it begins with pieces of up to so many seconds ago."""

    def closed(self, name: str, *, index: int, samples: int) -> None:
        """Note that a slice got its number and its length."""

    def settled(self, name: str) -> None:
        """A slice is safe, or was dropped."""

    def run_ended(self, run_id: str) -> None:
        """No stream is mixed in this run any more."""


class NoJournal:
    """Keeps nothing: what is in open slices is lost in a crash."""

    failing = False
    size_bytes = 0
    dropped_bytes = 0

    def keep(self, address: StreamAddress, pieces: Sequence[Piece]) -> None:
        """Keep nothing."""

    def placed(self, run_id: str, address: StreamAddress, offset: int) -> None:
        """Note nothing."""

    def opened(self, note: SliceNote, *, reach_back_s: float) -> None:
        """Note nothing."""

    def closed(self, name: str, *, index: int, samples: int) -> None:
        """Note nothing."""

    def settled(self, name: str) -> None:
        """Note nothing."""

    def run_ended(self, run_id: str) -> None:
        """Note nothing."""


@dataclass(kw_only=True, slots=True)
class UnsettledSlice:
    """A slice that a crash interrupted."""

    note: SliceNote
    index: int | None = None
    """Its number; None if it was still open."""
    samples: int | None = None
    """Its length; None if it was still open."""


class PastJournal(Protocol):
    """What a server that has died left."""

    @property
    def unsettled(self) -> Sequence[UnsettledSlice]:
        """In the order in which they were opened."""

    @property
    def placements(self) -> Mapping[tuple[str, StreamAddress], int]:
        """Where streams lay on the PCM grids of runs: the latest, by run id and stream."""

    def pieces(self, address: StreamAddress) -> Iterator[Piece]:
        """Read a stream's pieces again, in order."""

    def forget(self) -> None:
        """Everything in it is settled now."""
