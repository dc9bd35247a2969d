"""The registry of rooms: who publishes into which, who observes them, and the beat of their audio.

What happens to one stream is in `published_stream`; who may publish is decided in `publishing`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol, TypeVar

from airslice.application.ports.journal import Journal, StreamAddress
from airslice.application.ports.media import OpusDecoders, StreamSink
from airslice.application.rooms.published_stream import PublishedStream
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import RtcApp
from airslice.domain.errors import RoomFull
from airslice.domain.room import RoomKey, StreamKey

T = TypeVar("T")

_log = logging.getLogger(__name__)

SLOTS = 10
BEAT_S = 0.020
"""Each stream is processed every SLOTS * BEAT_S = 200 ms, a tenth of them at each beat: large
batches keep the cost per packet low, and spreading them keeps the event loop free."""

HELD_UP_NS = 1_000_000_000
CATCH_UP_S = 0.5
"""After the process stood still for `HELD_UP_NS`, the beat waits `CATCH_UP_S` for what came
meanwhile to be read, and processes all streams before any observer takes the absence of audio for
silence. Both together are shorter than `STALL_NS`."""

FORGET_NS = 60_000_000_000
"""How long an unpublished stream without consumers is remembered: a user who comes back goes on in
the same stream."""


class RoomObserver(Protocol):
    """Something that is told what happens in a room: a task, or what listeners hear."""

    def stream_published(self, stream: PublishedStream) -> None:
        """Take note that a session of `stream` begins; it may have had others before."""

    def stream_unpublished(self, stream: PublishedStream) -> None:
        """Take note that the session of `stream` has ended without another taking over."""

    def beat(self, now_ns: int) -> None:
        """Do what is due at `now_ns` (monotonic); called at least every SLOTS * BEAT_S seconds."""


class Room:
    """A room's streams, in order of their first publication."""

    def __init__(self, key: RoomKey) -> None:
        self.key = key
        self.streams: dict[StreamKey, PublishedStream] = {}
        self.observers: list[RoomObserver] = []
        self.unpublished_ns: dict[StreamKey, int] = {}

    @property
    def publishers(self) -> int:
        """How many streams are published now."""
        return sum(stream.published for stream in self.streams.values())


class Rooms:
    """All rooms of this machine."""

    def __init__(
        self,
        *,
        wall_clock: WallClock,
        decoders: OpusDecoders,
        reorder_window_ns: int,
        max_publishers_per_room: int,
        journal: Journal,
        on_published: Callable[[RtcApp, PublishedStream, Room], None] = lambda *_: None,
    ) -> None:
        """Make no room yet.

        Args:
            wall_clock: Tells the time.
            decoders: Make the streams' decoders.
            reorder_window_ns: How long a missing packet is awaited, in nanoseconds.
            max_publishers_per_room: Bound on streams published at a time in one room.
            journal: Keeps what consumers of audio get, for a crash.
            on_published: Told of each session that begins, before the room's observers.
        """
        self._wall_clock = wall_clock
        self._decoders = decoders
        self._window_ns = reorder_window_ns
        self._max_publishers = max_publishers_per_room
        self._journal = journal
        self.on_published = on_published
        self._rooms: dict[RoomKey, Room] = {}
        self._room_slots: list[set[RoomKey]] = [set() for _ in range(SLOTS)]
        self._stream_slots: list[set[PublishedStream]] = [set() for _ in range(SLOTS)]
        self._next_slot = 0
        self._beaten_ns = wall_clock.monotonic_ns()

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    def find(self, key: RoomKey) -> Room | None:
        """Return the room, if anything is known of it."""
        return self._rooms.get(key)

    def publish(self, app: RtcApp, room_id: str, stream_key: StreamKey) -> StreamSink:
        """Begin a session of a stream, which takes over from the session that it has, if any.

        Raises:
            RoomFull: the room takes no more publishers.
        """
        room = self._open(RoomKey(app.app_id, room_id))
        stream = room.streams.get(stream_key)
        if (stream is None or not stream.published) and room.publishers >= self._max_publishers:
            raise RoomFull(f"room {room_id} has {room.publishers} publishers, the most it takes")
        if stream is None:
            stream = room.streams[stream_key] = PublishedStream(
                stream_key,
                decoders=self._decoders,
                sample_rate_hz=app.sample_rate_hz,
                reorder_window_ns=self._window_ns,
                on_ended=lambda stream: self._unpublished(room, stream),
                keep=partial(self._journal.keep, StreamAddress(room.key, stream_key)),
            )
            _emptiest(self._stream_slots).add(stream)
        sink = stream.begin_session(self._wall_clock.monotonic_ns())
        room.unpublished_ns.pop(stream_key, None)
        self.on_published(app, stream, room)
        for observer in tuple(room.observers):
            observer.stream_published(stream)
        return sink

    def observe(self, key: RoomKey, observer: RoomObserver) -> Room:
        """Tell `observer` what happens in a room from now on; return the room as it is."""
        room = self._open(key)
        room.observers.append(observer)
        return room

    def stop_observing(self, key: RoomKey, observer: RoomObserver) -> None:
        """Tell `observer` nothing more of a room."""
        room = self._rooms[key]
        room.observers.remove(observer)
        self._tidy(room, self._wall_clock.monotonic_ns())

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + BEAT_S, loop.time() - SLOTS * BEAT_S)
            await asyncio.sleep(max(0.0, due - loop.time()))
            if self._was_held_up(self._wall_clock.monotonic_ns()):
                await asyncio.sleep(CATCH_UP_S)
            self.beat()

    def beat(self) -> None:
        """Process the streams of the next slot, then let the observers of its rooms act."""
        now_ns = self._wall_clock.monotonic_ns()
        utc_offset_ns = self._wall_clock.offset_ns
        slot = self._next_slot
        self._next_slot = (slot + 1) % SLOTS
        due = self._stream_slots if self._was_held_up(now_ns) else [self._stream_slots[slot]]
        self._beaten_ns = now_ns
        for stream in [stream for streams in due for stream in streams]:
            try:
                stream.process(now_ns, utc_offset_ns)
            except Exception:  # one stream's bug must not stop everybody's audio
                _log.exception("stream %s cannot be processed", stream.key)
        for key in tuple(self._room_slots[slot]):
            room = self._rooms[key]
            for observer in tuple(room.observers):
                try:
                    observer.beat(now_ns)
                except Exception:  # nor one task's
                    _log.exception("an observer of room %s cannot act", key.room_id)
            self._tidy(room, now_ns)

    def _was_held_up(self, now_ns: int) -> bool:
        return now_ns - self._beaten_ns >= HELD_UP_NS

    def _open(self, key: RoomKey) -> Room:
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = Room(key)
            _emptiest(self._room_slots).add(key)
        return room

    def _unpublished(self, room: Room, stream: PublishedStream) -> None:
        room.unpublished_ns[stream.key] = self._wall_clock.monotonic_ns()
        for observer in tuple(room.observers):
            observer.stream_unpublished(stream)

    def _tidy(self, room: Room, now_ns: int) -> None:
        """Forget streams that are gone, and the room with the last of them."""
        for key, since_ns in tuple(room.unpublished_ns.items()):
            if now_ns - since_ns > FORGET_NS and not room.streams[key].has_consumers:
                del room.unpublished_ns[key]
                stream = room.streams.pop(key)
                for streams in self._stream_slots:
                    streams.discard(stream)
        if not room.streams and not room.observers:
            del self._rooms[room.key]
            for keys in self._room_slots:
                keys.discard(room.key)


def _emptiest(slots: list[set[T]]) -> set[T]:
    return min(slots, key=len)
