"""Parsers of what publishers send: datagrams and SDP."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from pathlib import Path

from airslice.domain.errors import OfferRefused
from airslice.engines.embedded.answer import Transport, render_answer
from airslice.engines.embedded.dtls import MTU_BYTES, DtlsServer, DtlsState, Fingerprint
from airslice.engines.embedded.ice import IceCredentials
from airslice.engines.embedded.rtcp import (
    ReportBlock,
    ntp_to_utc_ns,
    parse_rtcp,
    receiver_report,
    sender_ssrc,
)
from airslice.engines.embedded.rtp import parse_rtp
from airslice.engines.embedded.sdp import Role, parse_fragment, parse_offer
from airslice.engines.embedded.stun import (
    UNKNOWN_ATTRIBUTE,
    error_response,
    is_authentic,
    parse_binding_request,
    success_response,
)
from airslice.slicing.opus_packet import MAX_PACKET_SAMPLES, packet_samples
from tests.support.clients.raw_publisher import rtp
from tests.support.fuzz.dtls_peer import Certificate, recorded_flights, shake_hands
from tests.support.fuzz.parser import Parser

MAX_DATAGRAM_BYTES = 65_535
OFFERS = Path(__file__).parents[2] / "engines" / "embedded" / "offers"

# RFC 5769 section 2.1.
STUN_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
SENDER_REPORT = struct.pack("!BBHIIQIII", 0x80, 200, 6, 7, 7, 1 << 63, 960, 1, 2)[:28]


def read_stun(data: bytes) -> None:
    """Parse a check as it is, and once more with the length and the checksum it should have."""
    whole = data[:2] + struct.pack("!H", max(0, len(data) - 12) & 0xFFFF) + data[4:]
    fingerprint = zlib.crc32(whole) ^ 0x5354554E
    for message in (data, whole + struct.pack("!HHI", 0x8028, 4, fingerprint)):
        request = parse_binding_request(message)
        if request is not None:
            is_authentic(message, request, b"password")
            assert len(request.transaction_id) == 12
            assert success_response(request, host="192.0.2.1", port=1, password=b"p")
            assert error_response(request, UNKNOWN_ATTRIBUTE, password=b"p")


def read_rtp(data: bytes) -> None:
    """Parse a packet that lies in a buffer, with each kind of negotiated extension."""
    for level_id in (0, 1, 14, 200):
        parsed = parse_rtp(b"\xaa" * 7 + data + b"\xaa" * 9, 7, len(data), level_id)
        if parsed is not None:
            assert -1 <= parsed[4] <= 127
            assert 7 + 12 <= parsed[5] <= parsed[6] <= 7 + len(data)


def read_rtcp(data: bytes) -> None:
    """Parse a compound packet."""
    sender_ssrc(data)
    reports = list(parse_rtcp(data))
    assert len(reports) <= len(data) // 20
    for report in reports:
        ntp_to_utc_ns(report.ntp)


TRANSPORT = Transport(["192.0.2.1", "2001:db8::1"], 50000, Fingerprint("sha-256", bytes(32)))
CREDENTIALS = IceCredentials("abcd", "0123456789abcdefghijklmn")


def read_offer(data: bytes) -> None:
    """Answer an offer, if it is one for either role; nothing of it breaks the answer's lines."""
    text = data.decode(errors="replace")
    for role in Role:
        with suppress(OfferRefused):
            offer = parse_offer(text, role)
            answer = render_answer(
                offer, TRANSPORT, CREDENTIALS, session_id=1, media_lines=["a=inactive"]
            )
            assert all(line[1:2] == "=" for line in answer.rstrip("\r\n").split("\r\n"))


def read_fragment(data: bytes) -> None:
    """Read the fragment of a WHIP PATCH."""
    parse_fragment(data.decode(errors="replace"), "0")


SERVER = DtlsServer(0)
CLIENT = Certificate()
HELLO, CREDENTIALS_FLIGHT = recorded_flights(SERVER, CLIENT)


def read_dtls(data: bytes) -> None:
    """Take a datagram at the stage that its first byte names; no keys come of it."""
    stage, datagram = data[:1], data[1:]
    association = SERVER.accept([CLIENT.fingerprint])
    if stage == b"2":
        shake_hands(association, CLIENT)
        assert association.take_keys() is not None
    elif stage == b"1":
        for hello in HELLO:
            association.receive(hello)
    for answer in association.receive(datagram):
        assert len(answer) <= MTU_BYTES
    association.retransmit()
    assert association.take_keys() is None
    association.close()
    assert association.state is DtlsState.CLOSED


def read_opus(data: bytes) -> None:
    """Measure an Opus packet."""
    samples = packet_samples(data)
    assert 0 <= samples <= MAX_PACKET_SAMPLES
    assert samples % 120 == 0


OFFER_SAMPLES = [path.read_bytes() for path in sorted(OFFERS.glob("*.sdp"))]
FRAGMENT = b"""a=ice-options:trickle ice2\r
a=group:BUNDLE 0 1\r
m=audio 9 RTP/AVP 0\r
a=mid:0\r
a=ice-ufrag:EsAw\r
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r
a=end-of-candidates\r
"""
SECTION = b"m=audio 9 RTP/SAVP 0\na=rtcp-mux\na=mid:x\n"

PARSERS = (
    Parser(
        name="STUN checks",
        parse=read_stun,
        samples=[STUN_REQUEST, STUN_REQUEST[:-8]],
        worst=[STUN_REQUEST[:20] + bytes.fromhex("00060000") * 16_000],
        max_bytes=MAX_DATAGRAM_BYTES,
        also_in=[
            "test_stun::test_no_bytes_make_it_fail",
            "test_no_flipped_bit_goes_unnoticed",
            "test_a_truncated_request_is_none",
        ],
    ),
    Parser(
        name="RTP packets",
        parse=read_rtp,
        samples=[rtp(1), rtp(2, level=30), b"\xb3" + rtp(3, level=30)[1:] + bytes(40) + b"\4"],
        worst=[b"\x90" + bytes(11) + b"\xbe\xde\x3f\xff" + bytes(65_000)],
        max_bytes=MAX_DATAGRAM_BYTES,
        also_in=[
            "test_rtp::test_no_bytes_make_it_fail",
            "test_a_truncated_packet_is_none_or_within_bounds",
            "test_no_extension_block_makes_it_fail",
        ],
    ),
    Parser(
        name="RTCP packets",
        parse=read_rtcp,
        samples=[
            SENDER_REPORT,
            SENDER_REPORT + receiver_report(7, [ReportBlock(*range(7))], cname=b"me"),
        ],
        worst=[b"\x80\xc8\0\0" * 16_000, SENDER_REPORT * 2_300],
        max_bytes=MAX_DATAGRAM_BYTES,
        also_in=["test_rtcp::test_no_bytes_make_it_fail"],
    ),
    Parser(
        name="SDP offers",
        parse=read_offer,
        samples=OFFER_SAMPLES,
        worst=[
            b"v=0\na=group:BUNDLE" + b" 1" * 31_000 + b" x\n" + SECTION * 64,
            b"v=0\n" + (b"a=group:BUNDLE x" + b" 1" * 480 + b"\n") * 60 + SECTION * 64,
            b"v=0\n" + b"a=group:BUNDLE x\n" * 3_000 + SECTION * 64,
            b"v=0\n" + SECTION + b"a=fmtp:0 " + b";" * 60_000,
            b"v=0\n" + SECTION + b"a=extmap:1 " + b"x" * 60_000,
            b"v=0\nm=audio 9 RTP/SAVP" + b" 0" * 30_000,
        ],
        max_bytes=65_536,
        also_in=[
            "test_no_text_does_worse_than_be_refused",
            "test_no_damage_to_an_offer_does_worse_than_have_it_refused",
        ],
    ),
    Parser(
        name="WHIP PATCH fragments",
        parse=read_fragment,
        samples=[FRAGMENT, FRAGMENT.replace(b"\r", b""), *OFFER_SAMPLES[:2]],
        refusals=(OfferRefused,),
        worst=[SECTION * 1_500],
        max_bytes=65_536,
    ),
    Parser(
        name="DTLS datagrams",
        parse=read_dtls,
        samples=[
            *(b"0" + hello for hello in HELLO),
            *(b"1" + datagram for datagram in CREDENTIALS_FLIGHT),
            *(b"2" + datagram for datagram in CREDENTIALS_FLIGHT),
        ],
        max_bytes=MAX_DATAGRAM_BYTES,
        also_in=["test_no_datagrams_make_it_fail"],
    ),
    Parser(
        name="Opus packets",
        parse=read_opus,
        samples=[
            b"\xf8voice",
            b"\xf9vovo",
            b"\xfa\2vovo",
            b"\xfb\3vovovo",
            b"\xfb\xc3\2\2\2vovovo\0\0",
            b"\x03\x41\5data" + bytes(5),
        ],
        worst=[b"\xfb\x41" + b"\xff" * 65_000],
        max_bytes=MAX_DATAGRAM_BYTES,
        also_in=[
            "test_libopus_agrees_on_length_and_validity",
            "test_libopus_agrees_on_the_longest_frames",
        ],
    ),
)
