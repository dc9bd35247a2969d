"""Make the deliveries of the outbox when they are due, a bounded number at a time.

How each kind is made is its carrier's business; how often it is retried is `domain.outbox`'s.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol, TypeVar

from airslice.application.ports.clock import Clock
from airslice.application.ports.outbox import Outbox, Queue
from airslice.domain.errors import StoreFailed
from airslice.domain.outbox import Delivery, DeliveryKind, DeliveryState, Failed, Made, Outcome

_log = logging.getLogger(__name__)

CLAIM_MS = 600_000
"""How long a delivery is ours alone: longer than any try takes."""

DATABASE_PAUSE_S = 1.0
"""Pause before the database is asked again after it has failed."""

MAX_REST_S = 8
"""How long a bucket that fails is left alone before it is tried with one upload again."""

MAX_REQUESTED_REST_S = 3_600
"""How long a receiver that asks for it is left alone by all callbacks; the one that it answered
may wait longer."""

_ENDED = frozenset({DeliveryState.DONE, DeliveryState.DEAD})

_T = TypeVar("_T")


class Limits(NamedTuple):
    """How many deliveries are under way at a time."""

    in_all: int
    per_destination: int
    """Less, so that a destination that hangs leaves capacity to the others."""


LIMITS: Mapping[DeliveryKind, Limits] = {
    DeliveryKind.UPLOAD: Limits(16, 12),
    DeliveryKind.CALLBACK: Limits(64, 16),
    DeliveryKind.LIVE_EVENT: Limits(32, 16),
}


class Carrier(Protocol):
    """Makes the deliveries of one kind."""

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Try once; an exception counts as a failure."""

    async def settled(self, delivery: Delivery) -> None:
        """Clean up after a delivery whose success is on the disk."""


class Courier:
    """Hands the outbox's deliveries to their carriers; memory holds only what is under way.

    Attributes:
        waiting: Deliveries on their way, those that were there at the start included.
        made: Deliveries made since the start, by kind.
        failed_tries: Tries that failed since the start, by kind.
        given_up: Deliveries given up since the start, by kind.
    """

    def __init__(
        self,
        outbox: Outbox,
        carriers: Mapping[DeliveryKind, Carrier],
        *,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]],
        chance: Callable[[], float],
    ) -> None:
        """Do nothing until `start`.

        Args:
            outbox: Where deliveries come from.
            carriers: Who makes them.
            clock: Its monotonic side alone tells time once the courier is made: a step of the wall
                clock neither hastens nor delays a retry.
            sleep: Returns after so many seconds of `clock`.
            chance: Gives random numbers of [0, 1).
        """
        self._outbox = outbox
        self._carriers = carriers
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._offset_ns = clock.utc_ns() - clock.monotonic_ns()
        self._under_way: dict[asyncio.Task[None], tuple[DeliveryKind, str]] = {}
        self._troubles: dict[tuple[DeliveryKind, str], _Trouble] = {}
        self._news = asyncio.Event()
        self._resting = False
        self._rounds: asyncio.Task[None] | None = None
        self.waiting = 0
        self.made: Counter[DeliveryKind] = Counter()
        self.failed_tries: Counter[DeliveryKind] = Counter()
        self.given_up: Counter[DeliveryKind] = Counter()

    @property
    def under_way(self) -> int:
        """The number of deliveries that are being tried."""
        return len(self._under_way)

    @property
    def is_resting(self) -> bool:
        """Whether the courier knows of nothing that it could begin now."""
        return self._resting and not self._news.is_set()

    def now_ms(self) -> int:
        """Return the outbox's time: UTC milliseconds that never step while the server runs."""
        return (self._clock.monotonic_ns() + self._offset_ns) // 1_000_000

    async def start(self) -> None:
        """Make deliveries until `close`, first those that were on their way at the last stop."""
        self.waiting = await self._outbox.recover(now_ms=self.now_ms())
        self._news.set()
        self._rounds = asyncio.create_task(self._run(), name="courier")

    async def close(self) -> None:
        """Stop making deliveries; what is under way is tried again at the next start."""
        tasks = [*self._under_way, *filter(None, [self._rounds])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def expect(self, more: int = 1) -> None:
        """Look into the outbox, into which `more` deliveries were put or made due earlier."""
        self.waiting += more
        self._news.set()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            try:
                due_ms = await self._hand_out()
            except StoreFailed as error:
                _log.warning("the outbox cannot be read: %s", error)
                due_ms = self.now_ms() + round(DATABASE_PAUSE_S * 1000)
            except Exception:
                _log.exception("deliveries cannot be handed out")
                due_ms = self.now_ms() + round(DATABASE_PAUSE_S * 1000)
            await self._idle_until(due_ms)

    async def _hand_out(self) -> int | None:
        """Begin what is due and may begin; return when the next delivery is due, if one waits."""
        while True:
            now_ms = self.now_ms()
            next_due_ms: int | None = None
            begun = 0
            # The longest due first, so that none starves while the limits are reached.
            for queue in sorted(await self._outbox.queues(), key=lambda queue: queue.due_at_ms):
                capacity = self._capacity(queue)
                if capacity <= 0:
                    continue  # the end of a try is news
                due_ms = max(queue.due_at_ms, self._rests_until_ms(queue))
                if due_ms > now_ms:
                    next_due_ms = due_ms if next_due_ms is None else min(due_ms, next_due_ms)
                    continue
                claimed = await self._outbox.claim(
                    queue, now_ms=now_ms, until_ms=now_ms + CLAIM_MS, limit=capacity
                )
                for delivery in claimed:
                    self._begin(delivery)
                begun += len(claimed)
            if not begun:
                return next_due_ms

    async def _idle_until(self, due_ms: int | None) -> None:
        """Wait for news, or until something is due."""
        news = asyncio.create_task(self._news.wait())
        waits: set[asyncio.Task[object]] = {asyncio.create_task(self._nap(due_ms)), news}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _nap(self, due_ms: int | None) -> None:
        self._resting = True
        try:
            if due_ms is None:
                await asyncio.Event().wait()  # for ever
            else:
                await self._sleep(max(0, due_ms - self.now_ms()) / 1000)
        finally:
            self._resting = False

    def _capacity(self, queue: Queue) -> int:
        """Return how many deliveries of `queue` may begin now."""
        limits = LIMITS[queue.kind]
        name = (queue.kind, queue.destination)
        at_once = 1 if name in self._troubles else limits.per_destination
        kinds = [kind for kind, _ in self._under_way.values()]
        here = sum(other == name for other in self._under_way.values())
        return min(at_once - here, limits.in_all - kinds.count(queue.kind))

    def _rests_until_ms(self, queue: Queue) -> int:
        trouble = self._troubles.get((queue.kind, queue.destination))
        return 0 if trouble is None else trouble.until_ms

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._carry(delivery))
        self._under_way[task] = (delivery.kind, delivery.destination)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._news.set()
        if not task.cancelled() and (error := task.exception()):
            _log.error("a delivery comes back when its claim expires", exc_info=error)

    async def _carry(self, delivery: Delivery) -> None:
        carrier = self._carriers[delivery.kind]
        try:
            outcome = await carrier.attempt(delivery)
        except Exception as error:  # one delivery's bug must not stop the others
            _log.exception("delivery %d failed", delivery.id)
            outcome = Failed(reason=f"internal error: {type(error).__name__}")
        now_ms = self.now_ms()
        after = delivery.after(outcome, now_ms=now_ms, chance=self._chance())
        self._note(after, outcome)
        made = outcome if isinstance(outcome, Made) else Made()
        settled = await until_recorded(
            lambda: self._outbox.settle(
                after, now_ms=now_ms, then=made.then, business_id=made.business_id
            ),
            f"delivery {delivery.id}",
            self._sleep,
        )
        if not settled:
            _log.warning("delivery %d was taken over by another server", delivery.id)
            return
        if after.state in _ENDED and made.then is None:
            self.waiting -= 1
        if after.state is DeliveryState.DONE:
            self.made[after.kind] += 1
            await carrier.settled(after)

    def _note(self, after: Delivery, outcome: Outcome) -> None:
        """Count, log, and learn from what came of a try."""
        name = (after.kind, after.destination)
        if isinstance(outcome, Made):
            self._troubles.pop(name, None)
            return
        self.failed_tries[after.kind] += 1
        if after.state is DeliveryState.DEAD:
            self.given_up[after.kind] += 1
            _log.error("delivery %d is given up: %s", after.id, after.last_error)
            return
        _log.warning(
            "%s %d failed %d times: %s", after.kind, after.id, after.attempts, after.last_error
        )
        trouble = self._troubles.get(name, _Trouble(0, 0))
        # A receiver's tries are few; but each slice that waits would try a bucket for ever.
        if after.kind is DeliveryKind.UPLOAD:
            self._troubles[name] = trouble.grown(self.now_ms())
        elif isinstance(outcome, Failed) and outcome.retry_after_s > 0:
            rest_s = min(outcome.retry_after_s, MAX_REQUESTED_REST_S)
            self._troubles[name] = trouble.asked(self.now_ms() + round(rest_s * 1000))


class _Trouble(NamedTuple):
    """A destination that fails: it rests, and is then tried with one delivery."""

    rests: int
    until_ms: int

    def grown(self, now_ms: int) -> _Trouble:
        """Return it after one more failure; those of tries that were under way change nothing."""
        if now_ms < self.until_ms:
            return self
        rest_s = min(MAX_REST_S, 1 << min(self.rests, MAX_REST_S))
        return _Trouble(self.rests + 1, now_ms + rest_s * 1000)

    def asked(self, until_ms: int) -> _Trouble:
        """Return it after it has asked to be left alone."""
        return _Trouble(self.rests + 1, max(self.until_ms, until_ms))


async def until_recorded(
    record: Callable[[], Awaitable[_T]], what: str, sleep: Callable[[float], Awaitable[None]]
) -> _T:
    """Call `record` until the database takes it; return its result. `what` names it in the log."""
    warned = False
    while True:
        try:
            return await record()
        except StoreFailed as error:
            if not warned:
                _log.warning("%s is not recorded yet: %s", what, error)
            warned = True
            await sleep(DATABASE_PAUSE_S)
