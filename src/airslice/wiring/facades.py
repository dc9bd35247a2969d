"""What answers requests: both clouds' wires, WHIP and WHEP, objects, console, health.

The servers that take the requests are in `http`.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from airslice.application.listening.sessions import Listening
from airslice.application.moderation import Moderation
from airslice.facades.health import HealthFacade
from airslice.facades.huawei.facade import HuaweiFacade
from airslice.facades.objects import ObjectsFacade
from airslice.facades.volcengine.facade import VolcengineFacade
from airslice.facades.whip.facade import WhipFacade
from airslice.facades.whip.whep import WhepFacade
from airslice.storage.signed_url import UrlSigner
from airslice.wiring.backend import Backend
from airslice.wiring.console import console_of
from airslice.wiring.live import LiveServices


class Root:
    """Both clouds' wires and everything else share one address."""

    def __init__(
        self, volcengine: VolcengineFacade, huawei: HuaweiFacade, routes: Sequence[BaseRoute]
    ) -> None:
        self._volcengine = volcengine
        self._huawei = huawei
        self._others = Starlette(routes=[*volcengine.routes(), *huawei.routes(), *routes])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._others
        if scope["type"] == "http" and scope["path"] == "/" and self._volcengine.takes(scope):
            app = self._volcengine
        elif scope["type"] == "http" and self._huawei.takes(scope):
            app = self._huawei
        await app(scope, receive, send)


def root_of(
    backend: Backend, live: LiveServices, listening: Listening, health: HealthFacade
) -> Root:
    """Return what answers on the main address."""
    routes = [
        *WhipFacade(backend.rooms.publishing).routes(),
        *WhepFacade(listening).routes(),
        *_object_routes(backend),
        *health.routes(),
        *console_of(backend, live.jobs).routes(),
    ]
    if backend.environment.settings.server.metrics is None:
        routes += health.metrics_routes()
    return Root(_volcengine(backend, listening), live.facade, routes)


def _volcengine(backend: Backend, listening: Listening) -> VolcengineFacade:
    environment, rooms = backend.environment, backend.rooms
    moderation = Moderation(
        apps=environment.apps,
        publishing=rooms.publishing,
        listening=listening,
        bans=rooms.bans,
        users_in=rooms.room_events.users_in,
        wall_clock=environment.wall_clock,
    )
    return VolcengineFacade(
        accounts=environment.settings.accounts,
        tasks=backend.slicing.tasks,
        moderation=moderation,
        callbacks=backend.delivery.callbacks,
        clock=environment.clock,
        redundant_duration_unit=environment.settings.slicing.redundant_duration_unit,
    )


def _object_routes(backend: Backend) -> Sequence[BaseRoute]:
    environment = backend.environment
    return ObjectsFacade(
        UrlSigner(environment.settings.server.master_key),
        backend.storage.objects.open_object,
        now_s=lambda: environment.wall_clock.utc_ms() / 1000,
    ).routes()
