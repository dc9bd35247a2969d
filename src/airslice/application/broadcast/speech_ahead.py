"""Make what a broadcast says before it is needed, as packets."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from airslice.application.pacing import Frame
from airslice.application.ports.clock import Clock
from airslice.application.ports.live import Recordings, SpeechEngine, SpeechFailed, SpeechRefused
from airslice.application.ports.media import (
    FRAME_SAMPLES,
    SPEECH_RATE_HZ,
    OpusEncoder,
    OpusEncoders,
)
from airslice.domain.playing import ASSET_SCHEME, Line, Script
from airslice.domain.script import Cursor
from airslice.slicing.audio import PCM_SAMPLE_BYTES
from airslice.slicing.packets import LEVEL_UNKNOWN

FRAMES_PER_S = SPEECH_RATE_HZ // FRAME_SAMPLES
FRAME_BYTES = FRAME_SAMPLES * PCM_SAMPLE_BYTES

MIN_AHEAD_FRAMES = 10 * FRAMES_PER_S
MIN_AHEAD_TAKES = 2
MAX_AHEAD_FRAMES = 30 * FRAMES_PER_S
"""Another sentence is begun while less than 10 s or 2 sentences are ready, and never is more than
30 s kept."""

CHUNK_FRAMES = 5 * FRAMES_PER_S
"""Encoded at a time, in a thread: some 10 ms of its time."""

PAUSE_FRAMES = FRAMES_PER_S * 3 // 10
"""300 ms of silence after each sentence, as a speaker takes breath."""

SPEAK_TIMEOUT_S = 120.0
FETCH_TIMEOUT_S = 600.0
"""How long a speech engine may take over a sentence, or a recording over its way here, before it
counts as failed."""

MAX_RETRY_PAUSE_S = 15

LEVEL_SILENT = 127
"""RFC 6464: digital silence."""

_SILENT_FRAME = bytes(FRAME_BYTES)

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Take:
    """A sentence as packets, the pause after it included; a long one is still being made."""

    line: Line
    frames: deque[Frame] = field(default_factory=deque)
    is_complete: bool = False


class Studio:
    """Turns sentences into PCM."""

    def __init__(
        self,
        *,
        engine: SpeechEngine,
        recordings: Recordings,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._engine = engine
        self._recordings = recordings
        self._clock = clock
        self._sleep = sleep

    async def record(self, project_id: str, line: Line, *, patience_ns: int | None) -> bytes:
        """Return what a sentence sounds like, trying until it can be made.

        Args:
            project_id: Whose assets are meant.
            line: The sentence.
            patience_ns: How long it is tried; None: for ever.

        Raises:
            SpeechFailed: it cannot be made, or only later.
            SpeechRefused: it never can be; it is not tried again.
        """
        failing_since_ns: int | None = None
        pause_s = 1
        while True:
            try:
                return await self._once(project_id, line)
            except SpeechRefused:
                raise
            except Exception as error:  # whatever an engine does, it is asked again
                if not isinstance(error, SpeechFailed | TimeoutError):
                    _log.exception("a speech engine has a bug")
                now_ns = self._clock.monotonic_ns()
                failing_since_ns = now_ns if failing_since_ns is None else failing_since_ns
                would_wait_ns = now_ns + pause_s * 1_000_000_000 - failing_since_ns
                reason = str(error) or type(error).__name__
                if patience_ns is not None and would_wait_ns > patience_ns:
                    raise SpeechFailed(reason) from error
                _log.warning("a sentence cannot be made yet: %s", reason)
            await self._sleep(pause_s)
            pause_s = min(pause_s * 2, MAX_RETRY_PAUSE_S)

    async def _once(self, project_id: str, line: Line) -> bytes:
        if line.recording:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                if line.recording.startswith(ASSET_SCHEME):
                    asset_id = line.recording.removeprefix(ASSET_SCHEME)
                    return await self._recordings.asset(project_id, asset_id)
                return await self._recordings.fetch(line.recording)
        pcm = bytearray()
        for utterance in line.sentence.utterances:
            pcm += bytes(utterance.pause_ms * SPEECH_RATE_HZ // 1_000 * PCM_SAMPLE_BYTES)
            if utterance.text:
                async with asyncio.timeout(SPEAK_TIMEOUT_S):
                    pcm += await self._engine.speak(utterance)
        return bytes(pcm)


class SpeechAhead:
    """The sentences of one broadcast from a cursor on, made in order and just in time."""

    def __init__(
        self,
        script: Script,
        cursor: Cursor,
        record: Callable[[Line], Awaitable[bytes]],
        encoders: OpusEncoders,
    ) -> None:
        """Make nothing until `start`.

        Args:
            script: What is said.
            cursor: The first sentence.
            record: Turns a sentence into PCM, or raises SpeechFailed.
            encoders: Make the encoder.
        """
        self._script = script
        self._cursor = cursor
        self._record = record
        self._encoder = encoders.open()
        self._takes: deque[Take] = deque()  # not handed out yet
        self.ready_frames = 0
        """Frames that are made and not played, of all takes, those handed out included."""
        self._failure: Exception | None = None
        self._is_over = False
        self._changed = asyncio.Condition()
        self._wanted = asyncio.Event()
        self._making: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to make."""
        self._making = asyncio.create_task(self._make())

    async def close(self) -> None:
        """Make no more."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    async def next(self) -> Take | None:
        """Return the next sentence, once it can begin; None if there is none any more.

        Raises:
            SpeechFailed: it cannot be made.
            MarkupRefused: its text must not be read.
        """
        async with self._changed:
            await self._changed.wait_for(self._can_begin)
        if not self._takes:
            if self._failure is not None:
                raise self._failure
            return None
        take = self._takes.popleft()
        self._wanted.set()
        return take

    def played(self) -> None:
        """A frame of a take that was handed out has been played."""
        self.ready_frames -= 1
        if self.ready_frames % FRAMES_PER_S == 0:
            self._wanted.set()

    def _can_begin(self) -> bool:
        if self._takes:
            return self._takes[0].is_complete or len(self._takes[0].frames) >= CHUNK_FRAMES
        return self._is_over

    async def _make(self) -> None:
        try:
            while (line := await self._next_line()) is not None:
                await self._until(self._needs_another)
                await self._encode(Take(line), await self._record(line))
                self._cursor = line.following
        except Exception as error:  # it is raised where the sentence is missed
            self._failure = error
        async with self._changed:
            self._is_over = True
            self._changed.notify_all()

    async def _next_line(self) -> Line | None:
        return await asyncio.to_thread(self._script.line_at, self._cursor)

    async def _encode(self, take: Take, pcm: bytes) -> None:
        frames = _frames_in(pcm)
        self._takes.append(take)
        for first in range(0, frames, CHUNK_FRAMES):
            if first:
                await self._until(self._has_room)
            count = min(CHUNK_FRAMES, frames - first)
            made = await asyncio.to_thread(_encoded, self._encoder, pcm, first, count)
            async with self._changed:
                take.frames += made
                take.is_complete = first + count == frames
                self.ready_frames += count
                self._changed.notify_all()

    def _has_room(self) -> bool:
        return self.ready_frames + CHUNK_FRAMES <= MAX_AHEAD_FRAMES

    def _needs_another(self) -> bool:
        is_short = self.ready_frames < MIN_AHEAD_FRAMES or len(self._takes) < MIN_AHEAD_TAKES
        return is_short and self._has_room()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._wanted.clear()
            await self._wanted.wait()


def silent_frame(encoders: OpusEncoders) -> Frame:
    """Return a frame that a decoder turns into silence."""
    encoder = encoders.open()
    packets = [encoder.encode(_SILENT_FRAME) for _ in range(FRAMES_PER_S // 5)]
    return Frame(packets[-1], LEVEL_SILENT)  # the first ones are of an encoder that settles


def _frames_in(pcm: bytes) -> int:
    """How many frames PCM fills, the last one perhaps in part, with the pause after it."""
    return -(-len(pcm) // FRAME_BYTES) + PAUSE_FRAMES


def _encoded(encoder: OpusEncoder, pcm: bytes, first: int, count: int) -> Sequence[Frame]:
    """Encode `count` frames of `pcm` from frame `first` on; silence follows it."""
    frames = []
    for number in range(first, first + count):
        frame = pcm[number * FRAME_BYTES : (number + 1) * FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
        level = LEVEL_SILENT if frame == _SILENT_FRAME else LEVEL_UNKNOWN
        frames.append(Frame(encoder.encode(frame), level))
    return frames
