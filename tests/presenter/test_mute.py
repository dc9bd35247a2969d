from __future__ import annotations

import pytest

from airslice.application.ports.live import SpeechFailed
from airslice.presenter.mute import MuteEngine
from tests.support.audio.voice_measures import said


async def test_a_mute_engine_refuses_every_sentence_and_says_why() -> None:
    engine = MuteEngine("no project is configured")

    for text in ("One.", ""):
        with pytest.raises(SpeechFailed, match="no project is configured"):
            await engine.speak(said(text))
