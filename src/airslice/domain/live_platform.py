"""Live platforms: systems of an owner's own that are asked for products and told of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class AccessType(StrEnum):
    """Whose interface a platform speaks."""

    MEITUAN_OFFICIAL = "MEITUAN_OFFICIAL"
    MSS_STANDARD = "MSS_STANDARD"
    """The one that any system can implement; all platforms made here do."""


class PlatformApi(StrEnum):
    """What a platform can be called for."""

    PRODUCT_QUERY = "PRODUCT_QUERY"
    LIVE_EVENT_CALLBACK = "LIVE_EVENT_CALLBACK"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformCallback:
    """Where a platform takes one kind of call."""

    api: PlatformApi
    url: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformDraft:
    """What a platform's owner gives."""

    name: str
    callbacks: tuple[PlatformCallback, ...]
    """Where calls go; of several addresses for one API, the last is kept."""
    key: str | None = field(default=None, repr=False)
    """Signs the calls; None keeps the former one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LivePlatform:
    """A platform as it stands now."""

    platform_id: str
    project_id: str
    name: str
    key: str = field(repr=False)
    callbacks: tuple[PlatformCallback, ...]
    """At most one for each API."""
    created_at_ms: int
    """UTC, milliseconds since the Unix epoch; so is `updated_at_ms`."""
    updated_at_ms: int
    access_type: AccessType = AccessType.MSS_STANDARD

    def url(self, api: PlatformApi) -> str | None:
        """Return where the platform takes calls of a kind; None: nowhere."""
        return next((callback.url for callback in self.callbacks if callback.api is api), None)


class Product(NamedTuple):
    """Something that a platform sells."""

    product_id: str
    title: str
