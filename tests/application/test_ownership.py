from __future__ import annotations

from dataclasses import replace

import pytest

from airslice.application.ownership import known_app, owned_app
from airslice.domain.errors import AppNotFound, AppNotOwned
from tests.support.stages.stage import ACCOUNT, APP

APPS = {APP.app_id: APP}


def test_an_application_is_found_by_its_id() -> None:
    assert known_app(APPS, APP.app_id) is APP
    with pytest.raises(AppNotFound, match="there is no application nowhere"):
        known_app(APPS, "nowhere")


def test_only_its_account_has_an_application() -> None:
    assert owned_app(APPS, ACCOUNT, APP.app_id) is APP
    with pytest.raises(AppNotOwned, match="does not belong to account another"):
        owned_app(APPS, replace(ACCOUNT, id="another"), APP.app_id)
    with pytest.raises(AppNotFound):
        owned_app(APPS, ACCOUNT, "nowhere")
