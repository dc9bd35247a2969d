"""A speech engine for a server whose presenters cannot speak."""

from __future__ import annotations

from airslice.application.ports.live import SpeechFailed
from airslice.domain.sentences import Utterance


class MuteEngine:
    """Refuses to speak and says why (port `SpeechEngine`)."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def speak(self, utterance: Utterance) -> bytes:
        """Refuse.

        Raises:
            SpeechFailed: always, with the reason.
        """
        del utterance
        raise SpeechFailed(self._reason)
