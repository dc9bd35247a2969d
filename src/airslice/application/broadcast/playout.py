"""What sounds at this moment: one sentence after another, and silence where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from airslice.application.broadcast.speech_ahead import Take
from airslice.application.pacing import Frame
from airslice.domain.players import Timing

LEAD_FRAMES = 5
"""The next sentence is called for so long before the present one is over: 100 ms, within the pause
after it, in which the cursor is recorded."""


class Playout:
    """The frames of a broadcast, in order. Owns no clock: each call is 20 ms later.

    Attributes:
        is_paused: Whether it is, or will be at the end of the sentence, by a command.
        starved_frames: Silence within sentences, for nothing was ready; by design there is none.
    """

    def __init__(
        self,
        silence: Frame,
        on_begin: Callable[[Take], None],
        on_played: Callable[[], None],
    ) -> None:
        """Be silent until something is queued.

        Args:
            silence: Stands where there is nothing to say.
            on_begin: Told of each sentence right before its first frame.
            on_played: Told of each frame of a sentence.
        """
        self._silence = silence
        self._on_begin = on_begin
        self._on_played = on_played
        self._take: Take | None = None
        self._next: Take | None = None
        self._waits_for_end = False
        self._changed = asyncio.Event()
        self.is_paused = False
        self.starved_frames = 0

    def next_frame(self) -> Frame:
        """Return what is played next."""
        take = self._present()
        if take is None:
            return self._silence
        if not take.frames:
            self.starved_frames += 1
            return self._silence
        frame = take.frames.popleft()
        self._on_played()
        if self._is_over_in(LEAD_FRAMES):
            self._changed.set()
        return frame

    def queue(self, take: Take) -> None:
        """Play `take` after the present one."""
        self._next = take

    def pause(self, timing: Timing) -> None:
        """Be silent, at once or after the present sentence."""
        self.is_paused = True
        self._waits_for_end = timing is Timing.SENTENCE_END and not self._is_over

    def resume(self) -> None:
        """Go on where it was paused."""
        self.is_paused = False
        self._changed.set()

    async def may_begin(self) -> None:
        """Wait until another sentence may begin: not while it is paused."""
        await self._until(lambda: not self.is_paused)

    async def wants_next(self) -> None:
        """Wait until what is queued is nearly over, so that the next is to be queued."""
        await self._until(lambda: self._next is None and self._is_over_in(LEAD_FRAMES))

    async def over(self) -> None:
        """Wait until everything has been played."""
        await self._until(lambda: self._next is None and self._is_over)

    @property
    def is_resting(self) -> bool:
        """Whether the broadcast is silent because a command has paused it."""
        return self.is_paused and (self._is_over or not self._waits_for_end)

    @property
    def _is_over(self) -> bool:
        return self._is_over_in(0)

    def _is_over_in(self, frames: int) -> bool:
        take = self._take
        return take is None or (take.is_complete and len(take.frames) <= frames)

    def _present(self) -> Take | None:
        """Return the sentence that sounds now; None for silence."""
        if self.is_resting:
            return None
        if self._is_over:
            self._take, self._next = self._next, None
            self._changed.set()
            if self._take is not None:
                self._on_begin(self._take)
        return self._take

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()
