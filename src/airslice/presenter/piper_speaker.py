"""A speaker that is Piper: ``python -m airslice.presenter.piper_speaker MODEL``.

Piper is under the GPL; the server never imports this module, it runs it as a program.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from airslice.presenter.speaker import Speak, serve, wav_of

MAX_MODELS = 4
"""Loaded at a time; each takes some 100 MB."""


PEAK = 0.5
"""Of full scale, in each sentence."""


class Piper:
    """Voices in model files."""

    def __init__(self, default_model: str) -> None:
        """Load the default model.

        Raises:
            OSError: Piper is not installed, or the model is not there.
        """
        try:
            self._piper = import_module("piper")
        except ImportError as error:
            raise OSError("Piper is not installed; try: pip install airslice[piper]") from error
        self._default_model = default_model
        self._voice = lru_cache(MAX_MODELS)(self._load_voice)
        self._voice(default_model)

    def speak(self, request: dict[str, Any]) -> bytes:
        """Return a WAV file of the `text`, spoken by `model`.

        Piper has no pitch of its own: it speaks slower by `pitch`, and the file says that it is to
        be played faster by as much.
        """
        voice = self._voice(request["model"] or self._default_model)
        pitch: float = request["pitch"]
        synthesis = self._piper.SynthesisConfig(
            length_scale=voice.config.length_scale * pitch / request["speed"],
            volume=PEAK,
        )
        chunks = voice.synthesize(request["text"], synthesis)
        pcm = b"".join(chunk.audio_int16_bytes for chunk in chunks)
        return wav_of(pcm, round(voice.config.sample_rate * pitch))

    def _load_voice(self, model: str) -> Any:
        for file in (model, f"{model}.json"):
            if not Path(file).is_file():
                raise OSError(f"Piper's {file} is not there")
        return self._piper.PiperVoice.load(model)


def _load() -> Speak:
    return Piper(sys.argv[1]).speak


if __name__ == "__main__":
    serve(_load)
