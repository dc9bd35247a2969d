"""What a track of slices is to be, from a running task's order or from a journal's note.

The plan stays as it is while its track lives; what updates change is the track's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airslice.application.ports.journal import SliceNote, StreamAddress
from airslice.domain.file_kind import FileKind
from airslice.domain.room import MIXED_STREAM, StreamKey
from airslice.domain.slice_task import SliceTask
from airslice.slicing.audio import PCM_SAMPLE_BYTES, OpusAudio, PcmAudio
from airslice.slicing.opus_packet import silent_frames
from airslice.slicing.silence import LevelMeter, PcmMeter
from airslice.slicing.slicer import Slicer, SliceRules


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackPlan:
    """How one stream of one task is sliced; positions and lengths count samples of `kind`."""

    run_id: str
    """The start of a task that its slices belong to."""
    address: StreamAddress
    """The stream; `MIXED_STREAM` in its room for the mix."""
    kind: FileKind
    """What its files hold."""
    identifier: str
    """File name prefix of its slices, until an update changes it."""
    next_index: int
    """Number of its first slice."""
    position: int
    """Where it begins, on the task's grid if aligned, else on the stream's timeline."""
    period: int
    """Length of a period, until an update changes it."""
    origin: int | None = None
    """Where periods are counted from. None: from the first sample to come."""
    overlap: int = 0
    """Samples of the time before its period that each slice begins with."""
    aligned: bool
    """Whether slices share the task's grid, so that unpublished time in them is silence."""
    judged: bool
    """Whether wholly silent slices are dropped."""
    slicing: bool = True
    """Whether slices are cut from the beginning, or only after an update."""
    file_name: str | None = None
    """The file that a crash interrupted and that is written anew. None: new files."""

    @classmethod
    def of_order(
        cls, task: SliceTask, stream: StreamKey, kind: FileKind, *, position: int, next_index: int
    ) -> TrackPlan:
        """Plan the track of a running task's stream, or of its mix (`MIXED_STREAM`)."""
        order, rate_hz = task.order, kind.sample_rate_hz
        mixed = stream == MIXED_STREAM
        aligned = order.control.align or mixed
        origin = (task.period_origin_ms - task.started_at_ms) * rate_hz // 1000
        overlap = order.control.redundant_ms * rate_hz // 1000
        return cls(
            run_id=task.run_id,
            address=StreamAddress(task.key.room, stream),
            kind=kind,
            identifier=order.identifier,
            next_index=next_index,
            position=position,
            period=order.duration_s * rate_hz,
            origin=origin if aligned else None,
            overlap=overlap // kind.grain_samples * kind.grain_samples,
            aligned=aligned,
            judged=order.control.ignore_silence or (order.control.align and not mixed),
            slicing=order.handle,
        )

    @classmethod
    def of_note(cls, note: SliceNote, *, index: int) -> TrackPlan:
        """Plan a track of one slice, number `index`: the one that `note` says is to be made."""
        return cls(
            run_id=note.run_id,
            address=note.address,
            kind=note.kind,
            identifier=note.identifier,
            next_index=index,
            position=note.position,
            period=note.max_samples,
            origin=note.position,
            aligned=note.aligned,
            judged=note.judged,
            file_name=note.name,
        )

    def slicer(self, silence_dbfs: float) -> Slicer[Any]:
        """Return the slicer that does so; frames of more than `silence_dbfs` are no silence."""
        meter: PcmMeter | LevelMeter | None = None
        if self.judged and self.kind.passthrough:
            meter = LevelMeter(silence_dbfs)
        elif self.judged:
            meter = PcmMeter(silence_dbfs, self.kind.sample_rate_hz)
        fill = _silent_opus if self.kind.passthrough else _silent_pcm
        rules: SliceRules[Any] = SliceRules(
            overlap=self.overlap, fill=fill if self.aligned else None, meter=meter
        )
        return Slicer(
            rules,
            period=self.period,
            position=self.position,
            origin=self.origin,
            slicing=self.slicing,
        )


def _silent_pcm(samples: int) -> PcmAudio:
    return PcmAudio(bytes(samples * PCM_SAMPLE_BYTES))


def _silent_opus(samples: int) -> OpusAudio:
    return OpusAudio(tuple(silent_frames(samples)))  # `samples` is a multiple of 120
