"""What the console shows, and whom it orders."""

from __future__ import annotations

import secrets

from airslice.application.deliveries import Deliveries
from airslice.application.live_jobs import LiveJobs
from airslice.application.ports import Clock
from airslice.application.rooms import Rooms
from airslice.application.slice_tasks import SliceTasks
from airslice.config import Settings
from airslice.domain import room_token
from airslice.domain.apps import RtcApp
from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.room_token import Privilege
from airslice.facades.console import AdminAccess, ConsoleFacade, ConsoleServices
from airslice.persistence.sqlite import SqliteTaskStore
from airslice.storage.signed_url import UrlSigner

CONSOLE_TOKEN_S = 3_600
OBJECT_URL_S = 3_600
"""How long tokens and object URLs that the console hands out are valid."""


def console_of(
    settings: Settings,
    clock: Clock,
    rooms: Rooms,
    tasks: SliceTasks,
    store: SqliteTaskStore,
    deliveries: Deliveries,
    live_jobs: LiveJobs,
) -> ConsoleFacade:
    """Return the console and the admin API."""
    signer = UrlSigner(settings.server.master_key)

    def streams(key: RoomKey) -> list[StreamKey]:
        room = rooms.find(key)
        return [] if room is None else [s.key for s in room.streams.values() if s.published]

    def mint_token(app: RtcApp, room_id: str, user_id: str) -> str:
        now_s = clock.utc_ns() // 1_000_000_000
        return room_token.mint(
            app_id=app.app_id,
            app_key=app.app_key,
            room_id=room_id,
            user_id=user_id,
            privileges={
                Privilege.PUBLISH_STREAM: now_s + CONSOLE_TOKEN_S,
                Privilege.SUBSCRIBE_STREAM: now_s + CONSOLE_TOKEN_S,
            },
            issued_at_s=now_s,
            expires_at_s=now_s + CONSOLE_TOKEN_S,
            nonce=secrets.randbits(32),
        )

    def sign_url(bucket: str, key: str) -> str:
        expires_at_s = clock.utc_ns() // 1_000_000_000 + OBJECT_URL_S
        return signer.sign(bucket, key, expires_at_s=expires_at_s)

    services = ConsoleServices(
        apps=settings.apps,
        accounts=settings.accounts,
        tasks=tasks,
        slices=store,
        deliveries=deliveries,
        live_jobs=live_jobs,
        project_ids=[project.project_id for project in settings.projects],
        streams=streams,
        mint_token=mint_token,
        sign_url=sign_url,
    )
    server = settings.server
    access = AdminAccess(password=server.admin_password, master_key=server.master_key, clock=clock)
    return ConsoleFacade(services, access)
