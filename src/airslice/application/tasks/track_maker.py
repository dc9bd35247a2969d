"""Make the tracks of a task: what its order says, in samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airslice.application.ports.journal import Journal, SliceNote, StreamAddress
from airslice.application.ports.storage import Spool, SpoolFile
from airslice.application.rooms.published_stream import PublishedStream
from airslice.application.tasks.mix_track import MixTrack
from airslice.application.tasks.slice_track import CutSlice, FileKind, SliceTrack
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import RtcApp, SliceFormat
from airslice.domain.room import MIXED_STREAM, StreamKey
from airslice.domain.slice_task import SliceTask
from airslice.slicing.audio import OPUS_GRAIN_SAMPLES, PCM_SAMPLE_BYTES, OpusAudio, PcmAudio
from airslice.slicing.grid import GridPlacer
from airslice.slicing.mixer import Mixer
from airslice.slicing.opus_packet import silent_frames
from airslice.slicing.packets import RTP_CLOCK_HZ
from airslice.slicing.silence import LevelMeter, PcmMeter, SilenceMeter
from airslice.slicing.slicer import Slicer, SliceRules
from airslice.slicing.task_grid import TaskGrid


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTools:
    """What a running task works with."""

    spool: Spool
    journal: Journal
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

    @property
    def stream_grain(self) -> int:
        """What the places where slices of streams begin and end are multiples of."""
        return OPUS_GRAIN_SAMPLES if self.passthrough else 1

    def for_stream(
        self,
        task: SliceTask,
        stream: PublishedStream,
        *,
        grid: TaskGrid,
        begun_ns: int,
        next_index: int,
        placer: GridPlacer[Any],
    ) -> SliceTrack[Any]:
        """Make the track of a published stream.

        Args:
            task: As it is now.
            stream: Whose audio it is.
            grid: In samples of `stream_rate_hz`.
            begun_ns: Audio captured before (monotonic) is not the task's.
            next_index: Number of its first slice.
            placer: Places its audio on the grid, if slices are aligned.
        """
        control = task.order.control
        rate_hz = grid.rate_hz
        overlap = control.redundant_ms * rate_hz // 1000
        rules: SliceRules[Any] = SliceRules(
            overlap=overlap // grid.grain * grid.grain,
            fill=(silent_opus if self.passthrough else silent_pcm) if control.align else None,
            meter=(
                silence_meter(self.passthrough, self._tools.silence_dbfs, rate_hz)
                if control.align or control.ignore_silence
                else None
            ),
        )
        period = task.order.duration_s * rate_hz
        kind = self._opus_kind if self.passthrough else self._pcm_kind
        if control.align:
            position = grid.cut_at(grid.at(begun_ns))
            origin = _period_origin(task, grid)
            slicer = Slicer(rules, period=period, position=position, origin=origin)
            return self._track(
                task, stream.key, slicer, rules, kind, grid.captured_ns, next_index, placer
            )
        position = max(0, stream.position_at(begun_ns)) if stream.timeline.end else 0
        slicer = Slicer(rules, period=period, position=position * rate_hz // RTP_CLOCK_HZ)
        captured_ns = _captured_by(stream, rate_hz)
        return self._track(task, stream.key, slicer, rules, kind, captured_ns, next_index)

    def for_mix(
        self, task: SliceTask, *, grid: TaskGrid, begun_ns: int, next_index: int
    ) -> MixTrack:
        """Make the track of the mix; `grid` is in samples of `pcm_rate_hz`."""
        control = task.order.control
        rate_hz = grid.rate_hz
        meter = PcmMeter(self._tools.silence_dbfs, rate_hz) if control.ignore_silence else None
        rules = SliceRules(
            overlap=control.redundant_ms * rate_hz // 1000, fill=silent_pcm, meter=meter
        )
        position = grid.cut_at(grid.at(begun_ns))
        slicer = Slicer(
            rules,
            period=task.order.duration_s * rate_hz,
            position=position,
            origin=_period_origin(task, grid),
        )
        track = self._track(
            task, MIXED_STREAM, slicer, rules, self._pcm_kind, grid.captured_ns, next_index
        )
        return MixTrack(Mixer(position, rate_hz), track, rate_hz)

    def _track(
        self,
        task: SliceTask,
        key: StreamKey,
        slicer: Slicer[Any],
        rules: SliceRules[Any],
        kind: FileKind,
        captured_ns: Callable[[int], int],
        next_index: int,
        placer: GridPlacer[Any] | None = None,
    ) -> SliceTrack[Any]:
        journal, wall_clock = self._tools.journal, self._tools.wall_clock
        control = task.order.control

        def open_file(position: int) -> SpoolFile:
            file = self._tools.spool.open(
                slice_format=kind.slice_format,
                sample_rate_hz=kind.sample_rate_hz,
                passthrough=kind.passthrough,
            )
            note = SliceNote(
                name=file.name,
                run_id=task.run_id,
                address=StreamAddress(task.key.room, key),
                slice_format=kind.slice_format,
                sample_rate_hz=kind.sample_rate_hz,
                passthrough=kind.passthrough,
                identifier=track.identifier,
                position=position,
                offset=0 if placer is None else placer.offset,
                max_samples=slicer.period + rules.overlap,
                start_utc_ns=captured_ns(position) + wall_clock.offset_ns,
                aligned=rules.fill is not None,
                judged=rules.meter is not None,
            )
            journal.opened(note, reach_back_s=control.redundant_ms / 1000)
            return file

        def on_cut(cut: CutSlice) -> None:
            journal.closed(cut.file.name, index=cut.index, samples=cut.samples)
            self._tools.on_cut(task, cut)

        track: SliceTrack[Any] = SliceTrack(
            key,
            slicer,
            kind,
            open_file=open_file,
            next_index=next_index,
            identifier=task.order.identifier,
            captured_ns=captured_ns,
            utc_offset_ns=lambda: wall_clock.offset_ns,
            on_cut=on_cut,
            on_dropped=journal.settled,
        )
        track.apply(task.order, at=slicer.position, restart=False)
        return track


def silence_meter(passthrough: bool, threshold_dbfs: float, rate_hz: int) -> SilenceMeter[Any]:
    """Return a meter for a stream's slices; `passthrough`: of the publisher's own packets."""
    return LevelMeter(threshold_dbfs) if passthrough else PcmMeter(threshold_dbfs, rate_hz)


def silent_pcm(samples: int) -> PcmAudio:
    """Return decoded silence."""
    return PcmAudio(bytes(samples * PCM_SAMPLE_BYTES))


def silent_opus(samples: int) -> OpusAudio:
    """Return silence as Opus packets; `samples` is a multiple of 120."""
    return OpusAudio(tuple(silent_frames(samples)))


def _period_origin(task: SliceTask, grid: TaskGrid) -> int:
    return (task.period_origin_ms - task.started_at_ms) * grid.rate_hz // 1000


def _captured_by(stream: PublishedStream, rate_hz: int) -> Callable[[int], int]:
    """Tell when a position, in samples of `rate_hz`, of a stream that has audio was captured."""
    ticks = RTP_CLOCK_HZ // rate_hz
    return lambda position: stream.timeline.captured_ns(position * ticks) or 0
