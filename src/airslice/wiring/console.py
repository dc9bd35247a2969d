"""The console and the admin API."""

from __future__ import annotations

from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.console import RoomConsole
from airslice.application.delivery.deliveries import Deliveries
from airslice.facades.console.access import AdminAccess
from airslice.facades.console.facade import ConsoleFacade
from airslice.facades.console.room_operations import ConsoleServices
from airslice.storage.signed_url import UrlSigner
from airslice.wiring.backend import Backend


def console_of(backend: Backend, live_jobs: LiveJobs) -> ConsoleFacade:
    """Return the façade of the console and the admin API."""
    environment, settings = backend.environment, backend.environment.settings
    server = settings.server
    console = RoomConsole(
        rooms=backend.slicing.rooms,
        wall_clock=environment.wall_clock,
        signer=UrlSigner(server.master_key),
    )
    services = ConsoleServices(
        apps=settings.apps,
        accounts=settings.accounts,
        tasks=backend.slicing.tasks,
        slices=backend.storage.tasks,
        deliveries=Deliveries(backend.delivery.outbox, backend.delivery.courier),
        live_jobs=live_jobs,
        project_ids=[project.project_id for project in settings.projects],
        rooms=console,
    )
    access = AdminAccess(
        password=server.admin_password, master_key=server.master_key, clock=environment.clock
    )
    return ConsoleFacade(services, access)
