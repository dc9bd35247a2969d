"""What the engine counts, and why it drops datagrams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from airslice.engines.embedded.srtp import REPLAYED


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

    @classmethod
    def of_refused(cls, size: int) -> Drop:
        """Return why a packet was refused for which `srtp.Unprotect` returned `size`."""
        return cls.REPLAYED if -size in REPLAYED else cls.UNAUTHENTIC_MEDIA


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStats:
    """The engine's counters since its start, and how many sessions it has now."""

    datagrams: int
    """Datagrams received since the start."""
    dropped: Mapping[Drop, int]
    """Datagrams dropped since the start, by reason."""
    sessions: int
    """Sessions of publishers that are open now."""
    listeners: int
    """Sessions of listeners that are open now."""
    handshaking: int
    """Sessions of either kind that have no keys yet."""
