"""Speaker processes that share one queue of requests; each is started again when it dies.

The life of one process is in `speaker_process`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from airslice.application.ports.live import SpeechFailed
from airslice.presenter.speaker_process import SpeakerDied, SpeakerProcess

_log = logging.getLogger(__name__)

MAX_WAITING = 256
"""Requests that may wait for a speaker; further ones fail."""

TRIES = 2
"""How often one request may kill a speaker before it is given up."""

_FIRST_PAUSE_S = 0.25
_MAX_PAUSE_S = 5.0

Sleep = Callable[[float], Awaitable[None]]


class _Order(NamedTuple):
    request: bytes
    timeout_s: float
    answer: asyncio.Future[bytes]


class SpeakerPool:
    """Answers requests by speech, one at a time in each of its processes.

    Python runs `program` in each: ``-m`` and a module, or a script, and arguments.
    """

    def __init__(
        self, program: Sequence[str], *, processes: int = 1, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.speakers = tuple(SpeakerProcess(program) for _ in range(processes))
        self._sleep = sleep
        self._orders: asyncio.Queue[_Order] = asyncio.Queue(MAX_WAITING)
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Take requests from now on; each process starts with the first request that it gets."""
        self._workers = [asyncio.create_task(self._work(one)) for one in self.speakers]

    async def close(self) -> None:
        """Kill the processes; requests that are under way or wait fail."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.cancel()
        if workers:
            await asyncio.wait(workers)
        while not self._orders.empty():
            _fail(self._orders.get_nowait(), SpeechFailed("the speech engine is closed"))

    async def ask(self, request: bytes, *, timeout_s: float) -> bytes:
        """Return the WAV file that a speaker makes of a request.

        Args:
            request: A JSON object that the program understands, at most `MAX_REQUEST_BYTES`.
            timeout_s: How long the speaker may take once the request's turn has come, in seconds.

        Raises:
            SpeechFailed: the speaker cannot make it, or too many requests wait.
        """
        if not self._workers:
            raise SpeechFailed("the speech engine is closed")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            self._orders.put_nowait(_Order(request, timeout_s, answer))
        except asyncio.QueueFull:
            raise SpeechFailed("the speech engine has too much to do") from None
        return await answer

    async def _work(self, speaker: SpeakerProcess) -> None:
        try:
            while True:
                order = await self._orders.get()
                try:
                    wav = await self._made(speaker, order)
                except asyncio.CancelledError:
                    _fail(order, SpeechFailed("the speech engine is closed"))
                    raise
                except Exception as error:  # whatever it is, the next is made all the same
                    _fail(order, error)
                else:
                    _succeed(order, wav)
        finally:
            await speaker.stop()

    async def _made(self, speaker: SpeakerProcess, order: _Order) -> bytes:
        reason = "nobody waits for it"
        for _ in range(TRIES):
            if order.answer.done():
                break  # who asked was cancelled
            if speaker.deaths > 1:
                await self._sleep(min(_FIRST_PAUSE_S * 2 ** (speaker.deaths - 2), _MAX_PAUSE_S))
            try:
                return await speaker.ask(order.request, timeout_s=order.timeout_s)
            except SpeakerDied as error:
                reason = str(error)
                _log.warning("the speech engine is started again: %s", error)
        raise SpeechFailed(f"the speech engine failed: {reason}")


def _succeed(order: _Order, wav: bytes) -> None:
    if not order.answer.done():
        order.answer.set_result(wav)


def _fail(order: _Order, error: Exception) -> None:
    if not order.answer.done():
        order.answer.set_exception(error)
