"""Turns pieces of a timeline into blocks of audio: decoded PCM, or Opus packets as they came.

Where the pieces lie is decided in `timeline`; the codec itself is outside, behind `OpusDecoder`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from airslice.slicing.audio import (
    MAX_PREROLL_FRAMES,
    PCM_SAMPLE_BYTES,
    Audio,
    OpusAudio,
    OpusFrame,
    PcmAudio,
    preroll,
)
from airslice.slicing.opus_packet import lost_frames, silent_frames
from airslice.slicing.packets import RTP_CLOCK_HZ
from airslice.slicing.timeline import Piece, PieceKind

A = TypeVar("A", bound=Audio)

_new = tuple.__new__  # runs for each packet, in a third of a named tuple's own time


class Block(NamedTuple, Generic[A]):
    """Audio without a gap, and its place on a stream's timeline."""

    position: int
    """Position of the first sample, in samples of the audio's own rate."""
    audio: A


def clipped(block: Block[A], start: int, end: int) -> Block[A] | None:
    """Return the part of `block` that lies in [start, end); None if nothing does."""
    position, audio = block
    samples = audio.samples
    if position >= end or position + samples <= start:
        return None
    if position + samples > end:
        audio = audio.split(end - position)[0]
    if position < start:
        audio = audio.split(start - position)[1]
        position = start
    return Block(position, audio)


class OpusDecoder(Protocol):
    """A decoder of one stream to mono int16 PCM, native byte order, at the rate it was made for."""

    def decode(self, payload: bytes, samples: int) -> bytes:
        """Return one Opus packet that lasts `samples` as PCM; a corrupt one is concealed."""

    def recover(self, payload: bytes, samples: int) -> bytes:
        """Return the `samples` before `payload`, by its in-band FEC or else concealed."""

    def conceal(self, samples: int) -> bytes:
        """Return `samples` of concealment for audio that was lost."""


class PcmAssembler:
    """Decodes a stream's pieces, each once, in order."""

    def __init__(self, decoder: OpusDecoder, sample_rate_hz: int) -> None:
        """Decode with `decoder`, made for `sample_rate_hz`, which must divide 48 kHz."""
        self._decoder = decoder
        self._divisor = RTP_CLOCK_HZ // sample_rate_hz

    def warm_up(self, frames: Sequence[OpusFrame]) -> None:
        """Decode the packets right before the first piece, so that the decoder converges."""
        for frame in frames:
            self._decoder.decode(frame.payload, frame.samples // self._divisor)

    def assemble(self, pieces: Sequence[Piece]) -> list[Block[PcmAudio]]:
        """Return `pieces` as PCM; they must follow those of the last call."""
        blocks: list[Block[PcmAudio]] = []
        divisor = self._divisor
        decode = self._decoder.decode
        run: list[bytes] = []
        start = end = -1
        for position, samples, kind, packet in pieces:
            if position != end:
                if run:
                    blocks.append(Block(start // divisor, PcmAudio(b"".join(run))))
                    run = []
                start = position
            length = samples // divisor
            if packet is None:
                run.append(self._made_up(kind, length))
            elif kind is PieceKind.PACKET:
                run.append(decode(packet.payload, length))
            else:
                run.append(self._decoder.recover(packet.payload, length))
            end = position + samples
        if run:
            blocks.append(Block(start // divisor, PcmAudio(b"".join(run))))
        return blocks

    def _made_up(self, kind: PieceKind, samples: int) -> bytes:
        if kind is PieceKind.SILENT:
            return bytes(samples * PCM_SAMPLE_BYTES)
        return self._decoder.conceal(samples)


class PassthroughAssembler:
    """Hands a stream's pieces on as Opus packets, and fills gaps with packets made up."""

    def __init__(self, before: tuple[OpusFrame, ...] = ()) -> None:
        """Begin after the packets `before`."""
        self.before = before
        """The packets right before the next piece, enough for a decoder to converge."""

    def assemble(self, pieces: Sequence[Piece]) -> list[Block[OpusAudio]]:
        """Return `pieces` as Opus packets; they must follow those of the last call."""
        blocks: list[Block[OpusAudio]] = []
        run: list[OpusFrame] = []
        start = end = -1
        for position, samples, kind, packet in pieces:
            if position != end:
                self._flush(start, run, blocks)
                run = []
                start = position
            if kind is PieceKind.PACKET and packet is not None:
                _, _, _, level, payload = packet
                run.append(_new(OpusFrame, (payload, samples, level)))
            elif kind is PieceKind.SILENT:
                run += silent_frames(samples)
            else:
                last = run[-1:] or self.before[-1:] or silent_frames(960)
                run += lost_frames(last[0], samples)
            end = position + samples
        self._flush(start, run, blocks)
        return blocks

    def _flush(self, start: int, run: list[OpusFrame], blocks: list[Block[OpusAudio]]) -> None:
        if run:
            blocks.append(Block(start, OpusAudio(tuple(run), before=self.before)))
            self.before = preroll(self.before + tuple(run[-MAX_PREROLL_FRAMES:]))
