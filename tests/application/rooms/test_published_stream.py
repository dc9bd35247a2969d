from __future__ import annotations

import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from airslice.application.rooms.published_stream import MAX_BATCH_PACKETS, PublishedStream
from airslice.domain.room import StreamKey
from airslice.slicing.assembly import Block
from airslice.slicing.audio import OpusAudio, PcmAudio
from airslice.slicing.packets import RtpPacket, SenderReport
from airslice.slicing.timeline import STALL_NS
from tests.support.stages.stage import FRAME_NS, FRAME_SAMPLES, RATE, TOC_CELT_20_MS, ValueDecoders

MS = 1_000_000
WINDOW_NS = 200 * MS
TURN_FRAMES = 10
"""A stream is processed every 200 ms."""


@dataclass(eq=False)
class Ear:
    """Hears a stream (port `AudioConsumer`)."""

    wants_pcm: bool = True
    wants_opus: bool = False
    pcm: list[Block[PcmAudio]] = field(default_factory=list)
    opus: list[Block[OpusAudio]] = field(default_factory=list)

    def feed(self, pcm: Sequence[Block[PcmAudio]], opus: Sequence[Block[OpusAudio]]) -> None:
        self.pcm += pcm
        self.opus += opus

    @property
    def frames(self) -> dict[int, int]:
        """What was heard: the value of each frame by its number on the timeline."""
        heard: dict[int, int] = {}
        for block in self.pcm:
            values = array.array("h", block.audio.pcm)
            for start in range(0, len(values), FRAME_SAMPLES):
                number = (block.position + start) // FRAME_SAMPLES
                assert number not in heard
                heard[number] = values[start]
        return heard


class Decoders(ValueDecoders):
    opened = 0

    def open(self, sample_rate_hz: int) -> Decoders:
        self.opened += 1
        super().open(sample_rate_hz)
        return self


class Studio:
    """One stream, and time that a test lets pass."""

    def __init__(self) -> None:
        self.now_ns = 5_000 * MS
        self.decoders = Decoders()
        self.ended: list[PublishedStream] = []
        self.stream = PublishedStream(
            StreamKey("ann"),
            decoders=self.decoders,
            sample_rate_hz=RATE,
            reorder_window_ns=WINDOW_NS,
            on_ended=self.ended.append,
        )
        self.ear = Ear()
        self.stream.subscribe(self.ear)

    def process(self) -> None:
        self.stream.process(self.now_ns, 0)

    def pass_time(self, duration_ns: int) -> None:
        """Let time pass, and the stream be processed meanwhile."""
        for _ in range(duration_ns // (TURN_FRAMES * FRAME_NS)):
            self.now_ns += TURN_FRAMES * FRAME_NS
            self.process()

    def send(
        self, take: Callable[[RtpPacket], object], values: Sequence[int], *, first: int = 0
    ) -> None:
        """Send a frame every 20 ms, numbered from `first` on, and process as the server does."""
        for number, value in enumerate(values, first):
            self.now_ns += FRAME_NS
            take(packet(number, value, self.now_ns))
            if number % TURN_FRAMES == TURN_FRAMES - 1:
                self.process()


def packet(number: int, value: int, arrival_ns: int) -> RtpPacket:
    payload = bytes((TOC_CELT_20_MS,)) + value.to_bytes(2, "big", signed=True)
    return RtpPacket(number & 0xFFFF, number * 960 & 0xFFFF_FFFF, arrival_ns, 20, payload)


@pytest.fixture
def studio() -> Studio:
    return Studio()


def test_what_is_published_is_heard_in_its_place(studio: Studio) -> None:
    take = studio.stream.begin_session(studio.now_ns).source(1)

    studio.send(take, range(100))

    assert studio.ear.frames == {number: number for number in range(100)}


def test_packets_that_overtake_each_other_are_put_in_order(studio: Studio) -> None:
    take = studio.stream.begin_session(studio.now_ns).source(1)
    studio.send(take, range(20))

    for number in (21, 20, 23, 22):
        take(packet(number, number, studio.now_ns))
    studio.process()

    assert studio.ear.frames == {number: number for number in range(24)}


def test_a_missing_packet_is_awaited_until_the_session_ends(studio: Studio) -> None:
    sink = studio.stream.begin_session(studio.now_ns)
    take = sink.source(1)
    studio.send(take, range(20))
    take(packet(21, 21, studio.now_ns))
    studio.process()
    assert max(studio.ear.frames) == 19

    sink.ended()

    assert studio.ear.frames[21] == 21


class TestAnotherSource:
    def test_it_goes_on_where_the_wall_clock_says(self, studio: Studio) -> None:
        sink = studio.stream.begin_session(studio.now_ns)
        studio.send(sink.source(1), [1] * 50)

        studio.send(sink.source(2), [2] * 50, first=7_000)
        studio.pass_time(WINDOW_NS)

        frames = studio.ear.frames
        assert [number for number, value in frames.items() if value == 1] == list(range(50))
        second = [number for number, value in frames.items() if value == 2]
        assert len(second) == 50
        assert second[0] == pytest.approx(50, abs=1)

    def test_stragglers_of_the_former_are_dropped(self, studio: Studio) -> None:
        sink = studio.stream.begin_session(studio.now_ns)
        former, latter = sink.source(1), sink.source(2)
        studio.send(former, [1] * 50)
        studio.send(latter, [2] * 20, first=7_000)

        for number in range(50, 55):
            former(packet(number, 9, studio.now_ns))
        studio.send(latter, [2] * 30, first=7_020)
        studio.pass_time(STALL_NS)

        values = list(studio.ear.frames.values())
        assert 9 not in values
        assert values.count(2) == 50

    def test_what_the_former_sent_before_it_is_kept(self, studio: Studio) -> None:
        sink = studio.stream.begin_session(studio.now_ns)
        former, latter = sink.source(1), sink.source(2)
        studio.send(former, [1] * 15)  # five of them are not processed yet

        studio.send(latter, [2] * 20, first=7_000)
        studio.pass_time(WINDOW_NS)

        values = list(studio.ear.frames.values())
        assert (values.count(1), values.count(2)) == (15, 20)

    def test_the_former_may_come_back_once_the_latter_has_fallen_silent(
        self, studio: Studio
    ) -> None:
        sink = studio.stream.begin_session(studio.now_ns)
        former, latter = sink.source(1), sink.source(2)
        studio.send(former, [1] * 20)
        studio.send(latter, [2] * 20, first=7_000)
        studio.pass_time(STALL_NS)

        studio.send(former, [3] * 20, first=20)
        studio.pass_time(WINDOW_NS)

        frames = studio.ear.frames
        back = [number for number, value in frames.items() if value == 3]
        assert len(back) == 20
        assert back[0] == pytest.approx(140, abs=2)  # 2 s of 50 frames were not published


class TestTakeOver:
    def test_the_stream_goes_on_and_has_not_ended(self, studio: Studio) -> None:
        studio.send(studio.stream.begin_session(studio.now_ns).source(1), [1] * 50)

        studio.send(studio.stream.begin_session(studio.now_ns).source(2), [2] * 50)
        studio.pass_time(WINDOW_NS)

        values = [value for _, value in sorted(studio.ear.frames.items())]
        assert values == [1] * 50 + [2] * 50
        assert max(studio.ear.frames) == pytest.approx(99, abs=1)
        assert studio.stream.published
        assert not studio.ended

    def test_nothing_of_the_former_session_is_heard_any_more(self, studio: Studio) -> None:
        former = studio.stream.begin_session(studio.now_ns)
        former_take = former.source(1)
        studio.send(former_take, [1] * 10)

        take = studio.stream.begin_session(studio.now_ns).source(1)
        former_take(packet(10, 9, studio.now_ns))
        former.source(2)(packet(11, 9, studio.now_ns))
        former.sender_report(1, SenderReport(0, 0, studio.now_ns))
        studio.send(take, [2] * 20, first=20)
        studio.pass_time(WINDOW_NS)

        assert set(studio.ear.frames.values()) == {1, 2}

    def test_the_former_sessions_end_ends_nothing(self, studio: Studio) -> None:
        former = studio.stream.begin_session(studio.now_ns)
        latter = studio.stream.begin_session(studio.now_ns)

        former.ended()
        assert not studio.ended

        latter.ended()
        latter.ended()
        assert studio.ended == [studio.stream]
        assert not studio.stream.published


def test_a_user_who_comes_back_goes_on_in_the_same_stream(studio: Studio) -> None:
    first = studio.stream.begin_session(studio.now_ns)
    studio.send(first.source(1), [1] * 50)
    first.ended()
    studio.pass_time(1_000 * MS)

    studio.send(studio.stream.begin_session(studio.now_ns).source(5), [2] * 50, first=300)
    studio.pass_time(WINDOW_NS)

    second = [number for number, value in studio.ear.frames.items() if value == 2]
    assert len(second) == 50
    assert second[0] == pytest.approx(100, abs=1)


@pytest.mark.parametrize("reports_after", range(14))
def test_a_report_counts_that_comes_while_a_new_source_is_in_doubt(
    studio: Studio, reports_after: int
) -> None:
    """Whenever it comes: its packets were captured 80 ms before they arrived."""
    delay_ns = 80 * MS
    sink = studio.stream.begin_session(studio.now_ns)
    studio.send(sink.source(1), [1] * 50)

    take, first = sink.source(2), 1_000
    for number in range(30):
        if number == reports_after:
            reported = SenderReport((first + number) * 960, studio.now_ns - delay_ns, studio.now_ns)
            sink.sender_report(2, reported)
        take(packet(first + number, 2, studio.now_ns))
        studio.now_ns += FRAME_NS
        if number % TURN_FRAMES == 3:
            studio.process()
    studio.pass_time(WINDOW_NS)

    end = studio.stream.timeline.end
    captured_ns = studio.stream.timeline.captured_ns(end - 960)
    last_arrival_ns = studio.now_ns - WINDOW_NS - FRAME_NS
    assert captured_ns == last_arrival_ns - delay_ns


class TestActivity:
    def test_a_stream_is_active_from_its_session_on_until_it_stalls(self, studio: Studio) -> None:
        assert not studio.stream.is_active(studio.now_ns)

        sink = studio.stream.begin_session(studio.now_ns)
        assert studio.stream.is_active(studio.now_ns + STALL_NS - 1)
        assert not studio.stream.is_active(studio.now_ns + STALL_NS)

        studio.send(sink.source(1), range(100))
        assert studio.stream.is_active(studio.now_ns + STALL_NS - 1)
        assert not studio.stream.is_active(studio.now_ns + STALL_NS)

    def test_an_unpublished_stream_is_not_active(self, studio: Studio) -> None:
        sink = studio.stream.begin_session(studio.now_ns)

        sink.ended()

        assert not studio.stream.is_active(studio.now_ns)


class TestBounds:
    def test_what_exceeds_a_batch_is_a_flood_and_dropped(self, studio: Studio) -> None:
        take = studio.stream.begin_session(studio.now_ns).source(1)

        for number in range(MAX_BATCH_PACKETS + 7):
            take(packet(number, 1, studio.now_ns))
        studio.process()

        assert studio.stream.flooded_packets == 7
        assert studio.stream.timeline.end == MAX_BATCH_PACKETS * 960

    def test_a_flood_of_reports_is_dropped(self, studio: Studio) -> None:
        sink = studio.stream.begin_session(studio.now_ns)
        take = sink.source(1)
        studio.send(take, range(20))

        for _ in range(8):
            sink.sender_report(1, SenderReport(0, studio.now_ns - 400 * MS, studio.now_ns))
        sink.sender_report(1, SenderReport(19 * 960, studio.now_ns, studio.now_ns))
        studio.process()

        assert studio.stream.timeline.captured_ns(19 * 960) == studio.now_ns - 20 * MS

    def test_a_report_of_an_unknown_source_is_nobodys(self, studio: Studio) -> None:
        sink = studio.stream.begin_session(studio.now_ns)
        studio.send(sink.source(1), range(20))

        sink.sender_report(2, SenderReport(0, studio.now_ns - 400 * MS, studio.now_ns))
        studio.process()

        assert studio.stream.timeline.captured_ns(0) == studio.now_ns - 380 * MS

    def test_late_packets_are_counted_over_all_sessions(self, studio: Studio) -> None:
        for _ in range(2):
            sink = studio.stream.begin_session(studio.now_ns)
            take = sink.source(1)
            studio.send(take, range(20))
            take(packet(3, 9, studio.now_ns))
            studio.process()
            sink.ended()

        assert studio.stream.late_packets == 2


class TestListeners:
    def test_who_has_unsubscribed_hears_nothing_more(self, studio: Studio) -> None:
        take = studio.stream.begin_session(studio.now_ns).source(1)
        studio.send(take, range(20))

        studio.stream.unsubscribe(studio.ear)
        studio.send(take, range(20, 40), first=20)

        assert len(studio.ear.frames) == 20
        assert not studio.stream.has_consumers

    def test_a_stream_is_decoded_once_for_all(self, studio: Studio) -> None:
        others = [Ear(), Ear()]
        for ear in others:
            studio.stream.subscribe(ear)

        studio.send(studio.stream.begin_session(studio.now_ns).source(1), range(50))

        assert studio.decoders.opened == 1
        assert [ear.frames for ear in others] == [studio.ear.frames] * 2

    def test_packets_that_nobody_wants_as_pcm_are_not_decoded(self, studio: Studio) -> None:
        studio.stream.unsubscribe(studio.ear)
        ear = Ear(wants_pcm=False, wants_opus=True)
        studio.stream.subscribe(ear)

        studio.send(studio.stream.begin_session(studio.now_ns).source(1), range(20))

        assert studio.decoders.opened == 0
        assert not ear.pcm
        assert sum(block.audio.samples for block in ear.opus) == 20 * 960

    def test_each_gets_the_kind_that_it_wants(self, studio: Studio) -> None:
        packets = Ear(wants_pcm=False, wants_opus=True)
        studio.stream.subscribe(packets)

        studio.send(studio.stream.begin_session(studio.now_ns).source(1), range(20))

        assert (bool(studio.ear.pcm), bool(studio.ear.opus)) == (True, False)
        assert (bool(packets.pcm), bool(packets.opus)) == (False, True)


def test_a_position_is_found_by_the_moment_of_its_capture(studio: Studio) -> None:
    assert studio.stream.position_at(studio.now_ns) == 0

    begun_ns = studio.now_ns + FRAME_NS
    studio.send(studio.stream.begin_session(studio.now_ns).source(1), range(50))

    assert studio.stream.position_at(begun_ns) == 0
    assert studio.stream.position_at(begun_ns + 100 * MS) == 4_800
    assert studio.stream.position_at(begun_ns + 101 * MS) == 4_800  # rounded to 2.5 ms
    assert studio.stream.position_at(begun_ns + 10_000 * MS) == 480_000
