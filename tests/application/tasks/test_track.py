"""Audio goes in, and numbered slices come out: in files, in notes, and to who records them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airslice.application.tasks.track import Track
from airslice.domain.slice_task import TaskOrder
from airslice.slicing.assembly import Block
from airslice.slicing.audio import OpusAudio, OpusFrame, PcmAudio
from airslice.slicing.grid import GridPlacer, pcm_stretch
from tests.support.stages.track_bench import ANN, PACKETS, RATE_HZ, WAV, TrackBench, a_plan, pcm
from tests.support.values.values import a_task

SECOND_NS = 1_000_000_000


@pytest.fixture
def bench() -> TrackBench:
    return TrackBench()


def a_track(bench: TrackBench, **changes: object) -> Track[PcmAudio]:
    return Track(a_plan(**changes), bench.tools, bench.grid)


def an_order(**changes: object) -> TaskOrder:
    return replace(a_task().order, duration_s=1, **changes)  # type: ignore[arg-type]


def test_each_period_gets_a_file_with_its_audio(bench: TrackBench) -> None:
    track = a_track(bench)
    first, second = pcm(RATE_HZ, 1), pcm(RATE_HZ // 2, 2)

    track.feed(Block(0, PcmAudio(first.pcm + second.pcm)))
    track.finish()

    assert [file.pcm for file in bench.spool.files] == [first.pcm, second.pcm]
    assert [file.end for file in bench.spool.files] == ["finish", "finish"]
    assert {file.kind for file in bench.spool.files} == {WAV}


def test_slices_are_numbered_labelled_and_named(bench: TrackBench) -> None:
    track = a_track(bench, next_index=4)

    track.feed(Block(0, pcm(RATE_HZ + 100)))
    track.finish()

    first, second = bench.closed
    assert (first.run_id, first.stream, first.identifier) == ("run", ANN.stream, "prefix")
    assert (first.index, first.start_ms, first.samples) == (4, bench.start_ms, RATE_HZ)
    assert (second.index, second.start_ms, second.samples) == (5, bench.start_ms + 1_000, 100)
    assert [first.file.name, second.file.name] == [file.name for file in bench.spool.files]
    assert track.next_index == 6


def test_the_journal_is_told_what_it_takes_to_make_a_slice_again(bench: TrackBench) -> None:
    track = a_track(bench, position=160, overlap=1_600, judged=True)

    track.feed(Block(320, pcm(100)))
    track.finish()

    (note,) = bench.journal.notes
    assert (note.name, note.run_id, note.address, note.kind) == ("file 1", "run", ANN, WAV)
    assert (note.identifier, note.position, note.offset) == ("prefix", 320, 0)
    assert note.max_samples == RATE_HZ + 1_600
    assert note.start_utc_ns == bench.start_ms * 1_000_000 + 20_000_000
    assert (note.aligned, note.judged) == (False, True)
    assert bench.journal.reach_back_s == [0.1]
    assert bench.journal.facts == [("closed", "file 1", 0, 100)]


def test_a_note_tells_where_the_stream_lay_on_the_grid(bench: TrackBench) -> None:
    placer = GridPlacer(pcm_stretch(RATE_HZ), RATE_HZ)
    placed = placer.place(Block(0, pcm(100)), 480)
    track: Track[PcmAudio] = Track(a_plan(aligned=True, origin=0), bench.tools, bench.grid, placer)

    track.feed(placed)

    (note,) = bench.journal.notes
    assert (note.offset, note.aligned, note.position) == (480, True, 0)


def test_a_file_that_a_crash_interrupted_is_written_anew(bench: TrackBench) -> None:
    track = a_track(bench, file_name="interrupted.wav")

    track.feed(Block(0, pcm(1)))

    assert [file.name for file in bench.spool.files] == ["interrupted.wav"]


def test_a_silent_slice_is_discarded_and_gets_no_number(bench: TrackBench) -> None:
    track = a_track(bench, judged=True)

    for value in (1_000, 0, 1_000):
        track.feed(Block(track.position, pcm(RATE_HZ, value)))

    assert [file.end for file in bench.spool.files] == ["finish", "discard", "finish"]
    assert [(c.index, c.start_ms - bench.start_ms) for c in bench.closed] == [(0, 0), (1, 2_000)]
    assert ("settled", "file 2") in bench.journal.facts


def test_writers_get_five_seconds_at_a_time(bench: TrackBench) -> None:
    track = a_track(bench, period=60 * RATE_HZ)

    for _ in range(12):
        track.feed(Block(track.position, pcm(RATE_HZ)))
    (file,) = bench.spool.files
    assert [len(write) for write in file.writes] == [5, 5]
    track.finish()

    assert [len(write) for write in file.writes] == [5, 5, 2]


def test_writers_of_packets_get_thirty_seconds_at_a_time(bench: TrackBench) -> None:
    second = OpusAudio(tuple(OpusFrame(b"\xf8voice", 960) for _ in range(50)))
    track: Track[OpusAudio] = Track(
        a_plan(kind=PACKETS, period=60 * 48_000), bench.tools, bench.grid
    )

    for _ in range(59):
        track.feed(Block(track.position, second))

    (file,) = bench.spool.files
    assert [len(write) for write in file.writes] == [30]


class TestLabels:
    def test_what_is_learnt_of_the_capture_while_a_slice_is_open_counts(
        self, bench: TrackBench
    ) -> None:
        class Times:
            late_ns = 300_000_000

            def captured_ns(self, position: int) -> int:
                return bench.grid.captured_ns(position) + self.late_ns

        times = Times()
        track: Track[PcmAudio] = Track(a_plan(), bench.tools, times)
        track.feed(Block(0, pcm(100)))
        times.late_ns = 0  # a sender report came
        track.finish()

        assert [closed.start_ms for closed in bench.closed] == [bench.start_ms]

    def test_a_step_of_the_wall_clock_counts_from_the_next_slice_on(
        self, bench: TrackBench
    ) -> None:
        track = a_track(bench)
        track.feed(Block(0, pcm(100)))
        bench.clock.utc_minus_monotonic_ns += 3_600 * SECOND_NS
        track.feed(Block(100, pcm(RATE_HZ)))
        track.finish()

        starts = [closed.start_ms - bench.start_ms for closed in bench.closed]
        assert starts == [0, 3_601_000]


class TestApply:
    def test_an_identifier_is_of_the_slices_that_open_after_it(self, bench: TrackBench) -> None:
        track = a_track(bench)
        track.feed(Block(0, pcm(100)))

        track.apply(an_order(identifier="other"), at=100, restart=False)
        track.feed(Block(100, pcm(RATE_HZ)))
        track.finish()

        assert [closed.identifier for closed in bench.closed] == ["prefix", "other"]
        assert bench.lengths == [RATE_HZ, 100]
        assert [note.identifier for note in bench.journal.notes] == ["prefix", "other"]

    def test_a_restart_cuts_and_counts_the_new_duration_from_there(self, bench: TrackBench) -> None:
        track = a_track(bench)
        track.feed(Block(0, pcm(100)))

        track.apply(replace(an_order(), duration_s=2), at=100, restart=True)
        track.feed(Block(100, pcm(2 * RATE_HZ)))

        assert bench.lengths == [100, 2 * RATE_HZ]

    def test_a_pause_cuts_and_nothing_is_sliced_until_it_ends(self, bench: TrackBench) -> None:
        track = a_track(bench)
        track.feed(Block(0, pcm(100)))

        track.apply(an_order(handle=False), at=100, restart=False)
        track.feed(Block(100, pcm(RATE_HZ, 2)))
        assert not track.is_open
        track.apply(an_order(handle=True), at=track.position, restart=False)
        track.feed(Block(track.position, pcm(50, 3)))
        track.finish()

        assert [file.pcm for file in bench.spool.files] == [pcm(100).pcm, pcm(50, 3).pcm]

    def test_a_track_that_does_not_slice_yet_begins_with_the_order_to(
        self, bench: TrackBench
    ) -> None:
        track = a_track(bench, slicing=False)
        track.feed(Block(0, pcm(100)))

        track.apply(an_order(handle=True), at=100, restart=False)
        track.feed(Block(100, pcm(RATE_HZ, 2)))

        assert [file.pcm for file in bench.spool.files] == [pcm(RATE_HZ, 2).pcm]

    def test_a_place_ahead_is_cut_when_it_is_reached(self, bench: TrackBench) -> None:
        track = a_track(bench)
        track.feed(Block(0, pcm(100)))

        track.apply(an_order(), at=300, restart=True)
        assert (track.boundary, bench.closed) == (300, [])
        track.feed(Block(100, pcm(300)))

        assert bench.lengths == [300]


def test_time_alone_fills_an_aligned_period(bench: TrackBench) -> None:
    track = a_track(bench, aligned=True, origin=0)
    track.feed(Block(0, pcm(100)))
    assert (track.is_open, track.boundary) == (True, RATE_HZ)

    track.advance(RATE_HZ)

    assert (track.is_open, track.position) == (False, RATE_HZ)
    assert bench.spool.files[0].pcm == pcm(100).pcm + pcm(RATE_HZ - 100, 0).pcm


def test_a_track_without_audio_opens_nothing(bench: TrackBench) -> None:
    track = a_track(bench)

    track.advance(10 * RATE_HZ)
    track.finish()

    assert (bench.spool.files, bench.journal.notes, track.next_index) == ([], [], 0)
