"""Make the tracks of a task: what its order says, in samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airslice.application.mix_track import MixTrack
from airslice.application.ports import Spool
from airslice.application.published_stream import PublishedStream
from airslice.application.slice_track import CutSlice, FileKind, SliceTrack
from airslice.application.task_grid import TaskGrid
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import RtcApp, SliceFormat
from airslice.domain.room import MIXED_STREAM, StreamKey
from airslice.domain.slice_task import SliceTask
from airslice.slicing.audio import PCM_SAMPLE_BYTES, OpusAudio, PcmAudio
from airslice.slicing.mixer import Mixer
from airslice.slicing.opus_packet import silent_frames
from airslice.slicing.packets import RTP_CLOCK_HZ
from airslice.slicing.silence import LevelMeter, PcmMeter
from airslice.slicing.slicer import Slicer, SliceRules


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTools:
    """What a running task works with."""

    spool: Spool
    wall_clock: WallClock
    silence_dbfs: float
    on_cut: Callable[[SliceTask, CutSlice], None]
    """Takes the slices that are complete, in order of each stream."""


class TrackMaker:
    """Makes tracks for one application's tasks."""

    def __init__(self, app: RtcApp, tools: RunTools) -> None:
        self._app = app
        self._tools = tools
        self.passthrough = app.slice_format is SliceFormat.OGG
        """Whether slices of streams hold the publisher's own packets."""
        self.pcm_rate_hz = app.sample_rate_hz
        self._pcm_kind = FileKind(
            slice_format=app.slice_format, sample_rate_hz=app.sample_rate_hz, passthrough=False
        )
        self._opus_kind = FileKind(
            slice_format=SliceFormat.OGG, sample_rate_hz=RTP_CLOCK_HZ, passthrough=True
        )

    @property
    def stream_rate_hz(self) -> int:
        """Rate of the samples that slicers of streams count."""
        return RTP_CLOCK_HZ if self.passthrough else self.pcm_rate_hz

    def for_stream(
        self,
        task: SliceTask,
        stream: PublishedStream,
        *,
        grid: TaskGrid,
        begun_ns: int,
        next_index: int,
    ) -> SliceTrack[Any]:
        """Make the track of a published stream.

        Args:
            task: As it is now.
            stream: Whose audio it is.
            grid: In samples of `stream_rate_hz`.
            begun_ns: Audio captured before (monotonic) is not the task's.
            next_index: Number of its first slice.
        """
        control = task.order.control
        judged = control.align or control.ignore_silence
        rate_hz = grid.rate_hz
        rules: SliceRules[Any]
        if self.passthrough:
            rules = SliceRules(
                overlap=control.redundant_ms * rate_hz // 1000,
                fill=_silent_opus if control.align else None,
                meter=LevelMeter(self._tools.silence_dbfs) if judged else None,
            )
        else:
            rules = SliceRules(
                overlap=control.redundant_ms * rate_hz // 1000,
                fill=_silent_pcm if control.align else None,
                meter=PcmMeter(self._tools.silence_dbfs, rate_hz) if judged else None,
            )
        period = task.order.duration_s * rate_hz
        captured_ns: Callable[[int], int] = grid.captured_ns
        if control.align:
            position = grid.cut_at(grid.at(begun_ns))
            slicer = Slicer(
                rules, period=period, position=position, origin=_period_origin(task, grid)
            )
        else:
            position = max(0, stream.position_at(begun_ns)) if stream.timeline.end else 0
            slicer = Slicer(rules, period=period, position=position * rate_hz // RTP_CLOCK_HZ)
            captured_ns = _captured_by(stream, rate_hz)
        kind = self._opus_kind if self.passthrough else self._pcm_kind
        return self._track(task, stream.key, slicer, kind, captured_ns, next_index)

    def for_mix(
        self, task: SliceTask, *, grid: TaskGrid, begun_ns: int, next_index: int
    ) -> MixTrack:
        """Make the track of the mix; `grid` is in samples of `pcm_rate_hz`."""
        control = task.order.control
        rate_hz = grid.rate_hz
        meter = PcmMeter(self._tools.silence_dbfs, rate_hz) if control.ignore_silence else None
        position = grid.cut_at(grid.at(begun_ns))
        slicer = Slicer(
            SliceRules(
                overlap=control.redundant_ms * rate_hz // 1000, fill=_silent_pcm, meter=meter
            ),
            period=task.order.duration_s * rate_hz,
            position=position,
            origin=_period_origin(task, grid),
        )
        track = self._track(
            task, MIXED_STREAM, slicer, self._pcm_kind, grid.captured_ns, next_index
        )
        return MixTrack(Mixer(position, rate_hz), track, rate_hz)

    def _track(
        self,
        task: SliceTask,
        key: StreamKey,
        slicer: Slicer[Any],
        kind: FileKind,
        captured_ns: Callable[[int], int],
        next_index: int,
    ) -> SliceTrack[Any]:
        wall_clock = self._tools.wall_clock
        track: SliceTrack[Any] = SliceTrack(
            key,
            slicer,
            kind,
            spool=self._tools.spool,
            next_index=next_index,
            identifier=task.order.identifier,
            captured_ns=captured_ns,
            utc_offset_ns=lambda: wall_clock.offset_ns,
            on_cut=lambda cut: self._tools.on_cut(task, cut),
        )
        track.apply(task.order, at=slicer.position, restart=False)
        return track


def _period_origin(task: SliceTask, grid: TaskGrid) -> int:
    return (task.period_origin_ms - task.started_at_ms) * grid.rate_hz // 1000


def _captured_by(stream: PublishedStream, rate_hz: int) -> Callable[[int], int]:
    """Tell when a position, in samples of `rate_hz`, of a stream that has audio was captured."""
    ticks = RTP_CLOCK_HZ // rate_hz
    return lambda position: stream.timeline.captured_ns(position * ticks) or 0


def _silent_pcm(samples: int) -> PcmAudio:
    return PcmAudio(bytes(samples * PCM_SAMPLE_BYTES))


def _silent_opus(samples: int) -> OpusAudio:
    return OpusAudio(tuple(silent_frames(samples)))
