"""Slice files, by format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from airslice.application.ports.storage import SliceWriter
from airslice.domain.apps import SliceFormat
from airslice.domain.file_kind import FileKind
from airslice.encoding.av_encoder import AvEncoder
from airslice.encoding.ogg_opus import OggOpusEncoder
from airslice.encoding.wav import WavEncoder
from airslice.slicing.audio import OpusAudio, PcmAudio

AudioT = TypeVar("AudioT", PcmAudio, OpusAudio, contravariant=True)


class Encoder(Protocol[AudioT]):
    """Turns audio into the bytes of one open file."""

    def write(self, pieces: Sequence[AudioT]) -> None:
        """Append audio."""

    def close(self) -> None:
        """Complete and close the file; it is closed even where that fails."""


class FileSliceWriter(Generic[AudioT]):
    """Writes one slice file, once. Everything may raise OSError; then `discard` is what is left.

    A file that is finished or discarded takes nothing more: `write` and `finish` raise ValueError.
    """

    def __init__(self, path: Path, encoder: Encoder[AudioT], audio: type[AudioT]) -> None:
        """Write `audio` of one type through `encoder`, which has just created `path`."""
        self._path = path
        self._encoder: Encoder[AudioT] = encoder
        self._audio: type[AudioT] = audio
        self._is_open = True

    def write(self, audio: Sequence[PcmAudio] | Sequence[OpusAudio]) -> None:
        """Append audio pieces.

        Raises:
            TypeError: The file takes the other type of audio.
        """
        self._require_open()
        pieces = [piece for piece in audio if isinstance(piece, self._audio)]
        if len(pieces) < len(audio):
            raise TypeError(f"{self._path.name} takes {self._audio.__name__} only")
        self._encoder.write(pieces)

    def finish(self) -> None:
        """Complete the file and flush it to the disk."""
        self._require_open()
        self._is_open = False
        self._encoder.close()
        with self._path.open("rb+") as file:
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Close and remove the file."""
        if self._is_open:
            self._is_open = False
            with suppress(OSError):  # a file that is to be removed may be incomplete
                self._encoder.close()
        self._path.unlink(missing_ok=True)

    def _require_open(self) -> None:
        if not self._is_open:
            raise ValueError(f"{self._path.name} is finished or discarded")


class FileSliceWriters:
    """Makes writers of slice files (port `SliceWriters`)."""

    def open(self, path: Path, kind: FileKind) -> SliceWriter:
        """Return a writer of a new file of this kind at `path`; what is there is replaced.

        Raises:
            OSError: The file cannot be created.
        """
        if kind.passthrough:
            return FileSliceWriter(path, OggOpusEncoder(path), OpusAudio)
        rate_hz = kind.sample_rate_hz
        if kind.slice_format is SliceFormat.WAV:
            return FileSliceWriter(path, WavEncoder(path, rate_hz), PcmAudio)
        return FileSliceWriter(path, AvEncoder(path, kind.slice_format, rate_hz), PcmAudio)
