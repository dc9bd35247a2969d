"""What a track is to be follows from the order, or from what the journal noted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airslice.application.ports.journal import SliceNote, StreamAddress
from airslice.application.tasks.track_plan import TrackPlan
from airslice.domain.apps import SliceFormat
from airslice.domain.file_kind import FileKind
from airslice.domain.room import MIXED_STREAM, StreamKey
from airslice.domain.slice_task import SliceControl, SliceTask
from airslice.slicing.audio import OpusAudio, OpusFrame, PcmAudio
from airslice.slicing.slicer import SliceAudio, SliceDropped, SliceEnded
from tests.support.stages.track_bench import ANN, PACKETS, WAV, a_plan
from tests.support.values.values import a_task

EVE = StreamKey("eve")


def task(*, duration_s: int = 2, handle: bool = True, **control: Any) -> SliceTask:
    base = a_task(started_at_ms=1_700_000_000_000)
    order = replace(
        base.order, duration_s=duration_s, handle=handle, control=SliceControl(**control)
    )
    return replace(base, order=order, period_origin_ms=base.started_at_ms)


def planned(
    task: SliceTask, stream: StreamKey = EVE, kind: FileKind = WAV, position: int = 7
) -> TrackPlan:
    return TrackPlan.of_order(task, stream, kind, position=position, next_index=3)


class TestOfOrder:
    def test_a_stream_is_sliced_in_its_own_time(self) -> None:
        order = task().order

        assert planned(task()) == TrackPlan(
            run_id="run-1",
            address=StreamAddress(order.key.room, EVE),
            kind=WAV,
            identifier="prefix",
            next_index=3,
            position=7,
            period=32_000,
            origin=None,
            overlap=0,
            aligned=False,
            judged=False,
            slicing=True,
            file_name=None,
        )

    def test_aligned_periods_count_from_the_start_or_the_latest_restart(self) -> None:
        aligned = task(align=True)
        restarted = replace(aligned, period_origin_ms=aligned.started_at_ms + 1_250)

        assert (planned(aligned).aligned, planned(aligned).origin) == (True, 0)
        assert planned(restarted).origin == 20_000
        assert planned(restarted, kind=PACKETS).origin == 60_000

    def test_a_mix_is_on_the_grid_whatever_its_streams_are(self) -> None:
        plan = planned(task(mixed=True), MIXED_STREAM)

        assert (plan.aligned, plan.origin, plan.judged) == (True, 0, False)
        assert plan.address.stream == MIXED_STREAM

    @pytest.mark.parametrize(
        ("control", "stream_judged", "mix_judged"),
        [
            ({}, False, False),
            ({"align": True}, True, False),  # of a stream on the grid that has nothing to say
            ({"ignore_silence": True}, True, True),
            ({"align": True, "ignore_silence": True}, True, True),
        ],
    )
    def test_what_is_dropped_if_it_is_silent(
        self, control: dict[str, bool], stream_judged: bool, mix_judged: bool
    ) -> None:
        mixed = task(mixed=True, **control)

        assert planned(mixed).judged is stream_judged
        assert planned(mixed, MIXED_STREAM).judged is mix_judged

    def test_an_overlap_of_packets_is_of_whole_grains(self) -> None:
        overlapping = task(redundant_ms=301)

        assert planned(overlapping).overlap == 4_816
        assert planned(overlapping, kind=PACKETS).overlap == 14_400  # 300 ms, 120 * 120

    def test_a_hot_started_task_does_not_slice_yet(self) -> None:
        assert not planned(task(handle=False)).slicing


def test_a_note_is_of_one_slice_in_the_file_that_it_had() -> None:
    note = SliceNote(
        name="file.ogg",
        run_id="run",
        address=ANN,
        kind=PACKETS,
        identifier="prefix",
        position=4_800,
        offset=9,
        max_samples=96_000,
        start_utc_ns=1,
        aligned=True,
        judged=True,
    )

    assert TrackPlan.of_note(note, index=5) == TrackPlan(
        run_id="run",
        address=ANN,
        kind=PACKETS,
        identifier="prefix",
        next_index=5,
        position=4_800,
        period=96_000,
        origin=4_800,
        aligned=True,
        judged=True,
        file_name="file.ogg",
    )


class TestSlicer:
    def test_unpublished_time_is_silence_on_the_grid_only(self) -> None:
        aligned = a_plan(aligned=True, origin=0, period=4).slicer(-50)
        unaligned = a_plan(period=4).slicer(-50)

        on_grid = aligned.feed(2, PcmAudio(b"aabb"))
        in_own_time = unaligned.feed(2, PcmAudio(b"aabb"))

        assert [e.audio.pcm for e in on_grid if isinstance(e, SliceAudio)] == [bytes(4), b"aabb"]
        assert [e.audio.pcm for e in in_own_time if isinstance(e, SliceAudio)] == [b"aabb"]

    def test_silence_between_packets_is_packets(self) -> None:
        slicer = a_plan(kind=PACKETS, aligned=True, origin=0, period=4_800).slicer(-50)

        events = slicer.feed(480, OpusAudio((OpusFrame(b"\xf8voice", 960),)))

        filled = next(event.audio for event in events if isinstance(event, SliceAudio))
        assert isinstance(filled, OpusAudio)
        assert filled.samples == 480

    @pytest.mark.parametrize(("value", "end"), [(10, SliceDropped), (1_000, SliceEnded)])
    def test_a_judged_slice_is_kept_for_what_is_louder_than_the_threshold(
        self, value: int, end: type
    ) -> None:
        slicer = a_plan(judged=True, period=320).slicer(-50)

        events = slicer.feed(0, PcmAudio(value.to_bytes(2, "little") * 320))

        assert isinstance(events[-1], end)

    @pytest.mark.parametrize(("level", "end"), [(60, SliceDropped), (40, SliceEnded)])
    def test_packets_are_judged_by_the_level_that_they_tell(self, level: int, end: type) -> None:
        slicer = a_plan(kind=PACKETS, judged=True, period=960).slicer(-50)

        events = slicer.feed(0, OpusAudio((OpusFrame(b"\xf8voice", 960, level),)))

        assert isinstance(events[-1], end)

    def test_nothing_is_sliced_where_the_plan_says_so(self) -> None:
        slicer = a_plan(slicing=False, period=4).slicer(-50)

        assert slicer.feed(0, PcmAudio(b"aabbccddeeff")) == []
        assert slicer.position == 6

    def test_an_overlap_comes_before_each_period(self) -> None:
        slicer = a_plan(period=4, overlap=1).slicer(-50)

        events = slicer.feed(0, PcmAudio(b"aabbccddeeffgghh"))

        assert [e.samples for e in events if isinstance(e, SliceEnded)] == [4, 5]


def test_a_plan_of_packets_in_another_format_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="flac"):
        a_plan(kind=replace(PACKETS, slice_format=SliceFormat.FLAC))
