"""What tracks work with, all in memory, and what came out of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from airslice.application.ports.journal import NoJournal, SliceNote, StreamAddress
from airslice.application.tasks.track import ClosedSlice, TrackTools
from airslice.application.tasks.track_plan import TrackPlan
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import SliceFormat
from airslice.domain.file_kind import FileKind
from airslice.domain.room import RoomKey, StreamKey
from airslice.slicing.audio import OpusAudio, PcmAudio
from airslice.slicing.task_grid import TaskGrid
from tests.support.stages.stage import HandClock

RATE_HZ = 16_000
WAV = FileKind(slice_format=SliceFormat.WAV, sample_rate_hz=RATE_HZ, passthrough=False)
PACKETS = FileKind(slice_format=SliceFormat.OGG, sample_rate_hz=48_000, passthrough=True)
ANN = StreamAddress(RoomKey("app", "room"), StreamKey("ann"))


class KeptFile:
    """A slice file in memory (port `SpoolFile`)."""

    def __init__(self, name: str, kind: FileKind) -> None:
        self.name = name
        self.kind = kind
        self.writes: list[list[Any]] = []
        self.end = ""
        """What was called last: finish or discard."""

    def write(self, audio: Sequence[PcmAudio] | Sequence[OpusAudio]) -> None:
        assert not self.end
        self.writes.append(list(audio))

    def finish(self) -> None:
        assert not self.end
        self.end = "finish"

    def discard(self) -> None:
        assert not self.end
        self.end = "discard"

    @property
    def pcm(self) -> bytes:
        return b"".join(audio.pcm for write in self.writes for audio in write)


class KeptSpool:
    """Makes files in memory (port `Spool`, as far as tracks use it)."""

    def __init__(self) -> None:
        self.files: list[KeptFile] = []
        self._numbers = itertools.count(1)

    def open(self, kind: FileKind, *, name: str | None = None) -> KeptFile:
        file = KeptFile(name or f"file {next(self._numbers)}", kind)
        self.files.append(file)
        return file


class KeptJournal(NoJournal):
    """Keeps what it was told, in order."""

    def __init__(self) -> None:
        self.notes: list[SliceNote] = []
        self.reach_back_s: list[float] = []
        self.facts: list[tuple[Any, ...]] = []
        """Everything but notes."""

    def placed(self, run_id: str, address: StreamAddress, offset: int) -> None:
        self.facts.append(("placed", run_id, address, offset))

    def opened(self, note: SliceNote, *, reach_back_s: float) -> None:
        self.notes.append(note)
        self.reach_back_s.append(reach_back_s)

    def closed(self, name: str, *, index: int, samples: int) -> None:
        self.facts.append(("closed", name, index, samples))

    def settled(self, name: str) -> None:
        self.facts.append(("settled", name))


class TrackBench:
    """Tools for tracks; the grid begins now."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.wall_clock = WallClock(self.clock)
        self.spool = KeptSpool()
        self.journal = KeptJournal()
        self.closed: list[ClosedSlice] = []
        self.grid = TaskGrid(self.clock.now_ns, RATE_HZ)
        self.start_ms = self.clock.utc_ns() // 1_000_000
        self.tools = TrackTools(
            spool=self.spool,  # type: ignore[arg-type]
            journal=self.journal,
            wall_clock=self.wall_clock,
            silence_dbfs=-50,
            on_closed=self._take,
        )

    def _take(self, closed: ClosedSlice) -> None:
        # The journal knows of a slice before anything else does.
        assert ("closed", closed.file.name, closed.index, closed.samples) in self.journal.facts
        self.closed.append(closed)

    @property
    def lengths(self) -> list[int]:
        """Samples of the slices that were closed."""
        return [closed.samples for closed in self.closed]


def a_plan(**changes: Any) -> TrackPlan:
    """A plan of one-second slices of a stream's own time; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "run_id": "run",
        "address": ANN,
        "kind": WAV,
        "identifier": "prefix",
        "next_index": 0,
        "position": 0,
        "period": RATE_HZ,
        "aligned": False,
        "judged": False,
    }
    return TrackPlan(**(fields | changes))


def pcm(samples: int, value: int = 1_000) -> PcmAudio:
    """Audio of one value."""
    return PcmAudio(value.to_bytes(2, "little", signed=True) * samples)
