"""Which applications there are, and whose each of them is."""

from __future__ import annotations

from collections.abc import Mapping

from airslice.domain.apps import Account, RtcApp
from airslice.domain.errors import AppNotFound, AppNotOwned


def known_app(apps: Mapping[str, RtcApp], app_id: str) -> RtcApp:
    """Return an application.

    Raises:
        AppNotFound: there is no such application.
    """
    app = apps.get(app_id)
    if app is None:
        raise AppNotFound(f"there is no application {app_id}")
    return app


def owned_app(apps: Mapping[str, RtcApp], account: Account, app_id: str) -> RtcApp:
    """Return an application that must be the account's own.

    Raises:
        AppNotFound: there is no such application.
        AppNotOwned: it is another account's.
    """
    app = known_app(apps, app_id)
    if app.account_id != account.id:
        raise AppNotOwned(f"application {app_id} does not belong to account {account.id}")
    return app
