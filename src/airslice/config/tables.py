"""The whole configuration file, and those of its tables whose settings have other names inside.

The sections that are taken as they are written are in `settings`, accounts and users in `domain`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from airslice.config import texts
from airslice.config.settings import Presenter, Security, Server, Slicing, Storage
from airslice.domain.apps import Account, AutoSlice, RtcApp, SliceFormat
from airslice.domain.callback import SEGMENT_EVENT
from airslice.domain.projects import Project, ProjectUser
from airslice.domain.slice_task import DEFAULT_DURATION_S, DURATION_RANGE_S
from airslice.facades.volcengine.storage_config import ChosenStorage

EventType = Annotated[str, Meta(pattern="^[A-Za-z0-9_]{1,64}$")]
DurationS = Annotated[int, Meta(ge=DURATION_RANGE_S[0], le=DURATION_RANGE_S[-1])]


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoSliceTable:
    """[apps.auto_slice]"""

    enabled: bool = False
    duration: DurationS = DEFAULT_DURATION_S
    storage: ChosenStorage | None = None
    """Is written and checked like the StorageConfig of StartSegment."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the setting that is missing, and what is wrong."""
        if self.enabled and self.storage is None:
            yield "storage", "is missing: where do the slices go?"

    def auto_slice(self) -> AutoSlice | None:
        """Return how every user is sliced; None if nobody is."""
        if not self.enabled or self.storage is None:
            return None
        return AutoSlice(duration_s=self.duration, storage=self.storage.target())


@dataclass(frozen=True, kw_only=True, slots=True)
class AppTable:
    """[[apps]]"""

    app_id: Annotated[str, texts.app_id]
    app_key: str = field(repr=False)
    account: str
    callback_url: Annotated[str, texts.http_url] | None = None
    callback_secret: str = field(default="", repr=False)
    callback_events: tuple[EventType, ...] = (SEGMENT_EVENT,)
    slice_format: SliceFormat = SliceFormat.WAV
    sample_rate: Literal[8_000, 16_000, 24_000, 48_000] = 16_000
    auto_slice: AutoSliceTable = field(default_factory=AutoSliceTable)

    def app(self) -> RtcApp:
        """Return the application that the table describes."""
        return RtcApp(
            app_id=self.app_id,
            app_key=self.app_key,
            account_id=self.account,
            callback_url=self.callback_url,
            callback_secret=self.callback_secret,
            callback_events=tuple(dict.fromkeys(self.callback_events)),
            slice_format=self.slice_format,
            sample_rate_hz=self.sample_rate,
            auto_slice=self.auto_slice.auto_slice(),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectTable:
    """[[projects]]"""

    project_id: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    account: str
    app_id: str
    name: str = ""
    users: tuple[ProjectUser, ...] = ()

    def project(self) -> Project:
        """Return the project that the table describes."""
        return Project(
            project_id=self.project_id,
            account_id=self.account,
            app_id=self.app_id,
            name=self.name,
            users=self.users,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The whole file."""

    server: Server
    slicing: Slicing = field(default_factory=Slicing)
    accounts: tuple[Account, ...] = ()
    apps: tuple[AppTable, ...] = ()
    projects: tuple[ProjectTable, ...] = ()
    storage: Storage = field(default_factory=Storage)
    presenter: Presenter = field(default_factory=Presenter)
    security: Security = field(default_factory=Security)
