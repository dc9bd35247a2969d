"""Offers of known senders are read, and what cannot be answered is refused."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from airslice.domain.errors import OfferRefused
from airslice.engines.embedded.answer import (
    Transport,
    render_answer,
)
from airslice.engines.embedded.dtls import Fingerprint
from airslice.engines.embedded.ice import IceCredentials
from airslice.engines.embedded.sdp import (
    AUDIO_LEVEL,
    MAX_BYTES,
    MAX_SECTIONS,
    MID,
    parse_fragment,
    parse_offer,
)

OFFERS = {path.stem: path.read_text() for path in Path(__file__).parent.glob("offers/*.sdp")}
CHROMIUM = OFFERS["chromium"]
CREDENTIALS = IceCredentials("abcd", "0123456789abcdefghijklmn")
TRANSPORT = Transport(["192.0.2.1", "2001:db8::1"], 50000, Fingerprint("sha-256", bytes(range(32))))


def answer_to(text: str) -> str:
    return render_answer(
        parse_offer(text), TRANSPORT, CREDENTIALS, session_id=1, media_lines=["a=recvonly"]
    )


@pytest.mark.parametrize(
    ("name", "audio", "payload_type", "ufrag", "extensions"),
    [
        ("chromium", 0, 111, "5pWm", {AUDIO_LEVEL: 1, MID: 4}),
        ("chromium_video_first", 1, 111, None, {AUDIO_LEVEL: 14, MID: 9}),
        ("firefox", 0, 109, "2f1c9a7e", {AUDIO_LEVEL: 1, MID: 3}),
        ("obs", 0, 111, "jqzT", {}),
        ("gstreamer", 0, 96, "h7JnrjMJqTI4j+QRfJ7qdpFPJTBiyoP8", {}),
        ("bundled_transport_in_first_section", 1, 111, "first", {}),
    ],
)
def test_offers_of_known_senders_are_understood(
    name: str, audio: int, payload_type: int, ufrag: str | None, extensions: dict[str, int]
) -> None:
    offer = parse_offer(OFFERS[name])

    assert offer.audio == audio
    assert offer.payload_type == payload_type
    assert offer.extensions == extensions
    assert offer.fingerprints[0].algorithm == "sha-256"
    assert offer.bundled
    assert ufrag in (None, offer.ice_ufrag)


def test_an_offer_with_line_feeds_alone_is_understood() -> None:
    assert parse_offer(CHROMIUM.replace("\r\n", "\n")).payload_type == 111


def test_the_first_acceptable_audio_section_is_taken() -> None:
    muted = CHROMIUM[CHROMIUM.index("m=audio") :].replace("a=sendonly", "a=inactive")
    two = CHROMIUM.replace("m=audio", muted.replace("a=mid:0", "a=mid:m") + "m=audio", 1)

    assert parse_offer(two).audio == 1


@pytest.mark.parametrize(
    ("pattern", "replacement", "problem"),
    [
        (r"opus/48000/2", "vorbis/48000/2", "opus/48000/2"),
        (r"opus/48000/2", "opus/48000", "opus/48000/2"),
        (r"a=rtcp-mux\n", "", "rtcp-mux"),
        (r"a=setup:actpass", "a=setup:passive", "setup is passive"),
        (r"a=setup:actpass\n", "", "setup is None"),
        (r"a=sendonly", "a=recvonly", "recvonly"),
        (r"a=fingerprint:\S+ \S+\n", "", "fingerprint"),
        (r"a=fingerprint:\S+ ", "a=fingerprint:sha-1 ", "sha-256"),
        (r"a=fingerprint:\S+ \S+", "a=fingerprint:sha-256 00:11", "malformed"),
        (r"a=ice-ufrag:\S+\n", "", "ice-ufrag"),
        (r"a=ice-ufrag:\S+", "a=ice-ufrag:a:b:c", "ice-ufrag"),
        (r"a=ice-pwd:\S+", "a=ice-pwd:short", "ice-pwd"),
        (r"UDP/TLS/RTP/SAVPF", "RTP/AVP", "DTLS-SRTP"),
        (r"m=audio 9 ", "m=audio 0 ", "port is 0"),
        (r"m=audio ", "m=text ", "no audio section"),
        (r"m=audio 9 ", "m=audio nine ", "not a media description"),
        (r"v=0", "v=1", "v=0"),
        (r"s=-", "nonsense", "not a line"),
        (r"s=-", "s=\0", "control"),
        (r"a=rtpmap:111", "a=rtpmap:72", "opus/48000/2"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_is_missing(
    pattern: str, replacement: str, problem: str
) -> None:
    offer = re.sub(pattern, replacement, CHROMIUM.replace("\r\n", "\n"))

    with pytest.raises(OfferRefused, match=re.escape(problem)):
        parse_offer(offer)


def test_offers_out_of_bounds_are_refused() -> None:
    with pytest.raises(OfferRefused):
        parse_offer(CHROMIUM + "a=x\r\n" * (MAX_BYTES // 5))
    with pytest.raises(OfferRefused):
        parse_offer(CHROMIUM + "m=video 0 RTP/SAVPF 96\r\n" * MAX_SECTIONS)


def test_a_fragment_gives_the_credentials_of_the_sessions_section() -> None:
    other = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=ice-ufrag:othr\r\na=ice-pwd:" + "x" * 24
    own = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:mine\r\na=ice-pwd:" + "x" * 24

    assert parse_fragment(f"{other}\r\n{own}\r\n", "0") == "mine"
    assert parse_fragment("a=ice-ufrag:sess\r\na=ice-pwd:" + "x" * 24, "0") == "sess"
    assert parse_fragment("a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 9 typ host", "0") is None
    with pytest.raises(OfferRefused):
        parse_fragment("a=ice-ufrag:mine\r\n", "0")
    with pytest.raises(OfferRefused):
        parse_fragment("ufrag", "0")


LINES = st.one_of(
    st.sampled_from([line for text in OFFERS.values() for line in text.splitlines()]), st.text()
)
TEXTS = st.one_of(st.text(), st.lists(LINES).map(lambda lines: "\n".join(["v=0", *lines])))


@given(TEXTS)
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with suppress(OfferRefused):
        answer_to(text)
    with suppress(OfferRefused):
        parse_fragment(text, "0")


def is_readable(text: str) -> bool:
    """Whether aiortc, which answers malformed text with various errors, can read it."""
    try:
        return bool(SessionDescription.parse(text).media)
    except Exception:
        return False


@given(st.data())
def test_no_damage_to_an_offer_does_worse_than_have_it_refused(data: st.DataObject) -> None:
    text = OFFERS[data.draw(st.sampled_from(sorted(OFFERS)))]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    damaged = text[:start] + data.draw(st.text(max_size=8)) + text[end:]

    try:
        answer = answer_to(damaged)
    except OfferRefused:
        return

    if is_readable(damaged):
        assert is_readable(answer)
