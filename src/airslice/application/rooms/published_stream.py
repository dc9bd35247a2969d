"""One user's published audio: RTP packets in, blocks of audio out to its consumers.

Which streams there are is in `registry`; the arithmetic of packets and time is in slicing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from airslice.application.ports.media import OpusDecoders
from airslice.domain.room import StreamKey
from airslice.domain.room_event import EndReason
from airslice.slicing.assembly import Block, PassthroughAssembler, PcmAssembler
from airslice.slicing.audio import (
    MAX_PREROLL_FRAMES,
    OPUS_GRAIN_SAMPLES,
    OpusAudio,
    OpusFrame,
    PcmAudio,
    preroll,
)
from airslice.slicing.jitter import ReorderBuffer
from airslice.slicing.packets import RtpPacket, SenderReport
from airslice.slicing.sender_clock import ns_to_ticks
from airslice.slicing.timeline import STALL_NS, Piece, PieceKind, Timeline

MAX_BATCH_PACKETS = 4_000
"""Packets of one source that are processed at a time: 50 times what 2.5 ms frames bring in 200 ms,
so that a stall can be made up for. More are a flood, and are dropped."""


class AudioConsumer(Protocol):
    """Gets a stream's audio, batch by batch."""

    wants_pcm: bool
    wants_opus: bool

    def feed(self, pcm: Sequence[Block[PcmAudio]], opus: Sequence[Block[OpusAudio]]) -> None:
        """Take the next blocks of the kinds that are wanted; the others are empty."""


class PacketTap(Protocol):
    """Gets what a stream's publisher sends the moment it arrives.

    `source` is the same object for all that comes from one SSRC of one session.
    """

    def take(self, source: object, packet: RtpPacket) -> None:
        """Take the next packet in order of arrival."""

    def report(self, source: object, report: SenderReport) -> None:
        """Take a sender report."""


class _Source:
    """The packets of one SSRC on their way into the timeline."""

    def __init__(self, window_ns: int, taps: tuple[PacketTap, ...] = ()) -> None:
        self.inbox: list[RtpPacket] = []
        self.taps = taps
        self.reports: list[SenderReport] = []
        self.reorder = ReorderBuffer(window_ns)
        self.left = False  # whether another source has taken over from it

    def take(self, packet: RtpPacket) -> None:
        self.inbox.append(packet)
        for tap in self.taps:
            tap.take(self, packet)


class _SessionSink:
    """Takes what one session of the stream sends (port `StreamSink`)."""

    def __init__(self, stream: PublishedStream) -> None:
        self._stream: PublishedStream | None = stream

    def source(self, ssrc: int) -> Callable[[RtpPacket], object]:
        source = self._stream.open_source(ssrc) if self._stream else _Source(0)
        return source.take

    def sender_report(self, ssrc: int, report: SenderReport) -> None:
        if self._stream:
            self._stream.take_report(ssrc, report)

    def ended(self, reason: EndReason = EndReason.LOST) -> None:
        if self._stream:
            stream, self._stream = self._stream, None
            stream.session_ended(self)

    def detach(self) -> None:
        """Take nothing more: another session has taken the stream over."""
        self._stream = None


class PublishedStream:
    """A user's audio stream in a room; it lasts over all sessions that publish it."""

    def __init__(
        self,
        key: StreamKey,
        *,
        decoders: OpusDecoders,
        sample_rate_hz: int,
        reorder_window_ns: int,
        on_ended: Callable[[PublishedStream], None],
        keep: Callable[[Sequence[Piece]], None] = lambda pieces: None,
    ) -> None:
        """Make a stream that nobody publishes yet.

        Args:
            key: Names the stream within its room.
            decoders: Make its decoder, once a consumer wants PCM.
            sample_rate_hz: Sample rate of the PCM.
            reorder_window_ns: How long a missing packet is awaited, in nanoseconds.
            on_ended: Called when its session ends without another taking over.
            keep: Takes the pieces that consumers get, and what decoders need before, for a
                crash.
        """
        self.key = key
        self._decoders = decoders
        self._sample_rate_hz = sample_rate_hz
        self._window_ns = reorder_window_ns
        self._on_ended = on_ended
        self._keep = keep
        self._sink: _SessionSink | None = None
        self._sources: dict[int, _Source] = {}  # in order of appearance
        self._current: _Source | None = None
        self._timeline = Timeline()
        self._consumers: list[AudioConsumer] = []
        self._taps: tuple[PacketTap, ...] = ()
        self._recent: list[Piece] = []
        self._pcm: PcmAssembler | None = None
        self._opus: PassthroughAssembler | None = None
        self._late_packets = 0
        self._last_sign_ns = 0  # latest packet or begin of a session, monotonic
        self.flooded_packets = 0
        """Packets dropped because one source sent more than `MAX_BATCH_PACKETS` at a time."""

    @property
    def published(self) -> bool:
        """Whether a session publishes the stream now."""
        return self._sink is not None

    @property
    def timeline(self) -> Timeline:
        """The timeline, which says where the stream's audio lies in time."""
        return self._timeline

    @property
    def late_packets(self) -> int:
        """Packets that came twice, or after they had been given up."""
        return self._late_packets + sum(s.reorder.late_packets for s in self._sources.values())

    def begin_session(self, now_ns: int) -> _SessionSink:
        """Return the sink of a new session, which takes the stream over from any other."""
        self._last_sign_ns = now_ns
        if self._sink is not None:
            self._sink.detach()
            self._close_sources()
        self._sink = _SessionSink(self)
        return self._sink

    def open_source(self, ssrc: int) -> _Source:
        """Return the source that takes the packets of `ssrc`."""
        source = self._sources.get(ssrc)
        if source is None:
            source = self._sources[ssrc] = _Source(self._window_ns, self._taps)
        return source

    def take_report(self, ssrc: int, report: SenderReport) -> None:
        """Keep a sender report until the packets before it are placed."""
        source = self._sources.get(ssrc)
        if source is None:
            return
        for tap in self._taps:
            tap.report(source, report)
        if len(source.reports) < 8:
            source.reports.append(report)

    def session_ended(self, sink: _SessionSink) -> None:
        """End the session: what is missing will not come any more."""
        if sink is self._sink:
            self._sink = None
            self._close_sources()
            self._on_ended(self)

    def subscribe(self, consumer: AudioConsumer) -> None:
        """Let `consumer` have the audio from the next `process` on."""
        if not self._consumers and self._recent:
            self._keep(self._recent)
        self._consumers.append(consumer)

    def unsubscribe(self, consumer: AudioConsumer) -> None:
        """Stop feeding `consumer`."""
        self._consumers.remove(consumer)

    def tap(self, tap: PacketTap) -> None:
        """Give `tap` each packet and report that arrives from now on."""
        self._set_taps((*self._taps, tap))

    def untap(self, tap: PacketTap) -> None:
        """Stop feeding `tap`, which need not be fed."""
        self._set_taps(tuple(other for other in self._taps if other != tap))

    @property
    def has_consumers(self) -> bool:
        """Whether anything gets the audio."""
        return bool(self._consumers)

    def process(self, now_ns: int, utc_offset_ns: int) -> None:
        """Move what has arrived into the timeline and feed the consumers.

        Args:
            now_ns: The monotonic clock.
            utc_offset_ns: UTC minus the monotonic clock.
        """
        pieces: list[Piece] = []
        for source in self._sources.values():
            if source is not self._current and source.inbox:
                if source.left and self.is_active(now_ns):
                    source.inbox.clear()  # stragglers of an SSRC that was given up
                    continue
                pieces += self._switch_to(source)
        current = self._current
        if current is None:
            return
        packets = self._take_inbox(current)
        if packets:
            self._last_sign_ns = packets[-1].arrival_ns
        ordered = current.reorder.push(packets)
        ordered += current.reorder.expire(now_ns)
        pieces += self._timeline.add(ordered)
        pieces += self._timeline.expire(now_ns - self._window_ns)
        if not self._timeline.in_doubt:  # else the reports' packets are still held
            for report in current.reports:
                self._timeline.report(report, utc_offset_ns=utc_offset_ns)
            current.reports.clear()
        self._feed(pieces)

    def is_active(self, now_ns: int) -> bool:
        """Whether audio is still expected: it is published, and has not stalled at `now_ns`."""
        return self.published and now_ns - self._last_sign_ns < STALL_NS

    def position_at(self, at_ns: int) -> int:
        """Return the position captured at `at_ns` (monotonic).

        The position counts 48 kHz samples and is rounded down to 2.5 ms. As long as capture times
        are unknown, it is the stream's end.
        """
        end = self._timeline.end
        captured_ns = self._timeline.captured_ns(end)
        if captured_ns is None:
            return end
        return (end + ns_to_ticks(at_ns - captured_ns)) // OPUS_GRAIN_SAMPLES * OPUS_GRAIN_SAMPLES

    def _set_taps(self, taps: tuple[PacketTap, ...]) -> None:
        self._taps = taps
        for source in self._sources.values():
            source.taps = taps

    def _switch_to(self, source: _Source) -> list[Piece]:
        pieces: list[Piece] = []
        if self._current is not None:
            pieces += self._leave(self._current)
        self._current = source
        return pieces

    def _leave(self, source: _Source) -> list[Piece]:
        """Give up what is missing of `source`; what is in doubt is decided."""
        source.left = True
        pieces = self._timeline.add(source.reorder.push(self._take_inbox(source)))
        pieces += self._timeline.add(source.reorder.flush())
        return pieces + self._timeline.begin_source()

    def _close_sources(self) -> None:
        """End the session's sources, and feed what they still have."""
        pieces: list[Piece] = []
        if self._current is not None:
            pieces = self._leave(self._current)
        self._late_packets = self.late_packets
        for source in self._sources.values():
            source.taps = ()  # what still comes is nobody's
        self._sources.clear()
        self._current = None
        self._feed(pieces)

    def _take_inbox(self, source: _Source) -> list[RtpPacket]:
        packets = source.inbox[:MAX_BATCH_PACKETS]
        self.flooded_packets += len(source.inbox) - len(packets)
        source.inbox.clear()
        return packets

    def _feed(self, pieces: list[Piece]) -> None:
        if not pieces:
            return
        wants_pcm = wants_opus = False
        for consumer in self._consumers:
            wants_pcm |= consumer.wants_pcm
            wants_opus |= consumer.wants_opus
        pcm: list[Block[PcmAudio]] = []
        opus: list[Block[OpusAudio]] = []
        if wants_pcm:
            if self._pcm is None:
                decoder = self._decoders.open(self._sample_rate_hz)
                self._pcm = PcmAssembler(decoder, self._sample_rate_hz)
                self._pcm.warm_up(self._recent_frames())
            pcm = self._pcm.assemble(pieces)
        else:
            self._pcm = None
        if wants_opus:
            if self._opus is None:
                self._opus = PassthroughAssembler(self._recent_frames())
            opus = self._opus.assemble(pieces)
        else:
            self._opus = None
        if self._consumers:
            self._keep(pieces)
        self._recent = pieces[-MAX_PREROLL_FRAMES:]
        for consumer in tuple(self._consumers):
            consumer.feed(pcm if consumer.wants_pcm else (), opus if consumer.wants_opus else ())

    def _recent_frames(self) -> tuple[OpusFrame, ...]:
        """Return the packets right before the next piece, on which a decoder converges."""
        return preroll(
            [
                OpusFrame(piece.packet.payload, piece.samples, piece.packet.level)
                for piece in self._recent
                if piece.kind is PieceKind.PACKET and piece.packet is not None
            ]
        )
