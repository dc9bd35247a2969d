"""What the engine counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Drop(StrEnum):
    """Why a datagram went no further."""

    MALFORMED = "malformed"  # too short or too long, or not what its first byte promises
    UNBOUND_ADDRESS = "unbound_address"  # media or DTLS from where no check has come
    UNKNOWN_USER = "unknown_user"  # a check for no session of ours
    UNAUTHENTIC_CHECK = "unauthentic_check"
    ADDRESS_IN_USE = "address_in_use"  # a check from the address of another live session
    HANDSHAKE_LIMIT = "handshake_limit"  # too many handshakes, or too many records in one
    BEFORE_KEYS = "before_keys"  # media before the end of the handshake
    UNAUTHENTIC_MEDIA = "unauthentic_media"
    REPLAYED = "replayed"
    SOURCE_LIMIT = "source_limit"  # more SSRCs than a session may have
    PAYLOAD_TYPE = "payload_type"  # not the negotiated one
    UNASKED = "unasked"  # media from a listener
    FAILED = "failed"  # an error of ours, logged


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStats:
    """Counters since the start, but for the last three, which are of now."""

    datagrams: int
    octets: int
    """UDP payload."""
    dropped: Mapping[Drop, int]
    sessions: int
    """Publishers."""
    listeners: int
    handshaking: int
    """Those of either that have no keys yet."""
