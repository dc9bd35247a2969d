"""The bytes of a journal: records with a length and a checksum.

    record  = u32 length of payload, u32 CRC-32 of payload, payload
    payload = u8 kind, content

All integers are little-endian. A record that is cut off or damaged ends the file that it stands in:
what follows was written by a machine that was dying. So does one without content, which is what
zeros look like where a disk had the length of a file before its content.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any

from airslice.application.ports.journal import SliceNote, StreamAddress
from airslice.domain.apps import SliceFormat
from airslice.domain.file_kind import FileKind
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.slicing.packets import RtpPacket
from airslice.slicing.timeline import Piece, PieceKind

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""A batch of the most packets that are taken at a time has 6 MB."""

_FRAME = struct.Struct("<II")
UNREADABLE = (struct.error, ValueError, TypeError, KeyError)
"""What reading a record raises that is whole, but of another release."""

_PIECE = struct.Struct("<qIBbH")  # position, samples, kind, level, length of payload
_STREAM_NUMBER = struct.Struct("<BI")

_KINDS = tuple(PieceKind)
_KIND_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


class RecordKind(IntEnum):
    """What a record says."""

    STREAM = 1  # a number stands for a stream in this file
    PIECES = 2
    FACT = 3  # of slices and placements, as JSON


def framed(payload: bytes) -> bytes:
    """Return a payload as a record."""
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def payloads(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Return the sound records of a file: (where the payload begins, payload)."""
    at = 0
    while at + _FRAME.size <= len(content):
        length, checksum = _FRAME.unpack_from(content, at)
        at += _FRAME.size
        payload = content[at : at + length]
        is_whole = 0 < length <= MAX_RECORD_BYTES and len(payload) == length
        if not is_whole or zlib.crc32(payload) != checksum:
            return
        yield at, payload
        at += length


def pieces_record(stream_number: int, pieces: Sequence[Piece]) -> bytes:
    """Return a record of a stream's pieces."""
    parts = [_STREAM_NUMBER.pack(RecordKind.PIECES, stream_number)]
    for position, samples, kind, packet in pieces:
        if kind is PieceKind.PACKET and packet is not None:
            payload = packet.payload
            parts.append(_PIECE.pack(position, samples, 0, packet.level, len(payload)))
            parts.append(payload)
        else:
            parts.append(_PIECE.pack(position, samples, _KIND_NUMBERS[kind], 0, 0))
    return framed(b"".join(parts))


def read_pieces(payload: bytes) -> list[Piece]:
    """Return the pieces of a record; one that was recovered has the packet after it again.

    What no release of this format has written ends them.
    """
    pieces: list[Piece] = []
    at = _STREAM_NUMBER.size
    while at + _PIECE.size <= len(payload):
        position, samples, number, level, size = _PIECE.unpack_from(payload, at)
        at += _PIECE.size
        if number >= len(_KINDS):
            break
        kind = _KINDS[number]
        packet = None
        if kind is PieceKind.PACKET:
            packet = RtpPacket(0, 0, 0, level, payload[at : at + size])
            at += size
            if pieces and pieces[-1].kind is PieceKind.RECOVERED:
                pieces[-1] = pieces[-1]._replace(packet=packet)
        pieces.append(Piece(position, samples, kind, packet))
    return pieces


def stream_record(number: int, address: StreamAddress) -> bytes:
    """Return a record that gives a stream a number."""
    content = json.dumps(address_fields(address)).encode()
    return framed(_STREAM_NUMBER.pack(RecordKind.STREAM, number) + content)


def stream_number(payload: bytes) -> int:
    """Return the number in a record of a stream or of pieces."""
    number: int = _STREAM_NUMBER.unpack_from(payload)[1]
    return number


def read_stream(payload: bytes) -> StreamAddress:
    """Return the stream of a record of it."""
    return read_address(json.loads(payload[_STREAM_NUMBER.size :]))


def fact_record(fact: str, **values: Any) -> bytes:
    """Return a record of a fact."""
    return framed(bytes((RecordKind.FACT,)) + json.dumps({"fact": fact, **values}).encode())


def read_fact(payload: bytes) -> dict[str, Any]:
    """Return a fact, its name under ``fact``."""
    fact: dict[str, Any] = json.loads(payload[1:])
    return fact


def address_fields(address: StreamAddress) -> list[Any]:
    """Return a stream's name as JSON can hold it."""
    return [*address.room, address.stream.user_id, int(address.stream.stream_type)]


def read_address(fields: Sequence[Any]) -> StreamAddress:
    """Return the stream that `address_fields` named."""
    app_id, room_id, user_id, stream_type = fields
    return StreamAddress(RoomKey(app_id, room_id), StreamKey(user_id, StreamType(stream_type)))


def note_fields(note: SliceNote) -> dict[str, Any]:
    """Return a note as JSON can hold it; what its file holds stands among the other fields."""
    values = {field.name: getattr(note, field.name) for field in dataclasses.fields(note)}
    kind = dataclasses.asdict(values.pop("kind"))
    return {**values, **kind, "address": address_fields(note.address)}


def read_note(fields: dict[str, Any]) -> SliceNote:
    """Return the note that `note_fields` made."""
    values = dict(fields)
    kind = FileKind(
        slice_format=SliceFormat(values.pop("slice_format")),
        sample_rate_hz=values.pop("sample_rate_hz"),
        passthrough=values.pop("passthrough"),
    )
    return SliceNote(**{**values, "address": read_address(fields["address"]), "kind": kind})
