from __future__ import annotations

import struct

from aiortc.rtcrtpparameters import (
    RTCRtpHeaderExtensionParameters,
    RTCRtpParameters,
)
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from airslice.engines.embedded.rtp import audio_level, parse_rtp, rtp_ssrc
from airslice.slicing.packets import LEVEL_UNKNOWN

LEVEL_ID = 3
EXTENSIONS = HeaderExtensionsMap()
EXTENSIONS.configure(
    RTCRtpParameters(
        headerExtensions=[
            RTCRtpHeaderExtensionParameters(1, "urn:ietf:params:rtp-hdrext:sdes:mid"),
            RTCRtpHeaderExtensionParameters(
                2, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
            ),
            RTCRtpHeaderExtensionParameters(
                LEVEL_ID, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
            ),
        ]
    )
)


@st.composite
def packets(draw: st.DrawFn) -> RtpPacket:
    packet = RtpPacket(
        payload_type=draw(st.integers(0, 127)),
        marker=draw(st.integers(0, 1)),
        sequence_number=draw(st.integers(0, 0xFFFF)),
        timestamp=draw(st.integers(0, 0xFFFF_FFFF)),
        ssrc=draw(st.integers(0, 0xFFFF_FFFF)),
        payload=draw(st.binary(max_size=50)),
    )
    packet.csrc = draw(st.lists(st.integers(0, 0xFFFF_FFFF), max_size=15))
    packet.padding_size = draw(st.sampled_from([0, 0, 1, 4, 200]))
    packet.extensions = HeaderExtensions(
        # A mid of more than 16 bytes needs two-byte headers.
        mid=draw(st.sampled_from([None, "0", "audio", "m" * 20])),
        abs_send_time=draw(st.sampled_from([None, 12345])),
        audio_level=draw(st.one_of(st.none(), st.tuples(st.booleans(), st.integers(0, 127)))),
    )
    return packet


@given(packets(), st.integers(0, 30), st.binary(max_size=30))
def test_packets_of_another_implementation_are_read_as_it_wrote_them(
    packet: RtpPacket, offset: int, rest: bytes
) -> None:
    data = packet.serialize(EXTENSIONS)

    parsed = parse_rtp(bytes(offset) + data + rest, offset, len(data), LEVEL_ID)

    assert parsed is not None
    payload_type, sequence, timestamp, ssrc, level, start, end = parsed
    assert payload_type == packet.payload_type
    assert sequence == packet.sequence_number
    assert timestamp == packet.timestamp
    assert ssrc == packet.ssrc == rtp_ssrc(bytes(offset) + data, offset)
    expected = packet.extensions.audio_level
    assert level == (LEVEL_UNKNOWN if expected is None else expected[1])
    assert (bytes(offset) + data)[start:end] == packet.payload


@given(packets())
def test_without_a_negotiated_extension_the_level_is_unknown(packet: RtpPacket) -> None:
    data = packet.serialize(EXTENSIONS)

    parsed = parse_rtp(data, 0, len(data), 0)

    assert parsed is not None
    assert parsed[4] == LEVEL_UNKNOWN


@given(packets(), st.data())
def test_a_truncated_packet_is_none_or_within_bounds(
    packet: RtpPacket, data: st.DataObject
) -> None:
    whole = packet.serialize(EXTENSIONS)
    size = data.draw(st.integers(0, len(whole)))

    parsed = parse_rtp(whole[:size], 0, size, LEVEL_ID)

    if parsed is not None:
        assert 12 <= parsed[5] <= parsed[6] <= size


@given(st.binary(max_size=100), st.integers(0, 255), st.booleans())
def test_no_bytes_make_it_fail(data: bytes, level_id: int, has_header: bool) -> None:
    if has_header:
        data = b"\x90" + data

    parsed = parse_rtp(data, 0, len(data), level_id)

    if parsed is not None:
        assert 12 <= parsed[5] <= parsed[6] <= len(data)
        assert -1 <= parsed[4] <= 127


@given(st.integers(0, 0xFFFF), st.binary(max_size=40), st.integers(1, 255))
def test_no_extension_block_makes_it_fail(profile: int, elements: bytes, level_id: int) -> None:
    assert -1 <= audio_level(profile, elements, level_id) <= 127


def test_a_probe_that_is_all_padding_has_no_payload() -> None:
    probe = struct.pack("!BBHII", 0xA0, 111, 1, 2, 3) + bytes(9) + b"\x0a"

    parsed = parse_rtp(probe, 0, len(probe), 0)

    assert parsed is not None
    assert parsed[5] == parsed[6]


def test_padding_that_reaches_into_the_header_is_malformed() -> None:
    assert parse_rtp(struct.pack("!BBHIIB", 0xA0, 111, 1, 2, 3, 2), 0, 13, 0) is None


def test_the_voice_bit_is_not_part_of_the_level() -> None:
    packet = struct.pack("!BBHIIHHBBxx", 0x90, 111, 1, 2, 3, 0xBEDE, 1, LEVEL_ID << 4, 0x80 | 42)

    parsed = parse_rtp(packet, 0, len(packet), LEVEL_ID)

    assert parsed is not None
    assert parsed[4] == 42
