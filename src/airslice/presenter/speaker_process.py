"""One speaker: a child process that is started, asked, watched and killed.

What it is asked and answers is defined in `speaker_wire`; its inside is `speaker`.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

import airslice
from airslice.application.ports.live import SpeechFailed
from airslice.presenter.speaker_wire import (
    ANSWER_HEADER,
    MAX_ANSWER_BYTES,
    REQUEST_HEADER,
    WAV_MAGIC,
    Status,
)

START_TIMEOUT_S = 30.0
"""How long a process may take to start: a large model is loaded from a slow disk."""

_PACKAGES = str(Path(airslice.__file__).parents[1])


class SpeakerDied(Exception):
    """The process ended, hung or answered nonsense, and was killed; the message says which."""


class SpeakerProcess:
    """Runs at most one process at a time, from the first request on.

    Args:
        program: What Python runs: ``-m`` and a module, or a script, and arguments.
    """

    def __init__(self, program: Sequence[str]) -> None:
        # -P, not -I: the child finds the parent's own copy of airslice, by PYTHONPATH.
        self._command = (sys.executable, "-s", "-P", *program)
        self._process: Process | None = None
        self.deaths = 0
        """How often the process died since it last answered."""

    @property
    def pid(self) -> int | None:
        """Id of the process; None while there is none."""
        return None if self._process is None else self._process.pid

    async def ask(self, request: bytes, *, timeout_s: float) -> bytes:
        """Return the WAV file that the process makes of a request.

        Raises:
            SpeakerDied: it did not answer within `timeout_s` seconds after it was running.
            SpeechFailed: it answered that it cannot make it.
        """
        try:
            process = self._process or await self._start()
            async with asyncio.timeout(timeout_s):
                status, body = await _asked(process, request)
        except BaseException as error:  # cancellation too: nobody would take the answer
            await self.stop()
            # uvloop raises a RuntimeError for a pipe that is closed.
            if not isinstance(error, SpeakerDied | OSError | EOFError | RuntimeError):
                raise
            self.deaths += 1
            raise SpeakerDied(_reason(error)) from error
        self.deaths = 0
        if status is Status.FAILED:
            raise SpeechFailed(body.decode(errors="replace"))
        return body

    async def stop(self) -> None:
        """Kill the process, if there is one, and wait until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()  # it holds nothing that could be lost
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()

    async def _start(self) -> Process:
        process = self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            env={"PYTHONPATH": _PACKAGES, "LC_ALL": "C.UTF-8"},  # no secret of the server's
            start_new_session=True,  # an interrupt at the terminal is the server's to handle
        )
        async with asyncio.timeout(START_TIMEOUT_S):
            status, body = await _answer(process)
        if status is Status.FAILED:
            raise SpeechFailed(body.decode(errors="replace"))
        if status is not Status.READY:
            raise SpeakerDied("it does not begin as it should")
        return process


async def _asked(process: Process, request: bytes) -> tuple[Status, bytes]:
    if process.stdin is None:
        raise SpeakerDied("it cannot be asked")
    process.stdin.write(REQUEST_HEADER.pack(len(request)) + request)
    await process.stdin.drain()
    status, body = await _answer(process)
    if status is Status.READY or (status is Status.SPOKEN and not body.startswith(WAV_MAGIC)):
        raise SpeakerDied("it answers nonsense")
    return status, body


async def _answer(process: Process) -> tuple[Status, bytes]:
    if process.stdout is None:
        raise SpeakerDied("it cannot be heard")
    number, size = ANSWER_HEADER.unpack(await process.stdout.readexactly(ANSWER_HEADER.size))
    try:
        status = Status(number)
    except ValueError:
        raise SpeakerDied("it answers nonsense") from None
    if size > MAX_ANSWER_BYTES:
        raise SpeakerDied("it answers more than it may")
    return status, await process.stdout.readexactly(size)


def _reason(error: BaseException) -> str:
    match error:
        case TimeoutError():
            return "it does not answer in time"
        case EOFError() | ConnectionError() | RuntimeError():
            return "it ended"
    return str(error)
