"""What requests are answered by: both clouds' wires, WHIP and WHEP, objects, console, health."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from airslice.application.listening.sessions import Listening
from airslice.application.moderation import Moderation
from airslice.facades.health import HealthFacade
from airslice.facades.objects import ObjectsFacade
from airslice.facades.volcengine import VolcengineFacade
from airslice.facades.whip import WhepFacade, WhipFacade
from airslice.storage.signed_url import UrlSigner
from airslice.wiring.console import console_of
from airslice.wiring.http import Root
from airslice.wiring.live import SmartLive
from airslice.wiring.parts import Parts


def root_of(parts: Parts, live: SmartLive, listening: Listening, health: HealthFacade) -> Root:
    """Return what answers on the main address."""
    routes = [
        *WhipFacade(parts.media.publishing).routes(),
        *WhepFacade(listening).routes(),
        *_object_routes(parts),
        *health.routes(),
        *console_of(parts, live).routes(),
    ]
    if parts.given.settings.server.metrics is None:
        routes += health.metrics_routes()
    return Root(_volcengine(parts, listening), live.facade, routes)


def _volcengine(parts: Parts, listening: Listening) -> VolcengineFacade:
    given, media = parts.given, parts.media
    moderation = Moderation(
        apps=given.apps,
        publishing=media.publishing,
        listening=listening,
        bans=media.bans,
        users_in=media.room_events.users_in,
        wall_clock=given.wall_clock,
    )
    return VolcengineFacade(
        accounts=given.settings.accounts,
        tasks=parts.slicing.tasks,
        moderation=moderation,
        callbacks=parts.delivery.callbacks,
        clock=given.clock,
        redundant_duration_unit=given.settings.slicing.redundant_duration_unit,
    )


def _object_routes(parts: Parts) -> Sequence[BaseRoute]:
    given = parts.given
    return ObjectsFacade(
        UrlSigner(given.settings.server.master_key),
        parts.storage.objects.open_object,
        now_s=lambda: given.wall_clock.utc_ms() / 1000,
    ).routes()
