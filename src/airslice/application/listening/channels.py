"""What listeners hear, one user or everybody in a room, made once for all who hear the same.

Who hears what is kept in `sessions`; how several streams are mixed is in `room_mix`.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Protocol

from airslice.application.listening.room_mix import RoomMix
from airslice.application.pacing import Pacer
from airslice.application.ports.media import ListeningSession, OpusDecoders, OpusEncoders
from airslice.application.rooms.published_stream import PublishedStream
from airslice.application.rooms.registry import Rooms
from airslice.application.wall_clock import WallClock
from airslice.domain.room import RoomKey, StreamKey
from airslice.slicing.packets import RtpPacket, SenderReport
from airslice.slicing.rtp_splice import RtpSplice

RESUME_NS = 200_000_000
"""How long a channel may have been silent for a mix to go on right after what was sent before."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class MixTools:
    """The parts that mixing a room needs."""

    wall_clock: WallClock
    decoders: OpusDecoders
    encoders: OpusEncoders
    pacer: Pacer


class Channel(Protocol):
    """Sends the same packets to all its listeners."""

    listeners: dict[ListeningSession, None]

    def close(self) -> None:
        """Stop, as nobody listens any more."""


class _Outlet:
    """One joint RTP stream to any number of listeners (`PacketTap`)."""

    def __init__(self, wall_clock: WallClock) -> None:
        self._wall_clock = wall_clock
        self.listeners: dict[ListeningSession, None] = {}
        self.splice = RtpSplice(sequence=secrets.randbits(16), timestamp=secrets.randbits(32))

    def take(self, source: object, packet: RtpPacket) -> None:
        outgoing = self.splice.take(source, packet)
        if outgoing is None:
            return
        for listener in self.listeners:
            try:
                listener.send(outgoing)
            except Exception:  # one listener's trouble is not the others', nor the publisher's
                _log.exception("a packet cannot be sent to a listener")

    def report(self, source: object, report: SenderReport) -> None:
        self.splice.report(source, report, utc_offset_ns=self._wall_clock.offset_ns)


class UserChannel:
    """A user's microphone, exactly as he publishes it (`RoomObserver`, `Channel`)."""

    def __init__(self, key: RoomKey, user_id: str, rooms: Rooms, wall_clock: WallClock) -> None:
        self._room = key
        self._stream_key = StreamKey(user_id)
        self._rooms = rooms
        self._outlet = _Outlet(wall_clock)
        self.listeners = self._outlet.listeners
        self._stream: PublishedStream | None = None
        stream = rooms.observe(key, self).streams.get(self._stream_key)
        if stream is not None:
            self.stream_published(stream)

    def stream_published(self, stream: PublishedStream) -> None:
        """Send what `stream` publishes, if it is the user's microphone."""
        if stream.key == self._stream_key and stream is not self._stream:
            self._leave()
            self._stream = stream
            stream.tap(self._outlet)

    def stream_unpublished(self, stream: PublishedStream) -> None:
        """Keep the stream: its user may come back."""

    def beat(self, now_ns: int) -> None:
        """Do nothing: no packet waits here."""

    def close(self) -> None:
        """Stop taking packets, as nobody listens any more."""
        self._leave()
        self._rooms.stop_observing(self._room, self)

    def _leave(self) -> None:
        if self._stream is not None:
            self._stream.untap(self._outlet)
            self._stream = None


class _StreamTap:
    """One stream of a room on its way to its channel (`PacketTap`)."""

    def __init__(self, channel: RoomChannel, stream: PublishedStream) -> None:
        self._channel = channel
        self.stream = stream

    def take(self, source: object, packet: RtpPacket) -> None:
        self._channel.take(self.stream.key, source, packet)

    def report(self, source: object, report: SenderReport) -> None:
        self._channel.report(source, report)


class RoomChannel:
    """Everybody in a room (`RoomObserver`, `Paced`, `Channel`).

    As long as one stream is published, its packets are sent as they are; several are mixed.
    """

    def __init__(self, key: RoomKey, rooms: Rooms, tools: MixTools) -> None:
        self._room = key
        self._rooms = rooms
        self._tools = tools
        self._outlet = _Outlet(tools.wall_clock)
        self.listeners = self._outlet.listeners
        self._taps: dict[StreamKey, _StreamTap] = {}
        self._mix: RoomMix | None = None
        for stream in rooms.observe(key, self).streams.values():
            if stream.published:
                self.stream_published(stream)

    def stream_published(self, stream: PublishedStream) -> None:
        """Send what `stream` publishes; from the second stream on, a mix."""
        self._leave(stream.key)
        tap = self._taps[stream.key] = _StreamTap(self, stream)
        stream.tap(tap)
        if len(self._taps) > 1:
            self._begin_mix()

    def stream_unpublished(self, stream: PublishedStream) -> None:
        """Leave out `stream`; the last that stays is sent as it is."""
        self._leave(stream.key)
        if self._mix is not None:
            self._mix.remove(stream.key)
        if len(self._taps) < 2:
            self._end_mix()

    def beat(self, now_ns: int) -> None:
        """Send the frames of the mix that are due at `now_ns` (monotonic nanoseconds)."""
        if self._mix is not None:
            for packet in self._mix.beat(now_ns):
                self._outlet.take(self._mix, packet)

    def close(self) -> None:
        """Stop taking packets, as nobody listens any more."""
        for key in tuple(self._taps):
            self._leave(key)
        self._tools.pacer.remove(self)
        self._mix = None
        self._rooms.stop_observing(self._room, self)

    def take(self, key: StreamKey, source: object, packet: RtpPacket) -> None:
        """Send a packet of a stream, or put it into the mix."""
        if self._mix is None:
            self._outlet.take(source, packet)
        else:
            self._mix.take(key, source, packet)

    def report(self, source: object, report: SenderReport) -> None:
        """Note a sender report of a stream that is sent as it is; a mix has its own clock."""
        if self._mix is None:
            self._outlet.report(source, report)

    def _leave(self, key: StreamKey) -> None:
        tap = self._taps.pop(key, None)
        if tap is not None:
            tap.stream.untap(tap)

    def _begin_mix(self) -> None:
        if self._mix is not None:
            return
        now_ns = self._tools.wall_clock.monotonic_ns()
        end_ns = self._outlet.splice.end_ns
        is_on_air = end_ns is not None and now_ns - end_ns < RESUME_NS
        self._mix = RoomMix(
            begin_ns=end_ns if end_ns is not None and is_on_air else now_ns,
            decoders=self._tools.decoders,
            encoder=self._tools.encoders.open(),
        )
        self._tools.pacer.add(self)

    def _end_mix(self) -> None:
        if self._mix is None:
            return
        mix, self._mix = self._mix, None
        self._tools.pacer.remove(self)
        for packet in mix.drain():
            self._outlet.take(mix, packet)
        self._outlet.splice.forget_sources()


class Channels:
    """Makes the channels of the rooms."""

    def __init__(self, rooms: Rooms, tools: MixTools) -> None:
        self._rooms = rooms
        self._tools = tools

    def open(self, key: RoomKey, user_id: str | None) -> Channel:
        """Return what is to be heard in a room: of one user, or of everybody if None."""
        if user_id is None:
            return RoomChannel(key, self._rooms, self._tools)
        return UserChannel(key, user_id, self._rooms, self._tools.wall_clock)
