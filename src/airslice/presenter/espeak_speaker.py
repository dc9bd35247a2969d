"""A speaker process that uses espeak-ng: ``python -m airslice.presenter.espeak_speaker``.

This is the only module that loads libespeak-ng, which is under the GPL. The server runs it as a
program and never imports it; see docs/decisions/speech.md.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from airslice.presenter.speaker import serve, wav_of
from airslice.presenter.speaker_wire import MAX_PCM_BYTES

SYSTEM_LIBRARY = "libespeak-ng.so.1"
"""The library that is used where the `espeakng-loader` package is not installed."""

# espeak-ng/speak_lib.h
_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_UTF8 = 1
_SSML = 0x10
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "range": 4}


class _Voice(ctypes.Structure):
    """espeak-ng's espeak_VOICE."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),  # a priority byte, then the first language's name
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_OnSamples = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Espeak:
    """The espeak-ng library, which has one state for the whole process."""

    def __init__(self) -> None:
        """Load the library from the `espeakng-loader` package or, without that, the system's.

        Raises:
            OSError: there is no library, or it lacks its data.
        """
        path, data = _location()
        try:
            self._library = ctypes.CDLL(path)
        except OSError as error:
            raise OSError(
                "espeak-ng is not installed; it comes with: pip install airslice[presenter]"
            ) from error
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self._rate_hz: int = self._library.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, 0, data, _DONT_EXIT
        )
        if self._rate_hz <= 0:
            raise OSError(f"espeak-ng ({path}) does not start")
        self._pcm = bytearray()
        self._on_samples = _OnSamples(self._take)  # kept alive for the library
        self._library.espeak_SetSynthCallback(self._on_samples)
        self._languages = frozenset(self._listed_languages())

    def speak(self, request: dict[str, Any]) -> bytes:
        """Return a WAV file of a request's `text`, in the first of its `voices` that exists.

        Raises:
            ValueError: none of the voices exists.
        """
        self._choose(request["voices"])
        for name, number in _PARAMETERS.items():
            self._library.espeak_SetParameter(number, request[name], 0)
        text, flags = request["text"], _UTF8
        if request["is_spelled"]:
            text = f'<say-as interpret-as="characters">{escape(text)}</say-as>'
            flags |= _SSML
        encoded = text.encode()
        self._pcm.clear()
        status = self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, flags, None, None)
        if status:
            raise ValueError(f"espeak-ng does not speak this: error {status}")
        return wav_of(bytes(self._pcm), self._rate_hz)

    def _choose(self, voices: Iterable[str]) -> None:
        for voice in voices:
            # The library also takes the name as a file's: only listed languages may reach it.
            language, _, variant = voice.lower().partition("+")
            known = language in self._languages and (not variant or variant.isalnum())
            if known and self._library.espeak_SetVoiceByName(voice.encode()) == 0:
                return
        raise ValueError(f"espeak-ng has no voice {', '.join(voices)}")

    def _take(self, samples: Any, count: int, events: object) -> int:
        if count > 0:
            self._pcm += ctypes.string_at(samples, count * 2)
        return int(len(self._pcm) > MAX_PCM_BYTES)  # 1 ends it

    def _listed_languages(self) -> Iterable[str]:
        voices = self._library.espeak_ListVoices(None)
        index = 0
        while voices[index]:
            yield voices[index].contents.languages[1:].decode().lower()
            index += 1


def _location() -> tuple[str, bytes | None]:
    """Return the library and the folder of its data; None: the folder that is compiled in."""
    package = find_spec("espeakng_loader")
    if package is None or package.origin is None:
        return SYSTEM_LIBRARY, None
    folder = Path(package.origin).parent
    return str(next(folder.glob("libespeak-ng.*"))), bytes(folder / "espeak-ng-data")


if __name__ == "__main__":
    serve(lambda: Espeak().speak)
