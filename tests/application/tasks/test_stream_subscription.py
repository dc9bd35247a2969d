"""A task's subscription brings a stream's audio to its track, and to the mix."""

from __future__ import annotations

import array

import pytest

from airslice.application.rooms.published_stream import PublishedStream
from airslice.application.tasks.mix_track import MixTrack
from airslice.application.tasks.stream_subscription import StreamSubscription
from airslice.domain.file_kind import FileKind
from airslice.domain.room import MIXED_STREAM
from airslice.slicing.packets import RtpPacket, SenderReport
from airslice.slicing.task_grid import TaskGrid
from airslice.slicing.timeline import STALL_NS
from tests.support.stages.stage import FRAME_NS, FRAME_SAMPLES, TOC_CELT_20_MS, ValueDecoders
from tests.support.stages.track_bench import ANN, PACKETS, RATE_HZ, WAV, TrackBench, a_plan

BATCH_FRAMES = 10
WINDOW_NS = 200_000_000


class Studio(TrackBench):
    """A published stream, and a task's grid that begins 100 ms before it."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = PublishedStream(
            ANN.stream,
            decoders=ValueDecoders(),
            sample_rate_hz=RATE_HZ,
            reorder_window_ns=WINDOW_NS,
            on_ended=lambda stream: None,
        )
        self.packet_grid = TaskGrid(self.clock.now_ns, 48_000, grain=120)
        self.clock.now_ns += 100_000_000
        self.sink = self.stream.begin_session(self.clock.now_ns)
        self._send = self.sink.source(1)
        self._said = 0

    def subscribe(
        self, kind: FileKind = WAV, *, aligned: bool = False, mixed: bool = False
    ) -> StreamSubscription:
        mix_plan = a_plan(address=ANN._replace(stream=MIXED_STREAM), aligned=True, origin=0)
        self.mix = MixTrack(mix_plan, self.tools, self.grid) if mixed else None
        plan = a_plan(
            kind=kind,
            aligned=aligned,
            origin=0 if aligned else None,
            period=kind.sample_rate_hz,
        )
        return StreamSubscription(
            self.stream,
            plan,
            self.tools,
            grid=self.packet_grid if kind.passthrough else self.grid,
            pcm_grid=self.grid,
            mix=self.mix,
        )

    def say(self, frames: int, value: int = 1_000) -> None:
        """Publish so many frames of 20 ms, each when it has been spoken."""
        payload = bytes((TOC_CELT_20_MS,)) + value.to_bytes(2, "big", signed=True)
        for _ in range(frames):
            self.clock.now_ns += FRAME_NS
            self._send(RtpPacket(self._said, 960 * self._said, self.clock.now_ns, 20, payload))
            self._said += 1
        self.process()

    def process(self) -> None:
        """Let the stream feed its consumers, as if nothing that is missing could still come."""
        self.stream.process(self.clock.now_ns + WINDOW_NS, self.wall_clock.offset_ns)

    def placed(self) -> list[int]:
        """The offsets that the journal was told."""
        return [fact[3] for fact in self.journal.facts if fact[0] == "placed"]


@pytest.fixture
def studio() -> Studio:
    return Studio()


def values(pcm: bytes) -> list[int]:
    return list(array.array("h", pcm))


def test_a_stream_is_sliced_from_its_first_sample(studio: Studio) -> None:
    subscription = studio.subscribe()

    studio.say(BATCH_FRAMES, 5)
    subscription.track.finish()

    (file,) = studio.spool.files
    assert values(file.pcm) == [5] * BATCH_FRAMES * FRAME_SAMPLES
    # Captured when the first packet came, as far as anybody knows: 120 ms after the grid began.
    assert studio.closed[0].start_ms == studio.start_ms + 120
    assert [note.offset for note in studio.journal.notes] == [0]


def test_an_aligned_stream_lies_where_the_clock_puts_it(studio: Studio) -> None:
    subscription = studio.subscribe(aligned=True)

    studio.say(BATCH_FRAMES, 5)
    subscription.track.finish()

    (file,) = studio.spool.files
    silence = 120 * RATE_HZ // 1_000
    assert values(file.pcm) == [0] * silence + [5] * BATCH_FRAMES * FRAME_SAMPLES
    assert studio.closed[0].start_ms == studio.start_ms
    assert [note.offset for note in studio.journal.notes] == [silence]


def test_aligned_packets_lie_there_too(studio: Studio) -> None:
    subscription = studio.subscribe(PACKETS, aligned=True)

    studio.say(BATCH_FRAMES)
    subscription.track.finish()

    assert studio.lengths == [120 * 48 + BATCH_FRAMES * 960]
    assert [note.offset for note in studio.journal.notes] == [120 * 48]


@pytest.mark.parametrize(
    ("kind", "mixed", "wants_pcm", "wants_opus"),
    [
        (WAV, False, True, False),
        (WAV, True, True, False),
        (PACKETS, False, False, True),
        (PACKETS, True, True, True),
    ],
)
def test_only_what_is_needed_is_decoded(
    studio: Studio, kind: FileKind, mixed: bool, wants_pcm: bool, wants_opus: bool
) -> None:
    subscription = studio.subscribe(kind, mixed=mixed)

    assert (subscription.wants_pcm, subscription.wants_opus) == (wants_pcm, wants_opus)


class TestMixed:
    @pytest.mark.parametrize("kind", [WAV, PACKETS], ids=["decoded", "packets"])
    def test_the_mix_gets_it_on_the_grid_and_the_track_in_its_own_time(
        self, studio: Studio, kind: FileKind
    ) -> None:
        subscription = studio.subscribe(kind, mixed=True)
        assert studio.mix is not None

        studio.say(BATCH_FRAMES, 5)
        studio.mix.advance(subscription.mixed_until)
        subscription.track.finish()
        studio.mix.finish()

        silence = 120 * RATE_HZ // 1_000
        own, mixed = studio.closed
        assert own.samples == BATCH_FRAMES * kind.sample_rate_hz // 50
        assert (studio.journal.notes[0].position, own.start_ms) == (0, studio.start_ms + 120)
        assert mixed.samples == silence + BATCH_FRAMES * FRAME_SAMPLES
        assert subscription.mixed_until == mixed.samples
        assert values(studio.spool.files[1].pcm) == [0] * silence + [5] * (
            BATCH_FRAMES * FRAME_SAMPLES
        )

    def test_the_journal_is_told_its_place_once(self, studio: Studio) -> None:
        studio.subscribe(mixed=True)

        for _ in range(3):
            studio.say(BATCH_FRAMES)

        assert studio.journal.facts == [("placed", "run", ANN, 120 * RATE_HZ // 1_000)]

    def test_the_journal_is_told_when_the_place_changes(self, studio: Studio) -> None:
        studio.subscribe(mixed=True)
        studio.say(BATCH_FRAMES)
        captured_ns = studio.clock.utc_ns() - 50_000_000  # the network takes 50 ms
        end = 960 * BATCH_FRAMES
        studio.sink.sender_report(1, SenderReport(end, captured_ns, studio.clock.now_ns))
        studio.say(BATCH_FRAMES)  # the report counts from here on
        studio.say(BATCH_FRAMES)

        first, *later = studio.placed()
        # Single samples are left out, one in 20 ms, until it lies where it was captured.
        assert later == [first - BATCH_FRAMES]


class TestAdvance:
    def test_a_stream_that_may_still_bring_audio_is_awaited(self, studio: Studio) -> None:
        subscription = studio.subscribe(aligned=True)
        studio.say(BATCH_FRAMES)

        studio.clock.now_ns += STALL_NS - 1
        subscription.advance(studio.clock.now_ns)

        assert studio.closed == []

    def test_a_published_stream_that_stalls_is_decided_up_to_the_stall(
        self, studio: Studio
    ) -> None:
        subscription = studio.subscribe(aligned=True)
        studio.say(BATCH_FRAMES)

        studio.clock.now_ns += STALL_NS
        subscription.advance(studio.clock.now_ns)

        # 100 ms before it was published, and 200 ms of audio.
        assert subscription.track.position == 300 * RATE_HZ // 1_000 + FRAME_SAMPLES

    def test_an_unpublished_stream_is_decided_up_to_now(self, studio: Studio) -> None:
        subscription = studio.subscribe(aligned=True)
        studio.say(BATCH_FRAMES)

        studio.sink.ended()
        studio.clock.now_ns += 1_000_000_000
        subscription.advance(studio.clock.now_ns)

        assert subscription.track.position == 1_300 * RATE_HZ // 1_000
        assert studio.lengths == [RATE_HZ]

    def test_an_unaligned_slice_is_closed_when_its_period_is_over(self, studio: Studio) -> None:
        subscription = studio.subscribe()
        studio.say(BATCH_FRAMES)

        studio.sink.ended()
        studio.clock.now_ns += 700_000_000
        subscription.advance(studio.clock.now_ns)
        assert studio.closed == []
        studio.clock.now_ns += 200_000_000
        subscription.advance(studio.clock.now_ns)

        assert studio.lengths == [BATCH_FRAMES * FRAME_SAMPLES]


def test_a_cancelled_subscription_gets_no_more(studio: Studio) -> None:
    subscription = studio.subscribe()
    studio.say(BATCH_FRAMES)

    subscription.cancel()
    studio.say(BATCH_FRAMES)

    assert subscription.track.position == BATCH_FRAMES * FRAME_SAMPLES
    assert not studio.stream.has_consumers
