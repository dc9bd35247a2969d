"""Speech to Opus, by the libopus inside the `av` wheel.

Through PyAV's public API: libopus called directly makes the same packets 5 to 10 % faster.
"""

from __future__ import annotations

import av

from airslice.application.ports.media import FRAME_SAMPLES, SPEECH_RATE_HZ
from airslice.slicing.audio import PCM_SAMPLE_BYTES

BIT_RATE = 32_000
"""Target rate in bits per second, enough for speech in the full band."""

_OPTIONS = {
    "application": "voip",
    "frame_duration": "20",
    "fec": "1",
    "packet_loss": "10",  # per cent that in-band FEC is made for
    "compression_level": "5",  # of 10, at two thirds of its cost
}


class AvOpusEncoder:
    """Encodes one stream of speech, for one thread at a time."""

    def __init__(self) -> None:
        """Open an encoder of libopus."""
        self._codec = av.AudioCodecContext.create("libopus", "w")
        self._codec.sample_rate = SPEECH_RATE_HZ
        self._codec.layout = "mono"
        self._codec.format = "s16"
        self._codec.bit_rate = BIT_RATE
        self._codec.options = _OPTIONS

    def encode(self, pcm: bytes) -> bytes:
        """Encode `FRAME_SAMPLES` of mono PCM at `SPEECH_RATE_HZ` into one Opus packet.

        Raises:
            ValueError: it is more or less.
        """
        if len(pcm) != FRAME_SAMPLES * PCM_SAMPLE_BYTES:
            raise ValueError(f"{len(pcm)} bytes are no frame of 20 ms")
        frame = av.AudioFrame("s16", "mono", FRAME_SAMPLES)
        frame.planes[0].update(pcm)
        frame.sample_rate = SPEECH_RATE_HZ
        (packet,) = self._codec.encode(frame)
        return bytes(packet)


class AvOpusEncoders:
    """Makes encoders of speech (port `OpusEncoders`)."""

    def open(self) -> AvOpusEncoder:
        """Return an encoder for a new stream."""
        return AvOpusEncoder()
