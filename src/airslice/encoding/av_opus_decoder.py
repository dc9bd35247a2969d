"""Opus decoding through PyAV's public API, for machines where libopus itself cannot be loaded.

It takes two to three times as long as libopus alone, and knows neither FEC nor concealment: what is
lost becomes silence.
"""

from __future__ import annotations

import av

from airslice.slicing.audio import PCM_SAMPLE_BYTES

_DECODED_HZ = 48_000
"""FFmpeg's decoder knows no other rate; the rest is resampled."""

_SILENCE_STEP_SAMPLES = 5_760
"""120 ms at 48 kHz: silence is resampled in pieces of at most this length."""


class AvOpusDecoder:
    """Decodes one stream to mono PCM, for one thread at a time.

    Where it resamples, what it returns is 16 samples late.
    """

    __slots__ = ("_codec", "_ratio", "_resampler", "corrupt_packets")

    corrupt_packets: int
    """How many packets could not be decoded, or did not last what the caller said."""

    def __init__(self, sample_rate_hz: int) -> None:
        """Start a stream; `sample_rate_hz` must divide 48 kHz."""
        self._codec = av.AudioCodecContext.create("libopus", "r")
        self._codec.sample_rate = _DECODED_HZ
        self._codec.layout = "mono"
        self._resampler = av.AudioResampler("s16", "mono", sample_rate_hz)
        self._ratio = _DECODED_HZ // sample_rate_hz
        self.corrupt_packets = 0

    def decode(self, payload: bytes, samples: int) -> bytes:
        """Decode one Opus packet to exactly `samples` of int16; a corrupt one is silence."""
        frames: list[av.AudioFrame] = []
        if payload:  # an empty packet would end the stream
            try:
                frames = self._codec.decode(av.Packet(payload))
            except av.FFmpegError:
                frames = []
        if sum(frame.samples for frame in frames) != samples * self._ratio:
            self.corrupt_packets += 1
            return self.conceal(samples)
        return self._resample(frames, samples)

    def recover(self, payload: bytes, samples: int) -> bytes:
        """Return `samples` of silence: the API gives no access to FEC."""
        return self.conceal(samples)

    def conceal(self, samples: int) -> bytes:
        """Return `samples` of silence, after the end of what was decoded before."""
        missing = samples * self._ratio
        frames = []
        while missing > 0:
            frame = av.AudioFrame("s16", "mono", min(missing, _SILENCE_STEP_SAMPLES))
            frame.planes[0].update(bytes(frame.samples * PCM_SAMPLE_BYTES))
            frame.sample_rate = _DECODED_HZ
            frames.append(frame)
            missing -= frame.samples
        return self._resample(frames, samples)

    def _resample(self, frames: list[av.AudioFrame], samples: int) -> bytes:
        parts = []
        for frame in frames:
            frame.pts = None  # the filter counts for itself
            parts += [
                bytes(done.planes[0])[: done.samples * PCM_SAMPLE_BYTES]
                for done in self._resampler.resample(frame)
            ]
        # The resampler holds its first 16 samples back: the stream starts with as much silence.
        size = samples * PCM_SAMPLE_BYTES
        return b"".join(parts).rjust(size, b"\0")[:size]


class AvOpusDecoders:
    """Makes decoders by PyAV (port `OpusDecoders`)."""

    description = f"libopus through PyAV {av.__version__}, without FEC and concealment"
    """Name and version of what decodes, for the log."""

    def open(self, sample_rate_hz: int) -> AvOpusDecoder:
        """Return a fresh decoder to mono PCM at `sample_rate_hz`."""
        return AvOpusDecoder(sample_rate_hz)
