"""A speaker process that uses Piper: ``python -m airslice.presenter.piper_speaker MODEL``.

Piper is under the GPL: the server runs this module as a program and never imports it.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from airslice.presenter.speaker import serve, wav_of

MAX_MODELS = 4
"""Models that are loaded at a time; each takes some 100 MB."""

PEAK = 0.5
"""Peak of each sentence, as a fraction of full scale."""


class Piper:
    """Piper, with the voices of several model files."""

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
        """Return a WAV file of a request's `text`, spoken by its `model`.

        Piper cannot change the pitch. Instead it speaks slower by the factor `pitch`, and the
        file's sample rate is higher by the same factor.
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


if __name__ == "__main__":
    serve(lambda: Piper(sys.argv[1]).speak)
