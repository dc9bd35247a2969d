"""One user's published audio: packets in, blocks of audio out to whoever slices it."""

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
from airslice.slicing.timeline import Piece, PieceKind, Timeline

MAX_BATCH_PACKETS = 4_000
"""Packets of one source taken at a time: 20 times what 2.5 ms frames bring in 200 ms, with
room for a stall. What is more is a flood and dropped."""

STALL_NS = 2_000_000_000
"""A published stream that sends nothing for so long no longer keeps others waiting."""


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
        """Take a packet: in order of arrival, lost ones are missing."""

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
        """Another session has taken the stream over: what still comes is nobody's."""
        self._stream = None


class PublishedStream:
    """A user's audio stream in a room, over all his sessions."""

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
            key: Whose it is.
            decoders: Make its decoder, once somebody wants PCM.
            sample_rate_hz: Of the PCM.
            reorder_window_ns: How long a missing packet is awaited.
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
        """Dropped because one source sent more than can be meant."""

    @property
    def published(self) -> bool:
        """Whether a session publishes it now."""
        return self._sink is not None

    @property
    def timeline(self) -> Timeline:
        """Where its audio lies in time."""
        return self._timeline

    @property
    def late_packets(self) -> int:
        """Packets that came after they were given up, or twice."""
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
        """Return where the packets of `ssrc` go."""
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
        """The session is over: nothing that is missing will come any more."""
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
        """Let `tap` have what comes from now on."""
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
        """Whether audio up to about now is still to be expected from it."""
        return self.published and now_ns - self._last_sign_ns < STALL_NS

    def position_at(self, at_ns: int) -> int:
        """Return the position captured at `at_ns` (monotonic).

        In 48 kHz samples, rounded down to 2.5 ms; the stream's end if that is not known yet.
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
        """The session is over: feed what is still to be had of it."""
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
        """The packets right before what comes next, for a decoder to converge on."""
        return preroll(
            [
                OpusFrame(piece.packet.payload, piece.samples, piece.packet.level)
                for piece in self._recent
                if piece.kind is PieceKind.PACKET and piece.packet is not None
            ]
        )
