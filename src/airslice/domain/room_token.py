"""Room tokens: the application's owner lets one user into one room.

The format is Volcengine RTC's access token, version "001", so tokens that a business server
already mints for the cloud open a room here. All integers are little-endian; ``bytes(x)`` is a
16-bit length followed by ``x``::

    token = "001" + app id + base64(bytes(message) + bytes(HMAC-SHA256(app key, message)))
    message = u32 nonce, u32 issued at, u32 expires at, bytes(room id), bytes(user id),
              u16 count, count x (u16 privilege, u32 expires at)

Times are whole seconds since the Unix epoch; 0 never expires.

Source: AccessToken of github.com/volcengine/VolcEngineRTC.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from airslice.domain.errors import TokenRefused
from airslice.domain.room import MIXED_USER_ID, is_valid_id

VERSION = "001"

ANY_ROOM = "*"
"""Stands for every room of the application."""

MAX_TOKEN_CHARS = 4_096
"""A token with both ids at their longest and every privilege has under 800."""


class Privilege(IntEnum):
    """What a user may do in a room. Publishing as a whole brings audio, video and data."""

    PUBLISH_STREAM = 0
    PUBLISH_AUDIO = 1
    PUBLISH_VIDEO = 2
    PUBLISH_DATA = 3
    SUBSCRIBE_STREAM = 4


_PUBLISHED_KINDS = (Privilege.PUBLISH_AUDIO, Privilege.PUBLISH_VIDEO, Privilege.PUBLISH_DATA)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomGrant:
    """What a verified token allows, at the time at which it was verified."""

    user_id: str
    privileges: frozenset[int]
    """Those that have not expired, unknown numbers included."""

    @property
    def may_publish_audio(self) -> bool:
        """Whether the user may publish an audio stream."""
        return not self.privileges.isdisjoint({Privilege.PUBLISH_STREAM, Privilege.PUBLISH_AUDIO})

    @property
    def may_subscribe(self) -> bool:
        """Whether the user may listen to the room's streams."""
        return Privilege.SUBSCRIBE_STREAM in self.privileges


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomClaims:
    """What a token says. Times are whole seconds since the Unix epoch; 0 never expires."""

    room_id: str
    """The room, or `ANY_ROOM`."""
    user_id: str
    """Who the bearer is."""
    privileges: Mapping[int, int]
    """Each privilege's number and when it expires; unknown numbers are kept."""
    issued_at_s: int
    expires_at_s: int
    """When the whole token expires."""

    @classmethod
    def lasting(
        cls,
        room_id: str,
        user_id: str,
        privileges: Iterable[Privilege],
        *,
        now_s: int,
        valid_s: int,
    ) -> RoomClaims:
        """Return the claims of a token that is issued now and grants all for `valid_s`."""
        expires_at_s = now_s + valid_s
        return cls(
            room_id=room_id,
            user_id=user_id,
            privileges=dict.fromkeys(privileges, expires_at_s),
            issued_at_s=now_s,
            expires_at_s=expires_at_s,
        )

    def pack(self, nonce: int) -> bytes:
        """Return the message that is signed; `PUBLISH_STREAM` adds the three published kinds."""
        granted = dict(self.privileges)
        if Privilege.PUBLISH_STREAM in granted:
            granted.update(dict.fromkeys(_PUBLISHED_KINDS, granted[Privilege.PUBLISH_STREAM]))
        return (
            struct.pack("<III", nonce, self.issued_at_s, self.expires_at_s)
            + _counted(self.room_id.encode())
            + _counted(self.user_id.encode())
            + struct.pack("<H", len(granted))
            + b"".join(struct.pack("<HI", number, granted[number]) for number in sorted(granted))
        )

    @classmethod
    def unpack(cls, message: bytes) -> RoomClaims:
        """Return what a signed message says.

        Raises:
            TokenRefused: the message is malformed.
        """
        reader = _Reader(message)
        _nonce, issued_at_s, expires_at_s = reader.take("<III")
        room_id = reader.take_counted()
        user_id = reader.take_counted()
        (count,) = reader.take("<H")
        privileges: dict[int, int] = {}
        for _ in range(count):
            privilege, privilege_expires_at_s = reader.take("<HI")
            privileges[privilege] = privilege_expires_at_s
        reader.expect_end()
        try:
            return cls(
                room_id=room_id.decode(),
                user_id=user_id.decode(),
                privileges=privileges,
                issued_at_s=issued_at_s,
                expires_at_s=expires_at_s,
            )
        except UnicodeDecodeError:
            raise TokenRefused("the token is malformed") from None


def mint(claims: RoomClaims, *, app_id: str, app_key: str, nonce: int) -> str:
    """Make a token.

    Args:
        claims: What the token says.
        app_id: The application that signs it.
        app_key: The key with which it signs.
        nonce: Random, 0 <= nonce < 2**32; makes two tokens of one second differ.
    """
    message = claims.pack(nonce)
    signed = _counted(message) + _counted(_signature(app_key, message))
    return VERSION + app_id + base64.b64encode(signed).decode()


def verify(token: str, *, app_id: str, app_key: str, room_id: str, now_s: float) -> RoomGrant:
    """Return what `token` allows in the room.

    Args:
        token: As the bearer sent it.
        app_id: The application whose room is entered.
        app_key: The key of that application.
        room_id: The room that is entered.
        now_s: UTC, seconds since the Unix epoch.

    Raises:
        TokenRefused: the token is malformed, of another application, forged, for another room or
            expired, or its user id cannot be one.
    """
    if len(token) > MAX_TOKEN_CHARS or not token.startswith(VERSION):
        raise TokenRefused("the token is malformed")
    if not token.startswith(VERSION + app_id):
        raise TokenRefused("the token is for another application")
    message, signature = _unpack_signed(token[len(VERSION + app_id) :])
    if not hmac.compare_digest(signature, _signature(app_key, message)):
        raise TokenRefused("the token's signature is wrong")
    claims = RoomClaims.unpack(message)
    if claims.room_id not in (room_id, ANY_ROOM):
        raise TokenRefused("the token is for another room")
    if _has_expired(claims.expires_at_s, now_s):
        raise TokenRefused("the token has expired")
    # The user id becomes part of file names, so the ID rule holds even for a well-signed token.
    # `mixed` would make a user's slices those of the mix.
    if not is_valid_id(claims.user_id) or claims.user_id == MIXED_USER_ID:
        raise TokenRefused("the token's user id is not allowed")
    return RoomGrant(
        user_id=claims.user_id,
        privileges=frozenset(
            number
            for number, expires_at_s in claims.privileges.items()
            if not _has_expired(expires_at_s, now_s)
        ),
    )


class _Reader:
    """Takes fields off the front of a packed message; what is not there is refused."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._position = 0

    def take(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self._take_bytes(struct.calcsize(layout)))

    def take_counted(self) -> bytes:
        (size,) = self.take("<H")
        return self._take_bytes(size)

    def expect_end(self) -> None:
        if self._position != len(self._packed):
            raise TokenRefused("the token is malformed")

    def _take_bytes(self, size: int) -> bytes:
        end = self._position + size
        if end > len(self._packed):
            raise TokenRefused("the token is malformed")
        taken = self._packed[self._position : end]
        self._position = end
        return taken


def _unpack_signed(text: str) -> tuple[bytes, bytes]:
    try:
        reader = _Reader(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):  # ValueError: characters outside ASCII
        raise TokenRefused("the token is malformed") from None
    message, signature = reader.take_counted(), reader.take_counted()
    reader.expect_end()
    return message, signature


def _counted(value: bytes) -> bytes:
    return struct.pack("<H", len(value)) + value


def _signature(app_key: str, message: bytes) -> bytes:
    return hmac.digest(app_key.encode(), message, hashlib.sha256)


def _has_expired(expires_at_s: int, now_s: float) -> bool:
    return expires_at_s != 0 and now_s > expires_at_s
