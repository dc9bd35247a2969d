"""SDP answers and ICE fragments: what a publisher or a listener is told.

Offers are read in `sdp`, which names the sources. Candidates: RFC 8839 section 5.1, RFC 8445
section 5.1.2.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airslice.engines.embedded.dtls import Fingerprint
from airslice.engines.embedded.ice import IceCredentials
from airslice.engines.embedded.sdp import Offer, Section

_HOST_TYPE_PREFERENCE = 126


@dataclass(frozen=True, slots=True)
class Transport:
    """The addresses and the certificate by which peers reach the engine."""

    hosts: Sequence[str]
    """Numeric addresses that clients are told, the preferred first; at least one."""
    port: int
    """UDP port at each of the hosts."""
    fingerprint: Fingerprint
    """Digest of the engine's DTLS certificate."""


def render_answer(
    offer: Offer,
    transport: Transport,
    credentials: IceCredentials,
    *,
    session_id: int,
    media_lines: Sequence[str],
) -> str:
    """Accept the offer's chosen audio section and reject all others.

    `session_id` is below 2**63; `media_lines` are the accepted section's direction, and what is
    sent in it.
    """
    lines = ["v=0", f"o=- {session_id} 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    accepted = offer.sections[offer.audio]
    if offer.bundled:
        lines.append(f"a=group:BUNDLE {accepted.mid}")
    lines.append("a=ice-lite")
    for section in offer.sections:
        if section is accepted:
            lines += _accepted(offer, transport, credentials, media_lines)
        else:
            lines += _rejected(section)
    return "\r\n".join(lines) + "\r\n"


def fragment_head(offer: Offer) -> str:
    """Return the lines with which each fragment for the accepted section begins."""
    section = offer.sections[offer.audio]
    lines = ["a=ice-lite"]
    if offer.bundled:
        lines.append(f"a=group:BUNDLE {section.mid}")
    lines.append(f"m=audio 9 {section.protocol} {offer.payload_type}")
    if section.mid is not None:
        lines.append(f"a=mid:{section.mid}")
    return "\r\n".join(lines) + "\r\n"


def render_fragment(head: str, transport: Transport, credentials: IceCredentials) -> str:
    """Return the fragment that answers an ICE restart (RFC 9725 section 4.3.3).

    `head` is what `fragment_head` returned for the session's offer; the credentials are new.
    """
    return head + "\r\n".join(_ice(transport, credentials)) + "\r\n"


def _accepted(
    offer: Offer, transport: Transport, credentials: IceCredentials, media_lines: Sequence[str]
) -> Iterator[str]:
    section = offer.sections[offer.audio]
    payload_type = offer.payload_type
    yield f"m=audio {transport.port} {section.protocol} {payload_type}"
    yield _connection(transport.hosts[0])
    if section.mid is not None:
        yield f"a=mid:{section.mid}"
    yield from _ice(transport, credentials)
    digest = transport.fingerprint.digest.hex(":").upper()
    yield f"a=fingerprint:{transport.fingerprint.algorithm} {digest}"
    yield "a=setup:passive"
    yield from media_lines
    yield "a=rtcp-mux"
    yield f"a=rtpmap:{payload_type} opus/48000/2"
    dtx = ";usedtx=1" if offer.uses_dtx else ""
    yield f"a=fmtp:{payload_type} minptime=10;useinbandfec=1{dtx}"
    for uri, identifier in offer.extensions.items():
        yield f"a=extmap:{identifier} {uri}"


def _rejected(section: Section) -> Iterator[str]:
    yield f"m={section.kind} 0 {section.protocol} {' '.join(section.formats)}"
    yield "c=IN IP4 0.0.0.0"
    if section.mid is not None:
        yield f"a=mid:{section.mid}"
    yield "a=inactive"


def _ice(transport: Transport, credentials: IceCredentials) -> Iterator[str]:
    yield f"a=ice-ufrag:{credentials.ufrag}"
    yield f"a=ice-pwd:{credentials.password}"
    for rank, host in enumerate(transport.hosts):
        priority = (_HOST_TYPE_PREFERENCE << 24) + ((0xFFFF - rank) << 8) + 255
        yield f"a=candidate:{rank + 1} 1 udp {priority} {host} {transport.port} typ host"
    yield "a=end-of-candidates"


def _connection(host: str) -> str:
    return f"c=IN IP{ipaddress.ip_address(host).version} {host}"
