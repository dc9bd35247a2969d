"""Derives the events of rooms, users and streams from sessions, and announces them.

A user joins a room with the first of his sessions and leaves with the last; a room exists while
there is a user in it. How sessions come about is in `publishing`, who is told in delivery.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from airslice.application.ports.records import PresenceStore
from airslice.application.wall_clock import WallClock
from airslice.domain.errors import StoreFailed
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.domain.room_event import (
    EndReason,
    Presence,
    RoomClosed,
    RoomEvent,
    RoomOpened,
    StreamStarted,
    StreamStopped,
    StreamStopReason,
    UserJoined,
    UserLeft,
    departures,
    presence_of,
)

MAX_WAITING = 10_000
"""Events that may wait to be announced; further ones are dropped and counted."""

BATCH = 500
"""Events whose rooms, users and streams are written to the presence store together."""

SIGN_INTERVAL_S = 10
"""Time between two signs of life; a crash may seem to have been so much earlier than it was."""

_SENT_OUT = frozenset({EndReason.KICKED, EndReason.DISMISSED})

_log = logging.getLogger(__name__)


class EventSink(Protocol):
    """Takes events, so that the application's owner is told of them."""

    async def announce(self, event: RoomEvent) -> None:
        """Take an event; return once a crash cannot lose it any more.

        Raises:
            StoreFailed: the event was not taken.
        """


class Attendance:
    """Who is in which room: sessions that begin and end go in, events come out. It has no clock.

    A stream may have several sessions at a time, as while one replaces another: it starts with
    the first and stops with the last.
    """

    def __init__(self) -> None:
        self._rooms: dict[RoomKey, dict[str, Counter[StreamType]]] = {}

    @property
    def is_anybody_here(self) -> bool:
        """Whether any user is in any room."""
        return bool(self._rooms)

    def users_in(self, room: RoomKey) -> list[str]:
        """Return who is in a room, the first who came first."""
        return list(self._rooms.get(room, ()))

    def session_began(self, room: RoomKey, stream: StreamKey, *, at_ms: int) -> list[RoomEvent]:
        """Return the events that the beginning of a session at `at_ms` (UTC) means, in order."""
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
        """Return the events that the end of a begun session at `at_ms` (UTC) means, in order."""
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
    """Return why a stream stopped whose user still has another one (`stays`) or has not."""
    if reason is EndReason.BANNED:
        return StreamStopReason.BANNED
    if stays and reason not in _SENT_OUT:
        return StreamStopReason.UNPUBLISHED
    return StreamStopReason.USER_LEFT


class RoomEvents:
    """Announces what sessions mean, in order (`SessionObserver` of `Publishing`).

    What begins is written to the presence store before it is announced, and what ends is removed
    afterwards. So a crash in between leaves nobody in a room for ever: at worst an end is announced
    twice, or without its beginning.
    """

    def __init__(self, *, sink: EventSink, presences: PresenceStore, wall_clock: WallClock) -> None:
        self._sink = sink
        self._presences = presences
        self._wall_clock = wall_clock
        self._attendance = Attendance()
        self._waiting: deque[RoomEvent] = deque()
        self._announcing: asyncio.Task[None] | None = None
        self.lost_events = 0
        """Events that nobody took, or that came while `MAX_WAITING` others waited."""
        self._is_losing = False

    async def recover(self) -> None:
        """Announce the ends of all that was going on when the server died; call it first."""
        last_sign_ms = await self._presences.last_sign_ms()
        self._put(departures(await self._presences.present(), at_ms=last_sign_ms))

    async def keep_signs(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Write a sign of life each `SIGN_INTERVAL_S` while anybody is in a room; never returns."""
        while True:
            if self._attendance.is_anybody_here:
                try:
                    await self._presences.sign(self._wall_clock.utc_ms())
                except StoreFailed as error:
                    self._note_failure(error)
            await sleep(SIGN_INTERVAL_S)

    def users_in(self, room: RoomKey) -> list[str]:
        """Return who is in a room, the first who came first."""
        return self._attendance.users_in(room)

    def session_began(self, room: RoomKey, stream: StreamKey) -> None:
        """See `SessionObserver`."""
        now_ms = self._wall_clock.utc_ms()
        self._put(self._attendance.session_began(room, stream, at_ms=now_ms))

    def session_ended(self, room: RoomKey, stream: StreamKey, reason: EndReason) -> None:
        """See `SessionObserver`."""
        now_ms = self._wall_clock.utc_ms()
        self._put(self._attendance.session_ended(room, stream, reason, at_ms=now_ms))

    async def close(self) -> None:
        """Announce the events that wait; no session may begin or end afterwards."""
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
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            entered, left = _changes(batch)
            await self._note(entered=entered)
            for event in batch:
                try:
                    await self._sink.announce(event)
                except StoreFailed as error:  # those behind it are still to be told
                    self.lost_events += 1
                    self._note_failure(error)
                except Exception:
                    self.lost_events += 1
                    _log.exception("an event of room %s is lost", event.room.room_id)
                else:
                    self._is_losing = False
            await self._note(left=left)
        self._announcing = None

    async def _note(
        self, *, entered: Sequence[Presence] = (), left: Sequence[Presence] = ()
    ) -> None:
        try:
            await self._presences.note(entered=entered, left=left)
        except StoreFailed as error:
            self._note_failure(error)

    def _note_failure(self, error: StoreFailed) -> None:
        if not self._is_losing:
            _log.error("what happens in rooms cannot be recorded: %s", error)
        self._is_losing = True


def _changes(events: Sequence[RoomEvent]) -> tuple[list[Presence], list[Presence]]:
    """Return the presences that begin in `events`, and those that have ended after the last."""
    entered: dict[Presence, Presence] = {}
    left: dict[Presence, Presence] = {}
    for event in events:
        presence = presence_of(event)
        if isinstance(event, RoomOpened | UserJoined | StreamStarted):
            entered[presence] = presence
            left.pop(presence, None)
        else:
            left[presence] = presence
    return list(entered.values()), list(left.values())
