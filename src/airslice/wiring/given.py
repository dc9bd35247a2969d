"""What every part of the server is given: its configuration and its clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airslice.application.wall_clock import WallClock
from airslice.config import Settings
from airslice.domain.apps import RtcApp
from airslice.wiring.clock import SystemClock


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """Configuration and clocks; made by `given`."""

    settings: Settings
    apps: Mapping[str, RtcApp]
    """RTC applications, by id."""
    clock: SystemClock
    wall_clock: WallClock


def given(settings: Settings) -> Given:
    """Return what a server with `settings` gives its parts."""
    clock = SystemClock()
    return Given(
        settings=settings,
        apps={app.app_id: app for app in settings.apps},
        clock=clock,
        wall_clock=WallClock(clock),
    )
