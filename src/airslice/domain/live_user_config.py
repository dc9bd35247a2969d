"""What a project has set for all its broadcasts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airslice.domain.owner_event import LiveCallback
from airslice.domain.script import LiveExit


class NotifyEvent(StrEnum):
    """What an owner is notified of."""

    AUTO_EXIT = "AUTO_EXIT"
    """A broadcast ended by itself."""


class NotifyAction(StrEnum):
    """How a list of events is changed."""

    ADD = "add"
    DELETE = "del"
    REPLACE = "replace"


@dataclass(frozen=True, kw_only=True, slots=True)
class NotifyChange:
    """A change of the events that an owner is notified of."""

    action: NotifyAction
    events: frozenset[NotifyEvent]

    def applied_to(self, events: frozenset[NotifyEvent]) -> frozenset[NotifyEvent]:
        """Return what `events` become."""
        if self.action is NotifyAction.ADD:
            return events | self.events
        if self.action is NotifyAction.DELETE:
            return events - self.events
        return self.events


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveUserConfig:
    """What holds where a room or job says nothing."""

    project_id: str
    exit: LiveExit | None = None
    callback: LiveCallback | None = None
    notify_events: frozenset[NotifyEvent] = frozenset()
