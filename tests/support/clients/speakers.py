"""Speakers whose every packet can be told from all others, and who outlive the server.

Frame number n is of the time n * 20 ms UTC, on every connection: sequence numbers, timestamps and
SSRC go on as if nothing had happened, so what a slice holds can be named by its frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np
from numpy.typing import NDArray

from tests.support.clients.raw_publisher import PAYLOAD_TYPE, RawPublisher
from tests.support.clients.rtp_publisher import (
    FRAME_NS,
    FRAME_SAMPLES,
    NTP_EPOCH_S,
    RATE,
    REPORT_FRAMES,
    opus_loop,
)
from tests.support.server.running_server import RunningServer

VOICE_FRAMES = 1_000
"""After 20 s a voice begins again: labels tell which turn it is."""

USER_SHIFT = 125
"""Frames by which each speaker is ahead of the one before in the voice."""


NO_AUDIO = bytes((3, 0))
"""An Opus packet of as many frames as is not allowed: none (RFC 6716 section 3.2.5)."""

HYBRID_DIFFERENCE = 40
"""Samples of a slice that was made again may differ by so much, of 32,768, where Opus uses SILK:
its decoder computes in integers and never quite forgets where it began."""


def tones() -> list[bytes]:
    """Encode sweeping tones; Opus takes them as music and uses CELT alone."""
    at_s = np.arange(VOICE_FRAMES * FRAME_SAMPLES) / RATE
    sound = np.zeros(at_s.size)
    for number in range(4):
        hertz = 300 + 200 * number + 50 * np.sin(2 * np.pi * (0.05 + 0.03 * number) * at_s)
        sound += 700 * np.sin(2 * np.pi * hertz * at_s)
    return _encoded(sound, mode=31)


def hiss() -> list[bytes]:
    """Encode noise; Opus takes it as speech and uses SILK with CELT above it."""
    noise = np.random.default_rng(7).integers(-4_000, 4_000, VOICE_FRAMES * FRAME_SAMPLES)
    return _encoded(np.convolve(noise, np.ones(8) / 3, "same"), mode=15)


def _encoded(sound: NDArray[np.float64], *, mode: int) -> list[bytes]:
    """Return packets of which no two are alike, all of one mode (RFC 6716 section 3.1)."""
    packets = opus_loop(sound.astype(np.int16))
    assert len(set(packets)) == len(packets)
    assert {packet[0] >> 3 for packet in packets} == {mode}
    return packets


def frame_now() -> int:
    """Number of the frame that is being captured."""
    return time.time_ns() // FRAME_NS


@dataclass
class Session:
    """What was sent over one connection: frames `first` to `end`, the latter excluded."""

    first: int
    end: int


@dataclass(eq=False)
class Speaker:
    """Publishes a voice whenever he is connected."""

    kind: str
    """Of application."""
    room: str
    user: str
    ssrc: int
    voice: Sequence[bytes]
    tolerance: int
    """By how much his samples may differ in a slice that was made again."""
    sessions: list[Session] = field(default_factory=list)
    _peer: RawPublisher | None = None

    @property
    def is_connected(self) -> bool:
        """Whether he speaks to a server."""
        return self._peer is not None

    def payload(self, number: int) -> bytes:
        """Opus packet of a frame."""
        return self.voice[number % len(self.voice)]

    async def connect(self, server: RunningServer, http: httpx.AsyncClient) -> None:
        """Publish from the frame on that is being captured once connected."""
        with contextlib.ExitStack() as stack:
            peer = stack.enter_context(RawPublisher())
            token = server.token(self.kind, self.room, self.user)
            response = await http.post(
                server.endpoint(self.kind, self.room),
                content=peer.offer(),
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"},
            )
            assert response.status_code == 201, response.text
            await peer.connect(response.text)
            stack.pop_all()
        number = frame_now()
        self.sessions.append(Session(number, number))
        self._peer = peer
        # A report of where the first frame belongs, before it: streams that are first placed by
        # arrival are moved, sample by sample, to where a report that comes later says. And before
        # that, as reports of unknown sources are not heeded, a packet that is no audio.
        peer.send_rtp(self._packet(number - 1, NO_AUDIO))
        peer.send_rtcp(self._report(number))

    def disconnect(self) -> None:
        """Send nothing more, and say nothing."""
        if self._peer is not None:
            self._peer.socket.close()
            self._peer = None

    def send_until(self, number: int) -> None:
        """Send what has been captured: the frames before `number`."""
        if self._peer is None:
            return
        session = self.sessions[-1]
        while session.end < number:
            self._peer.send_rtp(self._packet(session.end, self.payload(session.end)))
            if (session.end - session.first) % REPORT_FRAMES == 0:
                self._peer.send_rtcp(self._report(session.end))
            session.end += 1

    def _packet(self, number: int, payload: bytes) -> bytes:
        timestamp = number * FRAME_SAMPLES & 0xFFFF_FFFF
        header = struct.pack("!BBHII", 0x80, PAYLOAD_TYPE, number & 0xFFFF, timestamp, self.ssrc)
        return header + payload

    def _report(self, number: int) -> bytes:
        """Sender report (RFC 3550 section 6.4.1)."""
        seconds, rest_ns = divmod(number * FRAME_NS, 1_000_000_000)
        ntp = ((seconds + NTP_EPOCH_S) << 32) + (rest_ns << 32) // 1_000_000_000
        timestamp = number * FRAME_SAMPLES & 0xFFFF_FFFF
        return struct.pack("!BBHIQIII", 0x80, 200, 6, self.ssrc, ntp, timestamp, 0, 0)


def make_speakers(rooms: Iterable[tuple[str, str]], per_room: int) -> list[Speaker]:
    """Return speakers for rooms, each given as (kind of application, room)."""
    voices = ((tones(), 0), (hiss(), HYBRID_DIFFERENCE))
    speakers: list[Speaker] = []
    for kind, room in rooms:
        for number in range(per_room):
            voice, tolerance = voices[number % len(voices)]
            shift = number * USER_SHIFT
            turned = [*voice[shift:], *voice[:shift]]
            ssrc = 1_000 + len(speakers)
            speakers.append(Speaker(kind, room, f"u{number}", ssrc, turned, tolerance))
    return speakers


@contextlib.contextmanager
def speaking(speakers: Sequence[Speaker]) -> Iterator[None]:
    """Let everybody who is connected speak, in real time."""

    async def speak() -> None:
        while True:
            number = frame_now()
            for speaker in speakers:
                speaker.send_until(number)
            await asyncio.sleep(((number + 1) * FRAME_NS - time.time_ns()) / 1e9)

    task = asyncio.get_running_loop().create_task(speak())
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        for speaker in speakers:
            speaker.disconnect()


assert RATE * FRAME_NS == FRAME_SAMPLES * 1_000_000_000
