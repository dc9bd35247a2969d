"""What journals of tests are made of."""

from __future__ import annotations

from airslice.application.ports.journal import SliceNote, StreamAddress
from airslice.domain.apps import SliceFormat
from airslice.domain.file_kind import FileKind
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.slicing.packets import RtpPacket
from airslice.slicing.timeline import Piece, PieceKind

ANN = StreamAddress(RoomKey("app", "room"), StreamKey("ann"))
BOB = StreamAddress(RoomKey("app", "room"), StreamKey("bob", StreamType.SCREEN))


def spoken(number: int, payload: bytes = b"\xf8voice") -> Piece:
    packet = RtpPacket(0, 0, 0, 30, payload)
    return Piece(960 * number, 960, PieceKind.PACKET, packet)


def note(name: str) -> SliceNote:
    return SliceNote(
        name=name,
        run_id="run",
        address=BOB,
        kind=FileKind(slice_format=SliceFormat.FLAC, sample_rate_hz=16_000, passthrough=False),
        identifier="prefix",
        position=-5,
        offset=7,
        max_samples=320_000,
        start_utc_ns=1_700_000_000_123_456_789,
        aligned=True,
        judged=False,
    )
