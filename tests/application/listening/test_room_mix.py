"""Streams are summed where they belong, on time, and what is missing holds nobody up.

The decoders repeat the one sample value that a packet holds, and the encoder hands out what it is
given, so that sums can be read off.
"""

from __future__ import annotations

import array
from collections.abc import Iterable

import pytest

from airslice.application.listening.room_mix import DELAY_NS, MAX_BEHIND_NS, RoomMix
from airslice.application.ports.media import SPEECH_RATE_HZ
from airslice.domain.room import StreamKey
from airslice.slicing.packets import RtpPacket

MS = 1_000_000
FRAME_NS = 20 * MS
FRAME = 960
BEGIN_NS = 7_000_000 * MS
ANNA, BERT = StreamKey("anna"), StreamKey("bert")
CONCEALED, RECOVERED = 7, 9


class ValueDecoder:
    """Repeats a packet's value; fills in others for what was lost."""

    def decode(self, payload: bytes, samples: int) -> bytes:
        return _repeated(int.from_bytes(payload[1:3], "big", signed=True), samples)

    def recover(self, payload: bytes, samples: int) -> bytes:
        return _repeated(RECOVERED, samples)

    def conceal(self, samples: int) -> bytes:
        return _repeated(CONCEALED, samples)


def _repeated(value: int, samples: int) -> bytes:
    return array.array("h", [value]).tobytes() * samples


class ValueDecoders:
    def open(self, sample_rate_hz: int) -> ValueDecoder:
        assert sample_rate_hz == SPEECH_RATE_HZ
        return ValueDecoder()


class NoEncoder:
    def encode(self, pcm: bytes) -> bytes:
        assert len(pcm) == 2 * FRAME
        return pcm


def spoken(number: int, value: int, *, sequence: int = 0, delay_ns: int = 0) -> RtpPacket:
    """20 ms of a value, captured `number` frames after the begin."""
    return RtpPacket(
        (sequence + number) & 0xFFFF,
        number * FRAME & 0xFFFF_FFFF,
        BEGIN_NS + (number + 1) * FRAME_NS + delay_ns,
        20,
        b"\xf8" + value.to_bytes(2, "big", signed=True),
    )


class Bench:
    """A mix and the frames that it has made, by their numbers."""

    def __init__(self) -> None:
        self.mix = RoomMix(begin_ns=BEGIN_NS, decoders=ValueDecoders(), encoder=NoEncoder())
        self.packets: list[RtpPacket] = []

    def run_until(self, frames: float) -> None:
        """Let the mix beat at this time, counted in frames from the begin."""
        self.packets += self.mix.beat(BEGIN_NS + int(frames * FRAME_NS))

    @property
    def values(self) -> list[set[int]]:
        """Which sample values each frame has."""
        return [set(array.array("h", packet.payload)) for packet in self.packets]


@pytest.fixture
def bench() -> Bench:
    return Bench()


DELAY = DELAY_NS // FRAME_NS


def speak(bench: Bench, key: StreamKey, numbers: Iterable[int], value: int) -> None:
    for number in numbers:
        bench.mix.take(key, key, spoken(number, value))


def test_streams_are_summed_at_the_time_of_their_capture(bench: Bench) -> None:
    for now in range(1, 30):
        if now <= 20:
            bench.mix.take(ANNA, "a", spoken(now - 1, 100))
        if 5 < now <= 15:
            bench.mix.take(BERT, "b", spoken(now - 1, 30, sequence=900))
        bench.run_until(now)

    assert bench.values == [{100}] * 5 + [{130}] * 10 + [{100}] * 5 + [{0}] * 5


def test_a_frame_leaves_when_its_delay_is_over_and_not_before(bench: Bench) -> None:
    bench.run_until(1 + DELAY - 0.1)
    assert bench.packets == []

    bench.run_until(1 + DELAY)

    (packet,) = bench.packets
    assert (packet.sequence, packet.timestamp) == (0, 0)
    assert packet.arrival_ns == BEGIN_NS + FRAME_NS
    bench.run_until(3 + DELAY)
    assert [(p.sequence, p.timestamp) for p in bench.packets] == [(0, 0), (1, 960), (2, 1920)]


def test_packets_out_of_order_are_put_in_order(bench: Bench) -> None:
    for now, number in enumerate((0, 2, 1, 3, 5, 4), 1):
        at_ns = BEGIN_NS + now * FRAME_NS
        packet = spoken(number, number + 1, delay_ns=0)._replace(arrival_ns=at_ns)
        bench.mix.take(ANNA, "a", packet)
        bench.run_until(now)
    bench.run_until(6 + DELAY)

    assert bench.values[1:] == [{2}, {3}, {4}, {5}, {6}]


def test_what_is_lost_is_recovered_and_concealed_in_time(bench: Bench) -> None:
    for now in range(1, 20):
        if now not in (4, 5, 6):
            bench.mix.take(ANNA, "a", spoken(now - 1, 100))
        bench.run_until(now)

    values = bench.values
    assert values[:3] == [{100}] * 3
    assert values[3:6] in ([{CONCEALED}] * 2 + [{RECOVERED}], [{0}, {CONCEALED}, {RECOVERED}])
    assert values[6:] == [{100}] * len(values[6:])


def test_a_pause_without_loss_is_silence(bench: Bench) -> None:
    speak(bench, ANNA, range(2), 100)
    for number in (8, 9):
        bench.mix.take(ANNA, ANNA, spoken(number, 100, sequence=-6))
    bench.run_until(10 + DELAY)

    assert bench.values == [{100}] * 2 + [{0}] * 6 + [{100}] * 2


def test_a_stream_whose_delay_grows_is_late_and_then_in_place_again(bench: Bench) -> None:
    """After the window in which the least delay counts, audio is placed by the greater one."""
    late_ns = 200 * MS
    for now in range(1, 800):
        if now <= 20:
            bench.mix.take(ANNA, "a", spoken(now - 1, 100))
        elif now > 30:
            packet = spoken(now - 11, 100)._replace(arrival_ns=BEGIN_NS + now * FRAME_NS)
            bench.mix.take(ANNA, "a", packet)
        bench.run_until(now)

    assert late_ns == 10 * FRAME_NS
    assert bench.values[:20] == [{100}] * 20
    assert {0} in bench.values[30:200]
    assert bench.values[-100:] == [{100}] * 100


def test_a_clock_that_drifts_is_followed(bench: Bench) -> None:
    """200 ppm off: 60 ms in five minutes, corrected 20 ms at a time."""
    frames = 15_000
    for now in range(1, frames):
        at_ns = BEGIN_NS + now * FRAME_NS + now * FRAME_NS * 200 // 1_000_000
        bench.mix.take(ANNA, "a", spoken(now - 1, 100)._replace(arrival_ns=at_ns))
        bench.packets += bench.mix.beat(at_ns)

    gaps = [value for value in bench.values[10:] if value != {100}]
    assert len(gaps) <= 6


def test_a_reconnect_goes_on_at_once(bench: Bench) -> None:
    for now in range(1, 30):
        if now <= 10:
            bench.mix.take(ANNA, "first", spoken(now - 1, 100))
        elif now > 13:
            packet = spoken(now - 1, 50, sequence=12_345)._replace(timestamp=now * FRAME + 99)
            bench.mix.take(ANNA, "second", packet)
        bench.run_until(now)

    assert bench.values == [{100}] * 10 + [{0}] * 3 + [{50}] * 12


def test_after_a_stall_the_mix_is_in_the_present(bench: Bench) -> None:
    bench.run_until(5 + DELAY)
    stalled = 5 + 10 * MAX_BEHIND_NS // FRAME_NS

    bench.run_until(stalled + DELAY)

    times = [packet.timestamp // FRAME for packet in bench.packets]
    assert times == [*range(5), stalled - 1]
    assert [packet.sequence for packet in bench.packets] == list(range(6))


def test_what_is_in_hand_is_drained(bench: Bench) -> None:
    speak(bench, ANNA, range(3), 100)
    bench.mix.remove(ANNA)
    bench.mix.take(BERT, "b", spoken(0, 30))
    bench.mix.take(BERT, "b", spoken(2, 30))  # one before it is still awaited

    bench.packets += bench.mix.drain()

    assert bench.values == [{130}, {100 + RECOVERED}, {130}]
    assert bench.mix.drain() == []


def test_malformed_packets_are_no_audio(bench: Bench) -> None:
    speak(bench, ANNA, range(2), 100)
    bench.mix.take(ANNA, ANNA, spoken(2, 0)._replace(payload=b"\xff"))
    speak(bench, ANNA, range(3, 5), 100)
    bench.run_until(5 + DELAY)

    assert bench.values[:2] == [{100}] * 2
    assert bench.values[3:] == [{100}] * 2
