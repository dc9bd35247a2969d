"""Which buckets refuse the slices that they are sent; nothing is stored here."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple, TypeVar

from airslice.application.ports.clock import Clock
from airslice.application.ports.storage import StorageProbe
from airslice.domain.errors import StoreFailed, StoreRefused
from airslice.domain.storage_target import StorageTarget

_log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 3.0
"""How long the start of a task waits for its bucket."""

PROBE_MEMORY_NS = 5_000_000_000
"""How long an answer holds for the tasks that are started next."""

MAX_PROBES = 16
"""Probes that are under way at a time; beyond, nothing is asked."""

MAX_TARGETS = 1_024
"""Buckets of which something is remembered; beyond, the oldest is forgotten."""


T = TypeVar("T")


class _Answer(NamedTuple):
    """What came of a probe, and when."""

    probe: asyncio.Task[str]
    asked_ns: int


class StorageHealth:
    """Asks buckets before tasks begin, and remembers what they say to uploads later."""

    def __init__(self, clock: Clock, probe: StorageProbe | None = None) -> None:
        """Ask buckets by `probe`; without one, only uploads show what is wrong."""
        self._clock = clock
        self._probe = probe
        self._answers: dict[StorageTarget, _Answer] = {}
        self._refusals: dict[StorageTarget, str] = {}

    async def check(self, target: StorageTarget) -> None:
        """Return unless `target` certainly takes nothing; doubt is no refusal.

        Raises:
            StoreRefused: the bucket or the keys are wrong.
        """
        if self._probe is None:
            return
        answer = self._answers.get(target)
        now_ns = self._clock.monotonic_ns()
        if answer is None or (answer.probe.done() and now_ns - answer.asked_ns >= PROBE_MEMORY_NS):
            if sum(not other.probe.done() for other in self._answers.values()) >= MAX_PROBES:
                return
            asking = asyncio.get_running_loop().create_task(self._ask(self._probe, target))
            answer = _remember(self._answers, target, _Answer(asking, now_ns))
        # A caller who gives up does not take the answer from the others.
        if refusal := await asyncio.shield(answer.probe):
            raise StoreRefused(refusal)

    def refused(self, target: StorageTarget, reason: str) -> None:
        """Note that `target` refused an upload, as it will all that follow until somebody acts."""
        _remember(self._refusals, target, reason)

    def accepted(self, target: StorageTarget) -> None:
        """Note that `target` took an upload."""
        self._refusals.pop(target, None)

    def refusal(self, target: StorageTarget) -> str:
        """Return why `target` refused what it was sent last; empty if it did not."""
        return self._refusals.get(target, "")

    async def close(self) -> None:
        """Cancel the probes that are under way."""
        probes = [answer.probe for answer in self._answers.values()]
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)

    async def _ask(self, probe: StorageProbe, target: StorageTarget) -> str:
        """Return why `target` refuses; empty if it does not, or nobody can tell."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await probe.check(target)
        except StoreRefused as error:
            self.refused(target, str(error))
            return str(error)
        except (StoreFailed, TimeoutError):
            return ""
        except Exception:  # nor does a mistake of ours keep a task from starting
            _log.exception("bucket %s cannot be probed", target.bucket)
            return ""
        self.accepted(target)
        return ""


def _remember(memory: dict[StorageTarget, T], target: StorageTarget, what: T) -> T:
    """Put `what` in place of what was known of `target`; return it."""
    memory.pop(target, None)
    while len(memory) >= MAX_TARGETS:
        del memory[next(iter(memory))]
    memory[target] = what
    return what
