"""STUN binding requests of ICE connectivity checks, and the responses to them.

Sans-IO. Only what an ICE-lite agent needs; who may be answered is decided in `session`.
Source: RFC 8489 (STUN), RFC 8445 sections 7.1 and 7.3 (attributes of ICE).
"""

from __future__ import annotations

import hmac
import ipaddress
import struct
import zlib
from typing import NamedTuple

HEADER_BYTES = 20
MAX_ATTRIBUTES = 32

ROLE_CONFLICT = (487, b"Role Conflict")
UNKNOWN_ATTRIBUTE = (420, b"Unknown Attribute")

_MAGIC_COOKIE = 0x2112A442
_FINGERPRINT_XOR = 0x5354554E
_INTEGRITY_BYTES = 20

_BINDING_REQUEST = 0x0001
_BINDING_SUCCESS = 0x0101
_BINDING_ERROR = 0x0111

_USERNAME = 0x0006
_MESSAGE_INTEGRITY = 0x0008
_ERROR_CODE = 0x0009
_UNKNOWN_ATTRIBUTES = 0x000A
_MESSAGE_INTEGRITY_SHA256 = 0x001C
_XOR_MAPPED_ADDRESS = 0x0020
_PRIORITY = 0x0024
_USE_CANDIDATE = 0x0025
_FINGERPRINT = 0x8028
_ICE_CONTROLLED = 0x8029

_UNDERSTOOD = frozenset(
    {_USERNAME, _MESSAGE_INTEGRITY, _MESSAGE_INTEGRITY_SHA256, _PRIORITY, _USE_CANDIDATE}
)
_FIRST_OPTIONAL = 0x8000
"""Attribute types from here on may be ignored (RFC 8489 section 14)."""

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")


class BindingRequest(NamedTuple):
    """A well-formed binding request, not to be believed before `is_authentic` says so."""

    transaction_id: bytes
    username: bytes
    """The receiver's ufrag, a colon, and the sender's ufrag."""
    use_candidate: bool
    """Whether the sender nominates the address pair that the request came over."""
    sender_is_controlled: bool
    """Whether the sender believes that it is the controlled agent."""
    unknown: tuple[int, ...]
    """Types of the comprehension-required attributes that are not understood here."""
    integrity_at: int
    """Offset of the MESSAGE-INTEGRITY attribute in the message, in bytes."""


def parse_binding_request(data: bytes) -> BindingRequest | None:
    """Return the binding request in `data`; None if it is anything else.

    A request of ICE has a USERNAME, a MESSAGE-INTEGRITY and, at its end, a right FINGERPRINT.
    """
    if len(data) < HEADER_BYTES:
        return None
    message_type, length, cookie, transaction_id = _HEADER.unpack_from(data)
    if message_type != _BINDING_REQUEST or cookie != _MAGIC_COOKIE:
        return None
    if length != len(data) - HEADER_BYTES:
        return None
    attributes = _parse_attributes(data)
    if attributes is None:
        return None
    protected: dict[int, bytes] = {}
    integrity_at = 0
    for kind, value, offset in attributes:
        # What follows MESSAGE-INTEGRITY is not protected by it (RFC 8489 section 14.5).
        if kind == _MESSAGE_INTEGRITY:
            if len(value) != _INTEGRITY_BYTES:
                return None
            integrity_at = offset
            break
        protected.setdefault(kind, value)
    if not integrity_at or _USERNAME not in protected:
        return None
    kind, value, offset = attributes[-1]
    if kind != _FINGERPRINT or value != _fingerprint(data[:offset]):
        return None
    return BindingRequest(
        transaction_id=transaction_id,
        username=protected[_USERNAME],
        use_candidate=_USE_CANDIDATE in protected,
        sender_is_controlled=_ICE_CONTROLLED in protected,
        unknown=tuple(k for k in protected if k < _FIRST_OPTIONAL and k not in _UNDERSTOOD),
        integrity_at=integrity_at,
    )


def is_authentic(data: bytes, request: BindingRequest, password: bytes) -> bool:
    """Whether the sender of `data`, parsed as `request`, knows the receiver's ICE password."""
    integrity_at = request.integrity_at
    value_at = integrity_at + _ATTRIBUTE.size
    expected = _integrity(data[:integrity_at], password)
    return hmac.compare_digest(expected, data[value_at : value_at + _INTEGRITY_BYTES])


def success_response(request: BindingRequest, *, host: str, port: int, password: bytes) -> bytes:
    """Return the response that tells the sender of `request` the address it was received from."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped  # a socket on `::` shows IPv4 peers so
    family = 1 if address.version == 4 else 2
    mask = _MAGIC_COOKIE.to_bytes(4, "big") + request.transaction_id
    xored = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    value = struct.pack("!BBH", 0, family, port ^ (_MAGIC_COOKIE >> 16)) + xored
    return _message(_BINDING_SUCCESS, request, [(_XOR_MAPPED_ADDRESS, value)], password)


def error_response(request: BindingRequest, error: tuple[int, bytes], *, password: bytes) -> bytes:
    """Return the response that refuses `request` with `error`: a number and a reason phrase."""
    number, reason = error
    attributes = [(_ERROR_CODE, struct.pack("!HBB", 0, *divmod(number, 100)) + reason)]
    if error == UNKNOWN_ATTRIBUTE:
        kinds = request.unknown
        attributes.append((_UNKNOWN_ATTRIBUTES, struct.pack(f"!{len(kinds)}H", *kinds)))
    return _message(_BINDING_ERROR, request, attributes, password)


def _parse_attributes(data: bytes) -> list[tuple[int, bytes, int]] | None:
    """Return type, value and offset of each attribute, at least one; None if malformed."""
    attributes: list[tuple[int, bytes, int]] = []
    offset = HEADER_BYTES
    while offset < len(data):
        if len(attributes) == MAX_ATTRIBUTES or offset + _ATTRIBUTE.size > len(data):
            return None
        kind, size = _ATTRIBUTE.unpack_from(data, offset)
        start = offset + _ATTRIBUTE.size
        if start + size > len(data):
            return None
        attributes.append((kind, data[start : start + size], offset))
        offset = start + (size + 3) // 4 * 4
    return attributes if attributes and offset == len(data) else None


def _message(
    kind: int, request: BindingRequest, attributes: list[tuple[int, bytes]], password: bytes
) -> bytes:
    data = _HEADER.pack(kind, 0, _MAGIC_COOKIE, request.transaction_id)
    for attribute, value in attributes:
        data += _ATTRIBUTE.pack(attribute, len(value)) + value + bytes(-len(value) % 4)
    data += _ATTRIBUTE.pack(_MESSAGE_INTEGRITY, _INTEGRITY_BYTES) + _integrity(data, password)
    data = _with_length(data, len(data) + 8)
    return data + _ATTRIBUTE.pack(_FINGERPRINT, 4) + _fingerprint(data)


def _integrity(before: bytes, password: bytes) -> bytes:
    """HMAC over what comes before MESSAGE-INTEGRITY, as if the message ended with it."""
    covered = _with_length(before, len(before) + _ATTRIBUTE.size + _INTEGRITY_BYTES)
    return hmac.digest(password, covered, "sha1")


def _fingerprint(before: bytes) -> bytes:
    """CRC over what comes before FINGERPRINT; `before` has the final length in its header."""
    return (zlib.crc32(before) ^ _FINGERPRINT_XOR).to_bytes(4, "big")


def _with_length(data: bytes, total: int) -> bytes:
    """Return `data` with its header's length field set for a message of `total` bytes."""
    return data[:2] + (total - HEADER_BYTES).to_bytes(2, "big") + data[4:]
