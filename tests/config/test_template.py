from __future__ import annotations

from collections.abc import Callable

from airslice.config import Settings, fresh_config
from tests.support.values.minimal_config import MINIMAL

Load = Callable[..., Settings]
Refused = Callable[..., list[str]]


def test_a_fresh_configuration_is_right_and_like_no_other(load_text: Load) -> None:
    settings, other = load_text(fresh_config()), load_text(fresh_config())

    assert settings.server.master_key != other.server.master_key
    assert settings.server.admin_password != other.server.admin_password
    assert settings.accounts[0].secret_key != other.accounts[0].secret_key
    assert settings.apps[0].app_key != other.apps[0].app_key
    assert len(settings.apps[0].app_id) == 24


def test_a_fresh_configuration_says_the_defaults(load_text: Load) -> None:
    fresh, minimal = load_text(fresh_config()), load_text(MINIMAL)

    assert fresh.slicing == minimal.slicing
    assert fresh.storage == minimal.storage
    assert fresh.presenter == minimal.presenter
    assert fresh.security == minimal.security
    assert (fresh.server.http, fresh.server.media) == (minimal.server.http, minimal.server.media)
    assert fresh.apps[0].auto_slice is None
