"""Where audio comes from and goes to: media engines, their sessions, and Opus codecs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from airslice.domain.room_event import EndReason
from airslice.slicing.assembly import OpusDecoder as OpusDecoder
from airslice.slicing.outgoing_packet import OutgoingPacket
from airslice.slicing.packets import RtpPacket, SenderReport

SPEECH_RATE_HZ = 48_000
"""Of all speech and recordings: mono, int16, native byte order."""

FRAME_SAMPLES = 960
"""20 ms: what is encoded and published at a time."""


class RtpSink(Protocol):
    """Where RTP packets and sender reports go. Called on the event loop; returns at once."""

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        """Return the function that takes the packets of `ssrc`, in order of arrival."""

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        """Take a sender report of `ssrc`."""


class StreamSink(RtpSink, Protocol):
    """Where a media engine puts what one published stream sends."""

    def ended(self, reason: EndReason = EndReason.LOST) -> None:
        """The publisher has left, was replaced or is gone. Called once; nothing follows.

        Args:
            reason: What the engine knows: `LEFT`, `SHUTDOWN`, or `LOST` for anything else.
        """


class MediaSession(Protocol):
    """One publisher's connection."""

    answer: str
    """SDP answer to the offer that opened the session."""

    def restart(self, fragment: str) -> str:
        """Take the peer's new ICE credentials; return the server's.

        Args:
            fragment: Body of a WHIP PATCH, `application/trickle-ice-sdpfrag` (RFC 8840).

        Returns:
            The server's fragment of the same type; empty where nothing was restarted
            (the fragment only adds candidates).

        Raises:
            OfferRefused: `fragment` cannot be parsed.
        """

    def close(self) -> None:
        """End the session: the sink's `ended` is called if it has not been."""


class MediaEngine(Protocol):
    """Where published audio comes from."""

    def open(self, offer: str, sink: StreamSink) -> MediaSession:
        """Answer an SDP offer; the sink gets what the publisher then sends.

        Raises:
            OfferRefused: the offer is malformed or has no acceptable Opus audio section.
            ServerFull: the engine takes no more sessions.
        """


class ListeningSession(MediaSession, Protocol):
    """One listener's connection."""

    def send(self, packet: OutgoingPacket) -> None:
        """Send a packet at once; nothing happens before the listener is connected, or after."""


class ListeningEngine(Protocol):
    """Where listeners are sent to."""

    def listen(self, offer: str, on_ended: Callable[[EndReason], None]) -> ListeningSession:
        """Answer an SDP offer that wants to receive audio.

        Args:
            offer: The offer.
            on_ended: Called once, when the listener has left or is gone, or after `close`.

        Raises:
            OfferRefused: the offer is malformed or has no acceptable Opus audio section.
            ServerFull: the engine takes no more listeners.
        """


class OpusDecoders(Protocol):
    """Makes decoders."""

    def open(self, sample_rate_hz: int) -> OpusDecoder:
        """Return a fresh decoder to mono PCM at `sample_rate_hz`."""


class OpusEncoder(Protocol):
    """An encoder of one stream."""

    def encode(self, pcm: bytes) -> bytes:
        """Encode `FRAME_SAMPLES` of mono PCM at `SPEECH_RATE_HZ` into one Opus packet."""


class OpusEncoders(Protocol):
    """Makes encoders."""

    def open(self) -> OpusEncoder:
        """Return a fresh encoder."""
