"""What listeners hear while publishers come, go and come again, in a room without a network."""

from __future__ import annotations

import array
from collections.abc import Iterator
from itertools import pairwise

import pytest

from airslice.application.listening.channels import Channel, Channels, MixTools
from airslice.application.listening.room_mix import DELAY_NS
from airslice.application.pacing import Pacer
from airslice.application.ports.journal import NoJournal
from airslice.application.ports.media import StreamSink
from airslice.application.rooms.registry import Rooms
from airslice.application.wall_clock import WallClock
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.slicing.outgoing_packet import OutgoingPacket
from airslice.slicing.packets import RtpPacket, SenderReport
from tests.support.stages.stage import APP, HandClock

FRAME_NS = 20_000_000
FRAME = 960
ROOM = RoomKey(APP.app_id, "room")


class ValueCodec:
    """Decodes a packet to the one value it holds, and encodes the last one it is given."""

    opened = 0

    def open(self, sample_rate_hz: int = 48_000) -> ValueCodec:
        self.opened += 1
        return self

    def decode(self, payload: bytes, samples: int) -> bytes:
        return array.array("h", [payload[1]]).tobytes() * samples

    def recover(self, payload: bytes, samples: int) -> bytes:
        return self.conceal(samples)

    def conceal(self, samples: int) -> bytes:
        return bytes(2 * samples)

    def encode(self, pcm: bytes) -> bytes:
        return b"\xf8mix" + pcm[-2:]


class Player:
    """Keeps what it is sent (port `ListeningSession`)."""

    answer = ""

    def __init__(self) -> None:
        self.got: list[OutgoingPacket] = []
        self.broken = False

    def send(self, packet: OutgoingPacket) -> None:
        if self.broken:
            raise OSError("broken")
        self.got.append(packet)

    def restart(self, fragment: str) -> str:
        return fragment

    def close(self) -> None:
        """Nothing to do."""

    @property
    def heard(self) -> list[int | str]:
        """The value of each packet; of a mixed one, as text."""
        return [
            str(array.array("h", p.payload[4:])[0]) if b"mix" in p.payload else p.payload[1]
            for p in self.got
        ]


class Talker:
    """Publishes packets of 20 ms that hold one value."""

    def __init__(self, sink: StreamSink, clock: HandClock, value: int, ssrc: int = 1) -> None:
        self.sink = sink
        self._clock = clock
        self._value = value
        self._take = sink.source(ssrc)
        self._number = 0

    def say(self) -> None:
        """Send the 20 ms that are just over."""
        payload = bytes((0xF8, self._value))
        now_ns = self._clock.now_ns
        number = self._number
        self._number += 1
        self._take(RtpPacket(number + 500, number * FRAME + 77, now_ns, 20, payload))


class Scene:
    """A room, its talkers and its players."""

    def __init__(self) -> None:
        self.clock = HandClock()
        wall_clock = WallClock(self.clock)
        self.codec = ValueCodec()
        self.pacer = Pacer(wall_clock)
        self.rooms = Rooms(
            wall_clock=wall_clock,
            decoders=self.codec,
            reorder_window_ns=200_000_000,
            max_publishers_per_room=50,
            journal=NoJournal(),
        )
        tools = MixTools(
            wall_clock=wall_clock, decoders=self.codec, encoders=self.codec, pacer=self.pacer
        )
        self._channels = Channels(self.rooms, tools)
        self.talkers: list[Talker] = []

    def listen(self, user_id: str | None = None) -> tuple[Channel, Player]:
        player = Player()
        channel = self._channels.open(ROOM, user_id)
        channel.listeners[player] = None
        return channel, player

    def join(self, user: str, value: int, stream_type: StreamType = StreamType.MAIN) -> Talker:
        sink = self.rooms.publish(APP, ROOM.room_id, StreamKey(user, stream_type))
        self.talkers.append(Talker(sink, self.clock, value))
        return self.talkers[-1]

    def leave(self, talker: Talker) -> None:
        self.talkers.remove(talker)
        talker.sink.ended()

    def run(self, frames: int) -> None:
        """Let time pass in which everybody talks."""
        for _ in range(frames):
            self.clock.now_ns += FRAME_NS
            for talker in self.talkers:
                talker.say()
            self.rooms.beat()
            self.pacer.beat()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    for talker in tuple(scene.talkers):
        scene.leave(talker)
    scene.run(3_000 + 50)
    assert list(scene.rooms) == []  # nothing holds a room that nobody is in


def check_one_stream(player: Player, *, gap_frames: float = 0) -> None:
    """Numbers go up by one; no more time is left out than this, none is given twice."""
    for a, b in pairwise(player.got):
        assert (b.sequence - a.sequence) & 0xFFFF == 1
        step = (b.timestamp - a.timestamp) & 0xFFFF_FFFF
        assert 0 < step - FRAME + 1 <= gap_frames * FRAME + 1


def test_a_users_packets_are_forwarded_the_moment_they_arrive(scene: Scene) -> None:
    scene.join("other", 9)
    scene.join("anna", 9, StreamType.SCREEN)
    anna = scene.join("anna", 5)
    channel, player = scene.listen("anna")
    scene.run(3)
    scene.clock.now_ns += FRAME_NS
    anna.say()

    assert player.heard == [5] * 4
    assert player.got[-1].captured_ns == scene.clock.now_ns - FRAME_NS
    check_one_stream(player)
    channel.close()


@pytest.mark.parametrize("user_id", [None, "anna"])
def test_capture_times_are_the_publishers(scene: Scene, user_id: str | None) -> None:
    anna = scene.join("anna", 5)
    channel, player = scene.listen(user_id)
    scene.run(3)
    delay_ns = 60_000_000
    utc_ns = scene.clock.utc_ns() - delay_ns
    anna.sink.sender_report(1, SenderReport(2 * FRAME + 77, utc_ns, scene.clock.now_ns))
    scene.run(1)

    assert player.got[-1].captured_ns == scene.clock.now_ns - delay_ns
    channel.close()


def test_a_player_may_come_first_and_stay_through_reconnects(scene: Scene) -> None:
    channel, player = scene.listen("anna")
    scene.run(5)
    for value in (5, 6):
        anna = scene.join("anna", value)
        scene.run(4)
        scene.leave(anna)
        scene.run(10)

    assert player.heard == [5] * 4 + [6] * 4
    check_one_stream(player, gap_frames=10)
    assert (player.got[4].timestamp - player.got[3].timestamp) & 0xFFFF_FFFF == 11 * FRAME
    channel.close()


def test_a_session_that_takes_over_goes_on_in_the_same_stream(scene: Scene) -> None:
    channel, player = scene.listen("anna")
    former = scene.join("anna", 5)
    scene.run(4)
    scene.join("anna", 6)
    scene.run(1)
    former.say()  # what still comes of the former session is nobody's
    scene.run(2)
    scene.talkers.remove(former)

    assert player.heard == [5] * 4 + [6] * 3
    check_one_stream(player)
    channel.close()


def test_a_stream_that_was_forgotten_is_heard_when_it_comes_again(scene: Scene) -> None:
    channel, player = scene.listen("anna")
    scene.leave(scene.join("anna", 5))
    scene.run(3_000 + 50)  # over 60 s
    assert not any(room.streams for room in scene.rooms)
    scene.join("anna", 6)
    scene.run(2)

    assert player.heard == [6] * 2
    channel.close()


def test_one_publisher_is_not_decoded(scene: Scene) -> None:
    scene.join("anna", 5)
    channel, player = scene.listen()
    scene.run(100)

    assert player.heard == [5] * 100
    assert scene.codec.opened == 0
    check_one_stream(player)
    channel.close()


def test_several_are_mixed_and_the_change_loses_nothing(scene: Scene) -> None:
    channel, player = scene.listen()
    scene.join("anna", 5)
    scene.run(20)
    bert = scene.join("bert", 30)
    scene.run(30)
    scene.leave(bert)
    scene.run(20)
    scene.join("carl", 40)
    scene.run(20)

    assert player.heard[:20] == [5] * 20
    assert player.heard[20:50] == ["35"] * 30
    assert player.heard[50:70] == [5] * 20
    assert player.heard[70:] == ["45"] * (20 - DELAY_NS // FRAME_NS)
    check_one_stream(player)
    # The same moment of capture has the same timestamp, mixed or not.
    first = player.got[0]
    for packet in player.got:
        ticks = (packet.timestamp - first.timestamp) & 0xFFFF_FFFF
        assert abs(packet.captured_ns - first.captured_ns - ticks * FRAME_NS // FRAME) < 100_000
    channel.close()


def test_a_mix_begins_where_what_was_sent_ends(scene: Scene) -> None:
    channel, player = scene.listen()
    scene.join("anna", 5)
    scene.run(20)
    scene.clock.now_ns += FRAME_NS // 2
    scene.join("bert", 30)
    scene.run(20)

    assert player.heard[20] == "35"
    check_one_stream(player)
    channel.close()


def test_all_listeners_get_the_same_and_one_that_fails_hinders_nobody(scene: Scene) -> None:
    channel, first = scene.listen()
    broken, third = Player(), Player()
    broken.broken = True
    channel.listeners |= {broken: None, third: None}
    scene.join("anna", 5)
    scene.join("bert", 5)
    scene.run(20)

    assert first.got == third.got
    assert first.got
    assert scene.codec.opened == 3  # two decoders and one encoder
    channel.close()


@pytest.mark.parametrize("user_id", [None, "anna"])
def test_after_the_last_listener_nothing_is_done(scene: Scene, user_id: str | None) -> None:
    channel, player = scene.listen(user_id)
    scene.join("anna", 5)
    scene.join("bert", 5)
    scene.run(20)
    channel.close()
    got = len(player.got)
    scene.run(20)

    assert len(player.got) == got
    (room,) = scene.rooms
    assert room.observers == []
    assert all(stream._taps == () for stream in room.streams.values())  # noqa: SLF001 - shows nowhere else
    assert scene.pacer._paced == {}  # noqa: SLF001 - shows nowhere else
