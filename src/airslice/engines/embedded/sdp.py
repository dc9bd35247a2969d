"""SDP offers of publishers and listeners, and the fragments of WHIP and WHEP PATCH, parsed.

Reads what an ICE-lite, DTLS-SRTP answerer needs, in one pass; answers are made in `answer`.
Source: RFC 8866 (SDP), RFC 8829 (JSEP), RFC 9143 (BUNDLE), RFC 8839 (ICE), RFC 8122
(fingerprints), RFC 7587 (Opus), RFC 8285 (extensions), RFC 8840 (fragments).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from airslice.domain.errors import OfferRefused
from airslice.engines.embedded.dtls import HASHES, Fingerprint

MAX_BYTES = 64 << 10
"""Largest SDP text that is parsed, in characters."""

MAX_SECTIONS = 64
"""Largest number of media sections that is parsed."""

AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
ACCEPTED_EXTENSIONS = (AUDIO_LEVEL, MID)

_PROTOCOLS = frozenset({"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"})
"""DTLS-SRTP by its name, or by the older one that some senders still write."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WORD = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]"
_TAG = re.compile(_WORD + "{1,64}")
_MEDIA = re.compile(
    r"([a-z]{1,32}) ([0-9]{1,5})(?:/[0-9]{1,5})? ([A-Z/]{1,32})"
    rf" ({_WORD}+(?: {_WORD}+)*)"
)
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_OPUS = re.compile(r"([0-9]{1,3}) opus/48000/2", re.IGNORECASE)
_EXTENSION = re.compile(r"([0-9]{1,3})(?:/[a-z]{1,16})? (\S{1,256})(?: .*)?")

_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_PAYLOAD_TYPES = (*range(64), *range(96, 128))
"""64 to 95 would look like RTCP on a shared port (RFC 5761 section 4)."""
_EXTENSION_IDS = (*range(1, 15), *range(16, 256))


class Role(Enum):
    """What an offerer wants to be: the directions that allow it, and what others lack for it."""

    PUBLISHER = (("sendrecv", "sendonly"), "it sends nothing")
    LISTENER = (("sendrecv", "recvonly"), "it receives nothing")


@dataclass(frozen=True, slots=True)
class Attributes:
    """The ``a=`` lines of the session or of one section: lists of values by name."""

    values: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        """Return the first value of `name`: "" if it is a flag, None if it is absent."""
        values = self.values.get(name)
        return values[0] if values else None

    def every(self, name: str) -> list[str]:
        """Return all values of `name`, in order."""
        return self.values.get(name, [])

    def __contains__(self, name: str) -> bool:
        return name in self.values


@dataclass(frozen=True, slots=True)
class Section:
    """One ``m=`` section of an offer."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    attributes: Attributes

    @property
    def mid(self) -> str | None:
        """The section's identification tag; None if it has none, or a malformed one."""
        mid = self.attributes.first("mid")
        return mid if mid and _TAG.fullmatch(mid) else None

    @property
    def is_offered(self) -> bool:
        """Whether the section can be accepted: not with port 0, unless it is bundle-only."""
        return self.port != 0 or "bundle-only" in self.attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An acceptable offer: what the answer and the session need to know of it."""

    sections: tuple[Section, ...]
    audio: int
    """Index of the accepted section in `sections`."""
    bundled: bool
    """Whether the accepted section is in the BUNDLE group."""
    ice_ufrag: str
    fingerprints: tuple[Fingerprint, ...]
    payload_type: int
    """RTP payload type of Opus."""
    uses_dtx: bool
    """Whether the offerer says ``usedtx=1``."""
    extensions: Mapping[str, int]
    """Ids of the offered header extensions by URI, of those that are in `ACCEPTED_EXTENSIONS`."""


def parse_offer(text: str, role: Role = Role.PUBLISHER) -> Offer:
    """Parse an offer and choose the first audio section that can be accepted.

    Raises:
        OfferRefused: `text` is malformed, or no audio section can be accepted; the message says
            what the first audio section lacks.
    """
    session, sections = _parse(text)
    if not text.startswith("v=0"):
        raise OfferRefused("not an SDP offer: it does not start with v=0")
    refusals: list[OfferRefused] = []
    for index, section in enumerate(sections):
        if section.kind != "audio":
            continue
        try:
            return _accept(session, sections, index, role)
        except OfferRefused as refusal:
            refusals.append(refusal)
    raise refusals[0] if refusals else OfferRefused("the offer has no audio section")


def parse_fragment(text: str, mid: str | None) -> str | None:
    """Return the peer's ICE ufrag in a fragment; None if the fragment gives no credentials.

    Candidates are ignored: an ICE-lite agent learns addresses from checks. Credentials of the
    section with the tag `mid` come first.

    Raises:
        OfferRefused: `text` is malformed.
    """
    session, sections = _parse(text)
    own_first = sorted(sections, key=lambda section: section.mid != mid)
    levels = [*(section.attributes for section in own_first), session]
    ufrag, password = _inherited(levels, "ice-ufrag"), _inherited(levels, "ice-pwd")
    if ufrag is None and password is None:
        return None
    return _checked_ufrag(ufrag, password)


def _parse(text: str) -> tuple[Attributes, tuple[Section, ...]]:
    if len(text) > MAX_BYTES:
        raise OfferRefused(f"the SDP is longer than {MAX_BYTES} bytes")
    session = current = Attributes()
    sections: list[Section] = []
    text = text.replace("\r\n", "\n")
    if _CONTROL.search(text):
        raise OfferRefused("the SDP has control characters")
    for line in text.split("\n"):
        if not line:
            continue
        if line[1:2] != "=":
            raise OfferRefused(f"not a line of SDP: {line[:40]!r}")
        kind, value = line[0], line[2:]
        if kind == "m":
            if len(sections) == MAX_SECTIONS:
                raise OfferRefused(f"the SDP has more than {MAX_SECTIONS} media sections")
            current = Attributes()
            sections.append(_section(value, current))
        elif kind == "a":
            name, _, argument = value.partition(":")
            current.values.setdefault(name, []).append(argument)
    return session, tuple(sections)


def _section(value: str, attributes: Attributes) -> Section:
    match = _MEDIA.fullmatch(value)
    if match is None:
        raise OfferRefused(f"not a media description: m={value[:40]!r}")
    kind, port, protocol, formats = match.groups()
    return Section(kind, int(port), protocol, tuple(formats.split(" ")), attributes)


def _accept(session: Attributes, sections: tuple[Section, ...], index: int, role: Role) -> Offer:
    section = sections[index]
    own = section.attributes
    _check_section(session, section, role)
    group = _bundle(session, section)
    # Bundled sections may leave their transport to the first of the group (RFC 9143 section 7).
    levels = [own, *(s.attributes for s in sections if s.mid in group), session]
    setup = _inherited(levels, "setup")
    if setup not in ("actpass", "active"):
        raise OfferRefused(
            f"a=setup is {setup}: this server is passive, the offerer must be active"
        )
    payload_type = _opus_payload_type(section)
    return Offer(
        sections=sections,
        audio=index,
        bundled=section.mid in group,
        ice_ufrag=_checked_ufrag(_inherited(levels, "ice-ufrag"), _inherited(levels, "ice-pwd")),
        fingerprints=_fingerprints(levels),
        payload_type=payload_type,
        uses_dtx=_uses_dtx(own, payload_type),
        extensions=_extensions([*own.every("extmap"), *session.every("extmap")]),
    )


def _check_section(session: Attributes, section: Section, role: Role) -> None:
    if not section.is_offered:
        raise OfferRefused("the audio section is disabled: its port is 0")
    if section.protocol not in _PROTOCOLS:
        raise OfferRefused(f"the audio section is {section.protocol}, not DTLS-SRTP")
    direction = next(
        (d for level in (section.attributes, session) for d in _DIRECTIONS if d in level),
        "sendrecv",
    )
    directions, lack = role.value
    if direction not in directions:
        raise OfferRefused(f"the audio section is {direction}: {lack}")
    if "rtcp-mux" not in section.attributes:
        raise OfferRefused("a=rtcp-mux is missing from the audio section")


def _bundle(session: Attributes, section: Section) -> frozenset[str | None]:
    """Return the mids of the BUNDLE group that `section` is in, if any.

    A set: each section is looked up in it, and an offer can have 30,000 mids.
    """
    for group in session.every("group"):
        semantics, *mids = group.split(" ")
        if semantics == "BUNDLE" and section.mid in mids:
            return frozenset(mids)
    return frozenset()


def _inherited(levels: Iterable[Attributes], name: str) -> str | None:
    return next((value for level in levels if (value := level.first(name)) is not None), None)


def _checked_ufrag(ufrag: str | None, password: str | None) -> str:
    if ufrag is None or not _UFRAG.fullmatch(ufrag):
        raise OfferRefused("a=ice-ufrag is missing or malformed")
    if password is None or not _PASSWORD.fullmatch(password):
        raise OfferRefused("a=ice-pwd is missing or malformed")
    return ufrag


def _fingerprints(levels: Iterable[Attributes]) -> tuple[Fingerprint, ...]:
    values = next((v for level in levels if (v := level.every("fingerprint"))), [])
    fingerprints = []
    for value in values:
        algorithm, _, digest = value.partition(" ")
        if (function := HASHES.get(algorithm.lower())) is None:
            continue
        try:
            octets = bytes.fromhex(digest.replace(":", " "))
        except ValueError:
            octets = b""
        if len(octets) != function.digest_size:
            raise OfferRefused(f"a=fingerprint is malformed: {algorithm}")
        fingerprints.append(Fingerprint(algorithm.lower(), octets))
    if not fingerprints:
        raise OfferRefused(f"a=fingerprint by one of {', '.join(HASHES)} is missing")
    return tuple(fingerprints)


def _opus_payload_type(section: Section) -> int:
    opus = {match[1] for v in section.attributes.every("rtpmap") if (match := _OPUS.fullmatch(v))}
    for payload_format in section.formats:
        if payload_format in opus and int(payload_format) in _PAYLOAD_TYPES:
            return int(payload_format)
    raise OfferRefused("the audio section does not offer opus/48000/2")


def _uses_dtx(attributes: Attributes, payload_type: int) -> bool:
    for value in attributes.every("fmtp"):
        payload_format, _, parameters = value.partition(" ")
        if payload_format == str(payload_type):
            return "usedtx=1" in parameters.replace(" ", "").split(";")
    return False


def _extensions(values: Iterable[str]) -> dict[str, int]:
    extensions: dict[str, int] = {}
    for value in values:
        match = _EXTENSION.fullmatch(value)
        if match and match[2] in ACCEPTED_EXTENSIONS and int(match[1]) in _EXTENSION_IDS:
            extensions.setdefault(match[2], int(match[1]))
    return extensions
