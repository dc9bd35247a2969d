from __future__ import annotations

import httpx
from starlette.applications import Starlette

from airslice.wiring.backend import Backend
from airslice.wiring.console import console_of
from airslice.wiring.live import open_live


async def test_the_console_shows_the_applications_and_rooms_of_the_server(
    backend: Backend,
) -> None:
    (app_id,) = backend.environment.apps
    async with open_live(backend) as live:
        app = Starlette(routes=console_of(backend, live.jobs).routes())
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            apps = await http.get("/api/apps")
            room = await http.get(f"/api/rooms/{app_id}/room")
            jobs = await http.get("/api/live-jobs")

    assert app_id in apps.text
    assert room.json() == {"streams": [], "slicing": False, "problems": []}
    assert (jobs.status_code, backend.environment.settings.projects) == (200, ())
