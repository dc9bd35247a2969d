"""What the console shows, and whom it orders."""

from __future__ import annotations

import secrets

from airslice.application.delivery.deliveries import Deliveries
from airslice.application.ports.clock import Clock
from airslice.application.rooms.rooms import Rooms
from airslice.domain import room_token
from airslice.domain.apps import RtcApp
from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.room_token import Privilege
from airslice.facades.console import AdminAccess, ConsoleFacade, ConsoleServices
from airslice.storage.signed_url import UrlSigner
from airslice.wiring.live import SmartLive
from airslice.wiring.parts import Parts

CONSOLE_TOKEN_S = 3_600
OBJECT_URL_S = 3_600
"""How long tokens and object URLs that the console hands out are valid."""


class _Console:
    """What the console needs that no use case has.

    Args:
        rooms: Where streams are.
        clock: Dates tokens and URLs.
        signer: Signs URLs of objects.
    """

    def __init__(self, rooms: Rooms, clock: Clock, signer: UrlSigner) -> None:
        self._rooms = rooms
        self._clock = clock
        self._signer = signer

    def streams(self, key: RoomKey) -> list[StreamKey]:
        """Return the published streams of a room."""
        room = self._rooms.find(key)
        return [] if room is None else [s.key for s in room.streams.values() if s.published]

    def mint_token(self, app: RtcApp, room_id: str, user_id: str) -> str:
        """Return a token with which somebody can publish and subscribe."""
        now_s = self._now_s()
        return room_token.mint(
            room_token.RoomClaims(
                room_id=room_id,
                user_id=user_id,
                privileges={
                    Privilege.PUBLISH_STREAM: now_s + CONSOLE_TOKEN_S,
                    Privilege.SUBSCRIBE_STREAM: now_s + CONSOLE_TOKEN_S,
                },
                issued_at_s=now_s,
                expires_at_s=now_s + CONSOLE_TOKEN_S,
            ),
            app_id=app.app_id,
            app_key=app.app_key,
            nonce=secrets.randbits(32),
        )

    def sign_url(self, bucket: str, key: str) -> str:
        """Return where an object can be fetched."""
        return self._signer.sign(bucket, key, expires_at_s=self._now_s() + OBJECT_URL_S)

    def _now_s(self) -> int:
        return self._clock.utc_ns() // 1_000_000_000


def console_of(parts: Parts, live: SmartLive) -> ConsoleFacade:
    """Return the console and the admin API."""
    given, settings = parts.given, parts.given.settings
    server = settings.server
    console = _Console(parts.slicing.rooms, given.clock, UrlSigner(server.master_key))
    services = ConsoleServices(
        apps=settings.apps,
        accounts=settings.accounts,
        tasks=parts.slicing.tasks,
        slices=parts.storage.tasks,
        deliveries=Deliveries(parts.delivery.outbox, parts.delivery.courier),
        live_jobs=live.jobs,
        project_ids=[project.project_id for project in settings.projects],
        streams=console.streams,
        mint_token=console.mint_token,
        sign_url=console.sign_url,
    )
    access = AdminAccess(
        password=server.admin_password, master_key=server.master_key, clock=given.clock
    )
    return ConsoleFacade(services, access)
