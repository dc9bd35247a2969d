from __future__ import annotations

import struct

import numpy as np
import pytest

from airslice.slicing.assembly import Block, PassthroughAssembler, PcmAssembler, clipped
from airslice.slicing.audio import OpusFrame, PcmAudio, preroll
from airslice.slicing.opus_packet import LEVEL_SILENT, SILENT_FRAMES
from airslice.slicing.packets import RtpPacket
from airslice.slicing.timeline import Piece, PieceKind
from tests.support.audio.made_audio import CONCEALED, MarkingDecoder, decoded, packet


def played(number: int, *, at: int | None = None, level: int = 30) -> Piece:
    made = packet(number, at_ms=0, level=level)
    return Piece(960 * number if at is None else at, 960, PieceKind.PACKET, made)


def frame_of(packet: RtpPacket | None) -> OpusFrame:
    assert packet is not None
    return OpusFrame(packet.payload, 960, packet.level)


def test_pieces_without_a_gap_become_one_block_at_the_audios_own_rate() -> None:
    (block,) = PcmAssembler(MarkingDecoder(), 16_000).assemble([played(1), played(2)])

    assert block.position == 320
    assert block.audio.pcm == decoded(1, 320).tobytes() + decoded(2, 320).tobytes()


def test_unpublished_time_parts_blocks() -> None:
    assembler = PcmAssembler(MarkingDecoder(), 8_000)

    blocks = assembler.assemble([played(0), played(1, at=96_000)])

    assert [(block.position, block.audio.samples) for block in blocks] == [(0, 160), (16_000, 160)]
    assert assembler.assemble([]) == []


def test_each_kind_of_piece_is_decoded_its_way() -> None:
    after = packet(9, at_ms=0)

    (block,) = PcmAssembler(MarkingDecoder(), 48_000).assemble(
        [
            Piece(0, 240, PieceKind.CONCEALED, None),
            Piece(240, 120, PieceKind.SILENT, None),
            Piece(360, 960, PieceKind.RECOVERED, after),
            Piece(1_320, 960, PieceKind.PACKET, after),
        ]
    )

    expected = [np.full(240, CONCEALED), np.zeros(120), -decoded(9, 960), decoded(9, 960)]
    assert block.audio.pcm == np.concatenate(expected).astype(np.int16).tobytes()


def test_warming_up_decodes_what_came_right_before() -> None:
    class Recorder(MarkingDecoder):
        calls: list[tuple[bytes, int]] = []  # noqa: RUF012

        def decode(self, payload: bytes, samples: int) -> bytes:
            self.calls.append((payload, samples))
            return super().decode(payload, samples)

    decoder = Recorder()

    PcmAssembler(decoder, 16_000).warm_up([OpusFrame(b"\xf8" + struct.pack(">I", 5), 960)])

    assert decoder.calls == [(b"\xf8" + struct.pack(">I", 5), 320)]


def test_packets_are_handed_on_untouched() -> None:
    pieces = [played(1, level=12), played(2)]

    (block,) = PassthroughAssembler().assemble(pieces)

    assert block.position == 960
    assert block.audio.frames == tuple(frame_of(piece.packet) for piece in pieces)
    assert block.audio.before == ()


def test_each_block_knows_what_was_handed_on_right_before() -> None:
    assembler = PassthroughAssembler((OpusFrame(b"\xf8old", 960),))
    (first,) = assembler.assemble([played(n) for n in range(50)])
    assert first.audio.before == (OpusFrame(b"\xf8old", 960),)

    second, third = assembler.assemble([played(50), played(51, at=96_000)])

    assert second.audio.before == first.audio.frames[-16:]
    assert third.audio.before == first.audio.frames[-15:] + second.audio.frames
    assert assembler.before == third.audio.before[1:] + third.audio.frames
    assert assembler.before == preroll(assembler.before)


def test_the_shortest_packets_too_are_remembered_for_long_enough() -> None:
    assembler = PassthroughAssembler()
    short = [
        Piece(120 * n, 120, PieceKind.PACKET, packet(n, at_ms=0, samples=120)) for n in range(300)
    ]

    assembler.assemble(short)

    assert sum(frame.samples for frame in assembler.before) == 15_360


def test_silence_and_losses_become_packets_of_their_length() -> None:
    (block,) = PassthroughAssembler().assemble(
        [
            played(0, level=12),
            Piece(960, 1_920, PieceKind.CONCEALED, None),
            Piece(2_880, 480, PieceKind.SILENT, None),
            Piece(3_360, 960, PieceKind.RECOVERED, packet(4, at_ms=0)),
        ]
    )

    lost = OpusFrame(b"\xf8", 960, 12)
    assert block.audio.frames[1:3] == (lost, lost)
    assert block.audio.frames[3] == SILENT_FRAMES[480]
    assert block.audio.frames[4:] == (
        OpusFrame(b"\xf0", 480, LEVEL_SILENT),
        OpusFrame(b"\xf0", 480, LEVEL_SILENT),
    )
    assert block.audio.samples == 4_320


def test_a_loss_first_of_all_follows_what_was_before_or_silence() -> None:
    lost = Piece(0, 960, PieceKind.CONCEALED, None)

    (after_stereo,) = PassthroughAssembler((OpusFrame(b"\xfcab", 960, 40),)).assemble([lost])
    (after_nothing,) = PassthroughAssembler().assemble([lost])

    assert after_stereo.audio.frames == (OpusFrame(b"\xfc", 960, 40),)
    assert after_nothing.audio.frames == (OpusFrame(b"\xf8", 960, LEVEL_SILENT),)


@pytest.mark.parametrize(
    ("start", "end", "position", "pcm"),
    [
        (0, 99, 10, b"aabbccdd"),
        (10, 14, 10, b"aabbccdd"),
        (11, 14, 11, b"bbccdd"),
        (10, 13, 10, b"aabbcc"),
        (12, 13, 12, b"cc"),
    ],
)
def test_a_block_can_be_clipped(start: int, end: int, position: int, pcm: bytes) -> None:
    block = Block(10, PcmAudio(b"aabbccdd"))

    assert clipped(block, start, end) == Block(position, PcmAudio(pcm))


@pytest.mark.parametrize(("start", "end"), [(0, 10), (14, 99)])
def test_nothing_is_left_of_a_block_elsewhere(start: int, end: int) -> None:
    assert clipped(Block(10, PcmAudio(b"aabbccdd")), start, end) is None
