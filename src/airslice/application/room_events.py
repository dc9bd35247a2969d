"""Find out what happens in rooms from the sessions that begin and end, and announce it.

A user joins a room with the first of his sessions and leaves with the last; a room exists while
there is a user in it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from typing import Protocol

from airslice.application.wall_clock import WallClock
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.domain.room_event import (
    EndReason,
    RoomClosed,
    RoomEvent,
    RoomOpened,
    StreamStarted,
    StreamStopped,
    StreamStopReason,
    UserJoined,
    UserLeft,
)

MAX_WAITING = 10_000
"""Events that wait to be announced; more are dropped and counted."""

_SENT_OUT = frozenset({EndReason.KICKED, EndReason.DISMISSED})

_log = logging.getLogger(__name__)


class EventSink(Protocol):
    """Takes events, to tell the application's owner of them."""

    async def announce(self, event: RoomEvent) -> None:
        """Take an event; return when it can be lost no more.

        Raises:
            StoreFailed: it is not taken.
        """


class Attendance:
    """Who is in which room: session begins and ends in, events out. Knows no clock.

    A stream may have several sessions at a time, as while one replaces another: it starts with
    the first and stops with the last.
    """

    def __init__(self) -> None:
        self._rooms: dict[RoomKey, dict[str, Counter[StreamType]]] = {}

    def users_in(self, room: RoomKey) -> list[str]:
        """Return who is in a room, the first who came first."""
        return list(self._rooms.get(room, ()))

    def session_began(self, room: RoomKey, stream: StreamKey, *, at_ms: int) -> list[RoomEvent]:
        """Return what a session that begins at `at_ms` (UTC) means, in order."""
        events: list[RoomEvent] = []
        if room not in self._rooms:
            self._rooms[room] = {}
            events.append(RoomOpened(room=room, at_ms=at_ms))
        users = self._rooms[room]
        if stream.user_id not in users:
            users[stream.user_id] = Counter()
            events.append(UserJoined(room=room, user_id=stream.user_id, at_ms=at_ms))
        sessions = users[stream.user_id]
        sessions[stream.stream_type] += 1
        if sessions[stream.stream_type] == 1:
            events.append(StreamStarted(room=room, stream=stream, at_ms=at_ms))
        return events

    def session_ended(
        self, room: RoomKey, stream: StreamKey, reason: EndReason, *, at_ms: int
    ) -> list[RoomEvent]:
        """Return what the end at `at_ms` (UTC) of a session that began means, in order."""
        users = self._rooms[room]
        sessions = users[stream.user_id]
        sessions[stream.stream_type] -= 1
        if sessions[stream.stream_type]:
            return []
        del sessions[stream.stream_type]
        why = _stop_reason(reason, stays=bool(sessions))
        events: list[RoomEvent] = [StreamStopped(room=room, stream=stream, reason=why, at_ms=at_ms)]
        if not sessions:
            del users[stream.user_id]
            events.append(UserLeft(room=room, user_id=stream.user_id, reason=reason, at_ms=at_ms))
        if not users:
            del self._rooms[room]
            events.append(RoomClosed(room=room, at_ms=at_ms))
        return events


def _stop_reason(reason: EndReason, *, stays: bool) -> StreamStopReason:
    """Return why a stream stopped; `stays`: its user has another one, at this moment."""
    if reason is EndReason.BANNED:
        return StreamStopReason.BANNED
    if stays and reason not in _SENT_OUT:
        return StreamStopReason.UNPUBLISHED
    return StreamStopReason.USER_LEFT


class RoomEvents:
    """Announces what sessions mean, in order (listener of `Publishing`)."""

    def __init__(self, *, sink: EventSink, wall_clock: WallClock) -> None:
        self._sink = sink
        self._wall_clock = wall_clock
        self._attendance = Attendance()
        self._waiting: deque[RoomEvent] = deque()
        self._announcing: asyncio.Task[None] | None = None
        self.lost_events = 0
        """Events that nobody took, or for which there was no room."""

    def users_in(self, room: RoomKey) -> list[str]:
        """Return who is in a room, the first who came first."""
        return self._attendance.users_in(room)

    def session_began(self, room: RoomKey, stream: StreamKey) -> None:
        """See `SessionListener`."""
        now_ms = self._wall_clock.utc_ms()
        self._put(self._attendance.session_began(room, stream, at_ms=now_ms))

    def session_ended(self, room: RoomKey, stream: StreamKey, reason: EndReason) -> None:
        """See `SessionListener`."""
        now_ms = self._wall_clock.utc_ms()
        self._put(self._attendance.session_ended(room, stream, reason, at_ms=now_ms))

    async def close(self) -> None:
        """Announce what waits; nothing comes after this."""
        if self._announcing is not None:
            await self._announcing

    def _put(self, events: list[RoomEvent]) -> None:
        for event in events:
            if len(self._waiting) >= MAX_WAITING:
                self.lost_events += 1
            else:
                self._waiting.append(event)
        if self._waiting and self._announcing is None:
            self._announcing = asyncio.get_running_loop().create_task(self._announce())

    async def _announce(self) -> None:
        while self._waiting:
            event = self._waiting.popleft()
            try:
                await self._sink.announce(event)
            except Exception:  # those behind it are still to be told
                self.lost_events += 1
                _log.exception("an event of room %s is lost", event.room.room_id)
        self._announcing = None
