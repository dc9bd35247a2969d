"""Opus decoding by libopus itself, called through cffi.

libopus decodes straight to the slice rate and to mono, rebuilds lost packets from in-band FEC and
conceals the rest. The copy inside the `av` wheel is preferred, then the system's; where neither
can be loaded, the decoder behind PyAV's public API takes over (`av_opus_decoder`).
"""

from __future__ import annotations

import ctypes.util
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cffi

from airslice.encoding.av_opus_decoder import AvOpusDecoders
from airslice.slicing.audio import PCM_SAMPLE_BYTES

_FFI = cffi.FFI()
_FFI.cdef(
    """
    typedef struct OpusDecoder OpusDecoder;
    const char *opus_get_version_string(void);
    int opus_decoder_get_size(int channels);
    OpusDecoder *opus_decoder_create(int32_t rate, int channels, int *error);
    int opus_decode(OpusDecoder *state, const unsigned char *data, int32_t length,
                    int16_t *pcm, int frame_size, int decode_fec);
    void opus_decoder_destroy(OpusDecoder *state);
    """
)

_GRAINS_PER_SECOND = 400
"""libopus conceals in multiples of 2.5 ms."""

_MAX_PACKET_GRAINS = 48
"""120 ms: the longest packet (RFC 6716 section 3.2.5), and the most that one call returns."""

_TEST_PACKET = bytes.fromhex("989ed8d2284076b36b3bbe")
"""20 ms of a tone, CELT."""

_TEST_RATE_HZ = 16_000
_TEST_SAMPLES = 320


class LibopusDecoder:
    """Decodes one stream to mono PCM, for one thread at a time."""

    __slots__ = ("_capacity", "_decode", "_grain", "_memory", "_pcm", "_state", "corrupt_packets")

    corrupt_packets: int
    """How many packets could not be decoded, or did not last what the caller said."""

    def __init__(self, library: Any, sample_rate_hz: int) -> None:
        """Use the loaded `library` at 8, 12, 16, 24 or 48 kHz.

        Raises:
            OSError: libopus makes no decoder, for want of memory or for another rate.
        """
        error = _FFI.new("int *")
        state = library.opus_decoder_create(sample_rate_hz, 1, error)
        if error[0]:
            raise OSError(f"libopus makes no decoder at {sample_rate_hz} Hz: error {error[0]}")
        size = library.opus_decoder_get_size(1)
        self._state = _FFI.gc(state, library.opus_decoder_destroy, size)
        self._decode = library.opus_decode
        self._grain = sample_rate_hz // _GRAINS_PER_SECOND
        self._capacity = self._grain * _MAX_PACKET_GRAINS
        self._pcm = _FFI.new("int16_t[]", self._capacity)
        self._memory: Any = _FFI.buffer(self._pcm)
        self.corrupt_packets = 0

    def decode(self, payload: bytes, samples: int) -> bytes:
        """Decode one Opus packet that lasts `samples`, at most 120 ms, to exactly as many of int16.

        What a corrupt packet leaves open is concealed.
        """
        size = samples if samples < self._capacity else self._capacity
        decoded: int = self._decode(self._state, payload, len(payload), self._pcm, size, 0)
        pcm: bytes = self._memory[: max(decoded, 0) * PCM_SAMPLE_BYTES]
        if decoded == samples:
            return pcm
        self.corrupt_packets += 1
        return pcm + self.conceal(samples - max(decoded, 0))

    def recover(self, payload: bytes, samples: int) -> bytes:
        """Rebuild the `samples` (int16) before `payload` by its FEC, and conceal what it lacks."""
        size = min(samples, self._capacity)
        start = self.conceal(samples - size)
        decoded: int = self._decode(self._state, payload, len(payload), self._pcm, size, 1)
        if decoded != size:
            return start + self.conceal(size)
        pcm: bytes = self._memory[: size * PCM_SAMPLE_BYTES]
        return start + pcm

    def conceal(self, samples: int) -> bytes:
        """Make up `samples` (int16) from what came before; beyond some 200 ms that is noise."""
        parts = []
        while samples > 0:
            grains = -(-samples // self._grain)
            step = min(grains * self._grain, self._capacity)
            decoded = self._decode(self._state, _FFI.NULL, 0, self._pcm, step, 0)
            size = min(samples, step) * PCM_SAMPLE_BYTES
            parts.append(self._memory[:size] if decoded == step else bytes(size))
            samples -= step
        return b"".join(parts)


class LibopusDecoders:
    """Makes decoders from one copy of libopus (port `OpusDecoders`)."""

    description: str
    """Version and path of the copy, for the log."""

    def __init__(self, library: str) -> None:
        """Load and try `library`, a path or a name that the dynamic linker knows.

        Raises:
            OSError: It cannot be loaded, or does not decode.
        """
        self._library = _load(library)
        try:
            version: Any = _FFI.string(self._library.opus_get_version_string())
            decoder = self.open(_TEST_RATE_HZ)
            pcm = decoder.decode(_TEST_PACKET, _TEST_SAMPLES)
        except AttributeError as error:
            raise OSError(f"{library} lacks a function: {error}") from error
        if decoder.corrupt_packets or not any(pcm):
            raise OSError(f"{library} does not decode the test packet")
        self.description = f"{version.decode()} ({library})"

    def open(self, sample_rate_hz: int) -> LibopusDecoder:
        """Return a fresh decoder to mono PCM at `sample_rate_hz`."""
        return LibopusDecoder(self._library, sample_rate_hz)


def find_opus_decoders() -> LibopusDecoders | AvOpusDecoders:
    """Return the best Opus decoder of this machine; its `description` says which it is."""
    for library in _libraries():
        try:
            return LibopusDecoders(library)
        except OSError:
            continue
    return AvOpusDecoders()


def _load(library: str) -> Any:
    """Return `library` for calling what `_FFI` declares."""
    return _FFI.dlopen(library)


def _libraries() -> Iterator[str]:
    """Name the copies of libopus to try, the best first."""
    package = find_spec("av")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent
        # Where the tools that repair wheels put libraries: auditwheel, delvewheel and delocate.
        for bundle in (folder.parent / "av.libs", folder / ".dylibs"):
            yield from sorted(map(str, bundle.glob("libopus[-.]*")))
    system = ctypes.util.find_library("opus")
    if system is not None:
        yield system
