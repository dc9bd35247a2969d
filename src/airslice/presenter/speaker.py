"""The inside of a speaker process: turns text into speech until its standard input ends.

It runs in the child process, and imports nothing of the server but `speaker_wire`.
"""

from __future__ import annotations

import io
import json
import os
import sys
import wave
from collections.abc import Callable
from typing import Any, BinaryIO, TypeAlias

from airslice.presenter.speaker_wire import (
    ANSWER_HEADER,
    MAX_PCM_BYTES,
    MAX_REQUEST_BYTES,
    REQUEST_HEADER,
    Status,
)

Speak: TypeAlias = Callable[[dict[str, Any]], bytes]
"""Makes a WAV file of a request; the message of any exception is sent to the server."""

NICENESS = 5
"""Nice value of speakers: speech is made ahead of need, and received media must not wait for it."""


def serve(load: Callable[[], Speak]) -> None:
    """Load the engine, then answer requests one by one until standard input ends."""
    os.nice(NICENESS)
    requests, answers = _own_pipes()
    try:
        speak = load()
    except Exception as error:
        _answer(answers, Status.FAILED, str(error).encode())
        return
    _answer(answers, Status.READY, b"")
    while (request := _next(requests)) is not None:
        try:
            wav = speak(request)
        except Exception as error:
            _answer(answers, Status.FAILED, (str(error) or type(error).__name__).encode())
        else:
            _answer(answers, Status.SPOKEN, wav)


def wav_of(pcm: bytes, sample_rate_hz: int) -> bytes:
    """Return mono int16 PCM as a WAV file.

    Raises:
        ValueError: `pcm` is longer than `MAX_PCM_BYTES`.
    """
    if len(pcm) > MAX_PCM_BYTES:
        raise ValueError("the text takes too long to speak")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate_hz)
        writer.writeframes(pcm)
    return file.getvalue()


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output; what a library prints goes to standard error instead."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sys.stdin.buffer, answers


def _next(requests: BinaryIO) -> dict[str, Any] | None:
    header = requests.read(REQUEST_HEADER.size)
    if len(header) < REQUEST_HEADER.size:
        return None
    (size,) = REQUEST_HEADER.unpack(header)
    if size > MAX_REQUEST_BYTES:
        return None  # out of step with the server, which starts another process
    request: dict[str, Any] = json.loads(requests.read(size))
    return request


def _answer(answers: BinaryIO, status: Status, body: bytes) -> None:
    try:
        answers.write(ANSWER_HEADER.pack(status, len(body)) + body)
        answers.flush()
    except BrokenPipeError:
        os._exit(0)  # the server has died: nobody is left to be told, nor to read of it in a log
