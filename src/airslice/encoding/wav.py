"""WAV files: RIFF, 16-bit PCM, mono."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from airslice.slicing.audio import PCM_SAMPLE_BYTES, PcmAudio

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_FORMAT_BYTES = 16
_PCM = 1
_CHANNELS = 1


class WavEncoder:
    """Writes a WAV file of up to 4 GiB, which is 12 hours at 48 kHz. The header is written last."""

    def __init__(self, path: Path, sample_rate_hz: int) -> None:
        """Create the file; its audio is mono PCM at `sample_rate_hz`."""
        self._sample_rate_hz = sample_rate_hz
        self._file = path.open("wb")
        self._file.write(bytes(_HEADER.size))

    def write(self, pieces: Sequence[PcmAudio]) -> None:
        """Append pieces as they are. WAV is little-endian, as is every machine airslice runs on."""
        self._file.write(b"".join([piece.pcm for piece in pieces]))

    def close(self) -> None:
        """Write the header and close the file."""
        with self._file as file:
            data_bytes = file.tell() - _HEADER.size
            file.seek(0)
            file.write(self._header(data_bytes))

    def _header(self, data_bytes: int) -> bytes:
        return _HEADER.pack(
            b"RIFF",
            _HEADER.size - 8 + data_bytes,
            b"WAVE",
            b"fmt ",
            _FORMAT_BYTES,
            _PCM,
            _CHANNELS,
            self._sample_rate_hz,
            self._sample_rate_hz * _CHANNELS * PCM_SAMPLE_BYTES,
            _CHANNELS * PCM_SAMPLE_BYTES,
            8 * PCM_SAMPLE_BYTES,
            b"data",
            data_bytes,
        )
