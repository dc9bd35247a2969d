"""Answers to the offers of known senders."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription

from airslice.engines.embedded.answer import (
    Transport,
    fragment_head,
    render_answer,
    render_fragment,
)
from airslice.engines.embedded.dtls import Fingerprint
from airslice.engines.embedded.ice import IceCredentials
from airslice.engines.embedded.sdp import (
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


@pytest.mark.parametrize("name", OFFERS)
def test_the_answer_takes_the_audio_and_rejects_the_rest(name: str) -> None:
    offer = parse_offer(OFFERS[name])

    answer = SessionDescription.parse(answer_to(OFFERS[name]))

    assert [media.kind for media in answer.media] == [s.kind for s in offer.sections]
    for index, media in enumerate(answer.media):
        if index == offer.audio:
            assert media.port == 50000
            assert media.direction == "recvonly"
            assert [codec.mimeType for codec in media.rtp.codecs] == ["audio/opus"]
            assert [codec.payloadType for codec in media.rtp.codecs] == [offer.payload_type]
            assert media.rtcp_mux
            assert media.dtls
            assert media.dtls.role == "server"
            assert media.ice
            assert media.ice.usernameFragment == "abcd"
            assert [c.ip for c in media.ice_candidates] == ["192.0.2.1", "2001:db8::1"]
            assert media.ice_candidates[0].priority > media.ice_candidates[1].priority
            assert media.ice_candidates_complete
        else:
            assert media.port == 0
    mid = offer.sections[offer.audio].mid
    assert [group.items for group in answer.group] == [[mid]]
    assert "a=ice-lite" in answer_to(OFFERS[name])


def test_in_band_fec_is_asked_for_and_dtx_only_where_the_offer_has_it() -> None:
    dtx = CHROMIUM.replace("useinbandfec=1", "useinbandfec=1;usedtx=1")

    assert "a=fmtp:111 minptime=10;useinbandfec=1\r\n" in answer_to(CHROMIUM)
    assert "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n" in answer_to(dtx)


def test_a_forged_mid_does_not_get_into_the_answer() -> None:
    offer = CHROMIUM.replace("a=mid:0", "a=mid:0 x=y")

    assert "x=y" not in answer_to(offer)


def test_the_red_payload_is_not_in_the_answer() -> None:
    assert " 63" not in answer_to(CHROMIUM)
    assert "red/" not in answer_to(CHROMIUM)


def test_a_rendered_fragment_names_the_section_and_the_credentials() -> None:
    fragment = render_fragment(fragment_head(parse_offer(CHROMIUM)), TRANSPORT, CREDENTIALS)

    assert fragment.splitlines()[:6] == [
        "a=ice-lite",
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789abcdefghijklmn",
    ]
    assert fragment.endswith("a=end-of-candidates\r\n")
