from __future__ import annotations

from airslice.config import Settings
from airslice.wiring.environment import Environment


def test_an_environment_finds_applications_by_their_ids(settings: Settings) -> None:
    environment = Environment.of(settings)

    (app,) = settings.apps
    assert environment.settings is settings
    assert environment.apps == {app.app_id: app}


def test_the_wall_clock_is_that_of_the_clock(settings: Settings) -> None:
    environment = Environment.of(settings)

    before_ms = environment.clock.utc_ns() // 1_000_000
    now_ms = environment.wall_clock.utc_ms()

    assert before_ms <= now_ms <= environment.clock.utc_ns() // 1_000_000
