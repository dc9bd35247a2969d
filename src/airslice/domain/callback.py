"""Callbacks: what is told to an application's owner, and to whom."""

from __future__ import annotations

from dataclasses import dataclass, field

TRY_TIMEOUT_S = 5.0
"""How long a receiver has for its answer, in seconds (https://www.volcengine.com/docs/6348/75110)."""

SEGMENT_EVENT = "SegmentRealTimeData"
"""EventType of the event that announces a slice (https://www.volcengine.com/docs/6348/75125)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackEvent:
    """One event, equal over all its tries."""

    event_type: str
    event_id: str
    """Receivers drop repetitions by it."""
    app_id: str
    """Whose event it is: an RTC application's, or that of the project of a live job."""
    version: str
    """API version whose event this is."""
    time_ms: int
    """When it happened: UTC, milliseconds since the Unix epoch."""
    data: str = field(repr=False)
    """The facts, as JSON text: receivers get, and verify, exactly these characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackReceiver:
    """Where events are posted, and what signs them."""

    url: str = field(repr=False)
    """Not shown: it may hold a secret in its path or query."""
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackSetting:
    """Who is told of which events of an application, or of one business in it."""

    app_id: str
    business_id: str
    """The business; empty: the setting is that of the application as a whole."""
    receiver: CallbackReceiver
    event_types: tuple[str, ...]
    """The EventTypes that are subscribed to."""
    created_at_ms: int
    """UTC, milliseconds since the Unix epoch; so is `updated_at_ms`."""
    updated_at_ms: int
