"""The bytes of a journal: what a former server left is read by this one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.application.ports.journal import SliceNote, StreamAddress
from airslice.domain.apps import SliceFormat
from airslice.domain.file_kind import FileKind
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.slicing.packets import RtpPacket
from airslice.slicing.timeline import Piece, PieceKind
from airslice.storage.journal_records import (
    UNREADABLE,
    fact_record,
    note_fields,
    payloads,
    pieces_record,
    read_fact,
    read_note,
    read_pieces,
)

FORMER_RECORD = (
    b"?\x01\x00\x00\tyf\xec\x03"
    b'{"fact": "opened", "note": {"name": "one.ogg", "run_id": "run", "address": ["app", "room", '
    b'"bob", 1], "slice_format": "ogg", "sample_rate_hz": 48000, "passthrough": true, '
    b'"identifier": "prefix", "position": -5, "offset": 7, "max_samples": 320000, "start_utc_ns": '
    b'1700000000123456789, "aligned": true, "judged": false}}'
)
"""As written before a note's file was one field of it; servers are updated over such journals."""

NOTE = SliceNote(
    name="one.ogg",
    run_id="run",
    address=StreamAddress(RoomKey("app", "room"), StreamKey("bob", StreamType.SCREEN)),
    kind=FileKind(slice_format=SliceFormat.OGG, sample_rate_hz=48_000, passthrough=True),
    identifier="prefix",
    position=-5,
    offset=7,
    max_samples=320_000,
    start_utc_ns=1_700_000_000_123_456_789,
    aligned=True,
    judged=False,
)


def spoken(number: int) -> Piece:
    packet = RtpPacket(0, 0, 0, 30, b"\xf8voice")
    return Piece(960 * number, 960, PieceKind.PACKET, packet)


def test_a_note_of_a_former_release_is_read() -> None:
    ((_, payload),) = payloads(FORMER_RECORD)

    assert read_note(read_fact(payload)["note"]) == NOTE


def test_a_note_is_written_so_that_a_former_release_can_read_it() -> None:
    ((_, former),) = payloads(FORMER_RECORD)
    ((_, payload),) = payloads(fact_record("opened", note=note_fields(NOTE)))

    assert read_fact(payload) == read_fact(former)


@pytest.mark.parametrize(
    "kind",
    [
        FileKind(slice_format=slice_format, sample_rate_hz=8_000, passthrough=False)
        for slice_format in SliceFormat
    ],
)
def test_a_note_is_read_as_it_was_written(kind: FileKind) -> None:
    note = replace(NOTE, kind=kind)
    ((_, payload),) = payloads(fact_record("opened", note=note_fields(note)))

    assert read_note(read_fact(payload)["note"]) == note


@pytest.mark.parametrize(
    "change",
    [{"slice_format": "wma"}, {"slice_format": "wav"}, {"address": ["app"]}, {"more": 1}],
    ids=["format", "packets in wav", "address", "field"],
)
def test_a_note_that_no_release_wrote_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UNREADABLE):
        read_note({**note_fields(NOTE), **change})


@given(cut=st.integers(0, 400), flip=st.integers(0, 399))
def test_damage_ends_a_segment_and_breaks_nothing(cut: int, flip: int) -> None:
    records = b"".join(pieces_record(1, [spoken(n)]) for n in range(10))
    damaged = bytearray(records)
    damaged[flip % len(records)] ^= 0x41

    sound = [payload for _, payload in payloads(bytes(damaged)[: cut or None])]

    whole = [payload for _, payload in payloads(records)]
    assert sound == whole[: len(sound)]


def test_a_recovered_piece_gets_the_packet_after_it_again() -> None:
    recovered = Piece(0, 960, PieceKind.RECOVERED, spoken(1).packet)
    ((_, payload),) = payloads(pieces_record(1, [recovered, spoken(1)]))

    assert read_pieces(payload) == [recovered, spoken(1)]
