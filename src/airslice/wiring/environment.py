"""What every part of the server depends on: the configuration and the clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airslice.application.wall_clock import WallClock
from airslice.config import Settings
from airslice.domain.apps import RtcApp
from airslice.wiring.clock import SystemClock


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """The configuration and the clocks of one server."""

    settings: Settings
    apps: Mapping[str, RtcApp]
    """The RTC applications, by application id."""
    clock: SystemClock
    wall_clock: WallClock

    @classmethod
    def of(cls, settings: Settings) -> Environment:
        """Return the environment of a server with `settings`, on the machine's clocks."""
        clock = SystemClock()
        return cls(
            settings=settings,
            apps={app.app_id: app for app in settings.apps},
            clock=clock,
            wall_clock=WallClock(clock),
        )
