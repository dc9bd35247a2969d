"""What the console shows of rooms and hands out for them.

What it shows of deliveries is in `delivery.deliveries`; who may use it is the façade's matter.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Protocol

from airslice.application.rooms.registry import Rooms
from airslice.application.wall_clock import WallClock
from airslice.domain.apps import RtcApp
from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.room_token import Privilege, RoomClaims, mint

TOKEN_S = 3_600
"""How long a token is valid that the console hands out."""

OBJECT_URL_S = 3_600
"""How long a URL of an object is valid that the console hands out."""


class UrlSigner(Protocol):
    """Signs URLs of objects."""

    def sign(self, bucket: str, key: str, *, expires_at_s: int) -> str:
        """Return path and query of a URL that works until `expires_at_s` (UTC, Unix seconds)."""


class RoomConsole:
    """Shows the streams of rooms, and lets operators try rooms and hear slices."""

    def __init__(self, *, rooms: Rooms, wall_clock: WallClock, signer: UrlSigner) -> None:
        self._rooms = rooms
        self._wall_clock = wall_clock
        self._signer = signer

    def streams(self, key: RoomKey) -> Sequence[StreamKey]:
        """Return the streams that are being published in a room."""
        room = self._rooms.find(key)
        return [] if room is None else [s.key for s in room.streams.values() if s.published]

    def mint_token(self, app: RtcApp, room_id: str, user_id: str) -> str:
        """Return a room token with which its bearer can publish and subscribe."""
        both = (Privilege.PUBLISH_STREAM, Privilege.SUBSCRIBE_STREAM)
        claims = RoomClaims.lasting(room_id, user_id, both, now_s=self._now_s(), valid_s=TOKEN_S)
        nonce = secrets.randbits(32)
        return mint(claims, app_id=app.app_id, app_key=app.app_key, nonce=nonce)

    def sign_url(self, bucket: str, key: str) -> str:
        """Return path and query of a URL from which an object of the local store can be fetched."""
        return self._signer.sign(bucket, key, expires_at_s=self._now_s() + OBJECT_URL_S)

    def _now_s(self) -> int:
        return self._wall_clock.utc_ms() // 1_000
