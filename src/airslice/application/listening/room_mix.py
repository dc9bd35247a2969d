"""The sum of a room's streams for those who listen now: paced by the clock, 20 ms at a time.

Positions count 48 kHz samples from the mix's begin and stand for times of capture, so that a
listener can be switched to the mix and back without a gap.
"""

from __future__ import annotations

from airslice.application.ports.media import (
    FRAME_SAMPLES,
    SPEECH_RATE_HZ,
    OpusDecoder,
    OpusDecoders,
    OpusEncoder,
)
from airslice.domain.room import StreamKey
from airslice.slicing.audio import PcmAudio
from airslice.slicing.jitter import ReorderBuffer
from airslice.slicing.mixer import Mixer
from airslice.slicing.opus_packet import packet_samples
from airslice.slicing.packets import LEVEL_UNKNOWN, RtpPacket
from airslice.slicing.rtp_splice import RtpSplice
from airslice.slicing.sender_clock import ns_to_ticks, ticks_to_ns
from airslice.slicing.timeline import MAX_CONCEALED_TICKS

DELAY_NS = 80_000_000
"""From the capture of a frame's last sample to its mixing: what jitter and reordering may take."""

REORDER_NS = 40_000_000
"""How long a missing packet is awaited: with the packet after it and a beat, within the delay."""

MAX_BEHIND_NS = 500_000_000
"""After a longer stall of the process, what comes before is left out."""

PLACE_TOLERANCE = FRAME_SAMPLES
"""How far a stream may drift from its place by the clock before it is put there."""


class MixInput:
    """One stream on its way into the mix."""

    def __init__(self, decoder: OpusDecoder, mixer: Mixer, begin_ns: int) -> None:
        self._decoder = decoder
        self._mixer = mixer
        self._begin_ns = begin_ns
        self._splice = RtpSplice(sequence=0, timestamp=0)
        self._reorder = ReorderBuffer(REORDER_NS)
        self._timestamp: int | None = None  # of the latest placed packet …
        self._position = 0  # … and its place
        self._sequence = 0  # of the latest decoded packet …
        self._end: int | None = None  # … and where it ends

    def take(self, source: object, packet: RtpPacket) -> None:
        """Take a packet of the stream as it arrives."""
        spliced = self._splice.take(source, packet)
        if spliced is None:
            return
        place = ns_to_ticks(spliced.captured_ns - self._begin_ns)
        if self._timestamp is not None:
            step = (spliced.timestamp - self._timestamp + 0x8000_0000) & 0xFFFF_FFFF
            expected = self._position + step - 0x8000_0000
            if abs(place - expected) <= PLACE_TOLERANCE:
                place = expected
        self._timestamp, self._position = spliced.timestamp, place
        placed = packet._replace(sequence=spliced.sequence, timestamp=place)
        self._decode(self._reorder.push((placed,)))

    def beat(self, now_ns: int) -> None:
        """Give up the packets that have been awaited for `REORDER_NS` at `now_ns` (monotonic)."""
        self._decode(self._reorder.expire(now_ns))

    def finish(self) -> None:
        """Decode what is in hand: the stream has ended."""
        self._decode(self._reorder.flush())

    def _decode(self, packets: list[RtpPacket]) -> None:
        """Decode packets in order; their timestamps are places in the mix."""
        for packet in packets:
            sequence, position, _, _, payload = packet
            samples = packet_samples(payload)
            if not samples:
                continue
            if self._end is not None and sequence != (self._sequence + 1) & 0xFFFF:
                self._make_up(self._end, position, packet, samples)
            self._mixer.add(position, PcmAudio(self._decoder.decode(payload, samples)))
            self._sequence, self._end = sequence, position + samples

    def _make_up(self, start: int, end: int, following: RtpPacket, samples: int) -> None:
        """Fill what was lost in [start, end); the last of it may be in the packet after it."""
        recovered = min(samples, end - start)
        if recovered <= 0:
            return
        concealed = min(end - start - recovered, MAX_CONCEALED_TICKS)
        if concealed:
            self._mixer.add(start, PcmAudio(self._decoder.conceal(concealed)))
        audio = self._decoder.recover(following.payload, recovered)
        self._mixer.add(end - recovered, PcmAudio(audio))


class RoomMix:
    """Sums a room's streams and encodes the sum, once for all who listen."""

    def __init__(self, *, begin_ns: int, decoders: OpusDecoders, encoder: OpusEncoder) -> None:
        """Begin with what is captured at `begin_ns` (monotonic nanoseconds)."""
        self._begin_ns = begin_ns
        self._decoders = decoders
        self._encoder = encoder
        self._mixer = Mixer(0, SPEECH_RATE_HZ)
        self._inputs: dict[StreamKey, MixInput] = {}
        self._sequence = 0

    def take(self, key: StreamKey, source: object, packet: RtpPacket) -> None:
        """Take a packet of a stream."""
        mix_input = self._inputs.get(key)
        if mix_input is None:
            decoder = self._decoders.open(SPEECH_RATE_HZ)
            mix_input = self._inputs[key] = MixInput(decoder, self._mixer, self._begin_ns)
        mix_input.take(source, packet)

    def remove(self, key: StreamKey) -> None:
        """Take a stream out of the mix: it has ended."""
        mix_input = self._inputs.pop(key, None)
        if mix_input is not None:
            mix_input.finish()

    def beat(self, now_ns: int) -> list[RtpPacket]:
        """Return the frames that are due at `now_ns`, as packets that a publisher might send."""
        for mix_input in self._inputs.values():
            mix_input.beat(now_ns)
        due = ns_to_ticks(now_ns - DELAY_NS - self._begin_ns)
        behind = (due - self._mixer.position) // FRAME_SAMPLES
        if behind > ns_to_ticks(MAX_BEHIND_NS) // FRAME_SAMPLES:
            self._mixer.mix_until(due // FRAME_SAMPLES * FRAME_SAMPLES - FRAME_SAMPLES)
        return self._frames(due)

    def drain(self) -> list[RtpPacket]:
        """Return all audio that is in hand, in whole frames: nothing more will be mixed."""
        for mix_input in self._inputs.values():
            mix_input.finish()
        return self._frames(self._mixer.end)

    def _frames(self, until: int) -> list[RtpPacket]:
        packets = []
        while (end := self._mixer.position + FRAME_SAMPLES) <= until:
            start = self._mixer.position
            audio = self._mixer.mix_until(end)
            if audio is None:
                break
            payload = self._encoder.encode(audio.pcm)
            captured_ns = self._begin_ns + ticks_to_ns(end)
            packets.append(
                RtpPacket(self._sequence, start & 0xFFFF_FFFF, captured_ns, LEVEL_UNKNOWN, payload)
            )
            self._sequence = (self._sequence + 1) & 0xFFFF
        return packets
