"""SRTP and SRTCP by libsrtp; the keys come from `dtls`.

Packets are unprotected in place, through the library handle that pylibsrtp keeps private: that
takes half the time of its public call, which copies twice. A probe at import finds out whether
the handle is as expected; otherwise the public call is used.
Source: RFC 3711, RFC 5764 (keys from DTLS), RFC 7714 (AES-GCM).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import cffi
import pylibsrtp

REPLAY_WINDOW = 128
"""How many packets behind the newest one may come and still be accepted, once. That is 320 ms of
the shortest packets, more than the jitter buffer waits for. The library shifts the whole window
with each packet, so that a larger one would cost more."""

REPLAYED = frozenset({9, 10})
"""libsrtp's status codes for a packet that was seen before, or is too old to tell."""

_UNSPECIFIED_FAILURE = 1


@dataclass(frozen=True, slots=True)
class SrtpProfile:
    """An SRTP protection profile: its names in OpenSSL and libsrtp, and its sizes in bytes."""

    openssl_name: bytes
    libsrtp_id: int
    key_bytes: int
    salt_bytes: int

    @property
    def keying_material_bytes(self) -> int:
        """Size of what both directions together need of the DTLS exporter, in bytes."""
        return 2 * (self.key_bytes + self.salt_bytes)


def _supported_profiles() -> tuple[SrtpProfile, ...]:
    policy = pylibsrtp.Policy
    profiles = (
        SrtpProfile(b"SRTP_AEAD_AES_128_GCM", policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
        SrtpProfile(b"SRTP_AES128_CM_SHA1_80", policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
    )
    supported = []
    for profile in profiles:
        try:
            policy(srtp_profile=profile.libsrtp_id)
        except pylibsrtp.Error:  # libsrtp may be built without GCM
            continue
        supported.append(profile)
    return tuple(supported)


PROFILES = _supported_profiles()
"""The profiles that are negotiated, the one that costs least first."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key and salt of what this server receives, and of what it sends."""

    profile: SrtpProfile
    receive: bytes = field(repr=False)
    send: bytes = field(repr=False)

    @classmethod
    def of_server(cls, profile: SrtpProfile, keying_material: bytes) -> SrtpKeys:
        """Divide the DTLS exporter's output, in which the client's key and salt come first.

        Source: RFC 5764 section 4.2.
        """
        key, salt = profile.key_bytes, profile.salt_bytes
        client_key, server_key = keying_material[:key], keying_material[key : 2 * key]
        salts = keying_material[2 * key :]
        return cls(
            profile, receive=client_key + salts[:salt], send=server_key + salts[salt : 2 * salt]
        )


Unprotect: TypeAlias = Callable[[Any, int], int]
"""Verifies and decrypts the packet of so many bytes at a pointer, in place.

Returns the size of the plain packet in bytes; if it is refused, libsrtp's status code, negated.
"""


def _in_place(session: pylibsrtp.Session, unprotect: Any) -> Unprotect:
    """Call libsrtp's own `unprotect`."""
    handle = session._srtp[0]
    length = _binding.ffi.new("int *")

    def unprotected(slot: Any, size: int, _owner: object = session) -> int:  # of the handle
        length[0] = size
        status: int = unprotect(handle, slot, length)
        return -status if status else length[0]

    return unprotected


def _copying(unprotect: Callable[[bytes], bytes]) -> Unprotect:
    """Call pylibsrtp's public `unprotect`."""
    ffi = cffi.FFI()

    def unprotected(slot: Any, size: int) -> int:
        try:
            plain = unprotect(ffi.buffer(slot, size)[:])
        except pylibsrtp.Error as error:
            message = str(error)
            known = message in pylibsrtp.ERRORS
            return -pylibsrtp.ERRORS.index(message) if known else -_UNSPECIFIED_FAILURE
        except ValueError:  # longer than its own buffer
            return -_UNSPECIFIED_FAILURE
        ffi.memmove(slot, plain, len(plain))
        return len(plain)

    return unprotected


def _session(profile: SrtpProfile, key: bytes, direction: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=profile.libsrtp_id)
    policy.window_size = REPLAY_WINDOW
    return pylibsrtp.Session(policy)


def _in_place_works() -> bool:
    """Whether pylibsrtp's inner names are what they were in 1.0.0."""
    profile = PROFILES[-1]
    key = bytes(profile.key_bytes + profile.salt_bytes)
    packet = b"\x80\x6f" + bytes(10) + b"probe"
    sender = _session(profile, key, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    receiver = _session(profile, key, pylibsrtp.Policy.SSRC_ANY_INBOUND)
    ffi = cffi.FFI()
    protected = sender.protect(packet)
    slot = ffi.new("char[]", protected)
    try:
        size = _in_place(receiver, _binding.lib.srtp_unprotect)(slot, len(protected))
    except (AttributeError, TypeError):
        return False
    return size == len(packet) and ffi.buffer(slot)[:size] == packet


try:
    _binding: Any = importlib.import_module("pylibsrtp._binding")
    IN_PLACE = hasattr(_binding.lib, "srtp_unprotect_rtcp") and _in_place_works()
except (ImportError, AttributeError):
    IN_PLACE = False


class SrtpSession:
    """Protects and unprotects the packets of one peer, in both directions."""

    __slots__ = ("protect_rtcp", "protect_rtp", "unprotect_rtcp", "unprotect_rtp")

    def __init__(self, keys: SrtpKeys) -> None:
        policy = pylibsrtp.Policy
        receiver = _session(keys.profile, keys.receive, policy.SSRC_ANY_INBOUND)
        sender = _session(keys.profile, keys.send, policy.SSRC_ANY_OUTBOUND)
        if IN_PLACE:
            self.unprotect_rtp = _in_place(receiver, _binding.lib.srtp_unprotect)
            self.unprotect_rtcp = _in_place(receiver, _binding.lib.srtp_unprotect_rtcp)
        else:
            self.unprotect_rtp = _copying(receiver.unprotect)
            self.unprotect_rtcp = _copying(receiver.unprotect_rtcp)
        self.protect_rtp: Callable[[bytes], bytes] = sender.protect
        """Returns an RTP packet as SRTP."""
        self.protect_rtcp: Callable[[bytes], bytes] = sender.protect_rtcp
        """Returns an RTCP packet as SRTCP."""
