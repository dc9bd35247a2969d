"""Pass what a broadcast tells its players on to those who listen, within this process.

How a notice is written belongs to the façade; what owners are told, to `owner_events`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from airslice.domain.players import PlayerNotice, PlayState
from airslice.domain.room import RoomKey

MAX_WAITING = 64
"""Notices that wait for one subscriber; the oldest are dropped and counted."""


class Subscription:
    """One subscriber's notices, in order: an asynchronous iterator, and a context that ends it."""

    def __init__(self, notices: PlayerNotices, room: RoomKey) -> None:
        self._notices = notices
        self.room = room
        self._waiting: deque[PlayerNotice] = deque()
        self._news = asyncio.Event()
        self._is_over = False
        self.dropped = 0
        """Notices that came faster than they were taken."""

    def put(self, notice: PlayerNotice) -> None:
        """Let a notice wait for the subscriber."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(notice)
        self._news.set()

    def end(self) -> None:
        """Nothing follows; what waits is still handed out."""
        self._is_over = True
        self._news.set()

    def close(self) -> None:
        """The subscriber wants no more."""
        self._waiting.clear()
        self.end()
        self._notices.unsubscribe(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PlayerNotice:
        while not self._waiting:
            if self._is_over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


class PlayerNotices:
    """The notices of all broadcasts of this machine."""

    def __init__(self) -> None:
        self._subscriptions: dict[RoomKey, list[Subscription]] = {}
        self._states: dict[RoomKey, PlayState] = {}
        self.dropped = 0
        """Notices that subscribers who have left did not take in time."""

    @property
    def rooms(self) -> set[RoomKey]:
        """The rooms of which something is remembered."""
        return self._subscriptions.keys() | self._states.keys()

    def subscribe(self, room: RoomKey) -> Subscription:
        """Return the notices of a room from now on, its latest state first if it has one."""
        subscription = Subscription(self, room)
        self._subscriptions.setdefault(room, []).append(subscription)
        if room in self._states:
            subscription.put(self._states[room])
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        subscriptions = self._subscriptions.get(subscription.room, [])
        if subscription in subscriptions:
            subscriptions.remove(subscription)
            self.dropped += subscription.dropped
        if not subscriptions:
            self._subscriptions.pop(subscription.room, None)

    def notify(self, room: RoomKey, notice: PlayerNotice) -> None:
        """Tell everybody who has subscribed to a room."""
        if isinstance(notice, PlayState):
            self._states[room] = notice
        for subscription in self._subscriptions.get(room, ()):
            subscription.put(notice)

    def end(self, room: RoomKey) -> None:
        """Nothing more will be told of a room; its subscribers take what waits for them."""
        self._states.pop(room, None)
        for subscription in tuple(self._subscriptions.get(room, ())):
            subscription.end()
            self.unsubscribe(subscription)
