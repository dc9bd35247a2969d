"""What a use case can find fault with, by names of our own; each façade has its wire's names.

Faults of a request's form are found by the façades, which name the field as it was sent.
"""

from __future__ import annotations

from enum import StrEnum


class SliceField(StrEnum):
    """What an order of slices or a callback setting can be refused for."""

    DURATION = "duration"
    BUSINESS = "business"
    CALLBACK_ADDRESS = "callback_address"
    CALLBACK_SECRET = "callback_secret"  # noqa: S105 - names one
    CALLBACK_EVENTS = "callback_events"


class LiveField(StrEnum):
    """What a live room, a live job, a command or a live platform can be refused for."""

    EVENTS_ADDRESS = "events_address"
    """Where the owner is told of a broadcast's events."""
    EVENTS_AUTH = "events_auth"
    PARAGRAPH = "paragraph"
    """The text of one paragraph."""
    TEXTS = "texts"
    """The texts of all paragraphs together."""
    RECORDINGS = "recordings"
    """The recordings of all paragraphs together."""
    SHARING = "sharing"
    SHARED_PROJECTS = "shared_projects"
    VERSION = "version"
    """The version of a room's script."""
    JUDGED_COMMAND = "judged_command"
    PLATFORM = "platform"
    PLATFORM_ADDRESS = "platform_address"
    PLATFORM_KEY = "platform_key"


class SessionField(StrEnum):
    """What a publisher, a listener or a player can be refused for."""

    ROOM = "room"
    HEARD_USER = "heard_user"
    """The one user whom a listener wants to hear."""
    PLAY_COMMAND = "play_command"
    PLAY_TIMING = "play_timing"
