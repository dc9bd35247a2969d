"""What an operation is handed: the use cases, and the call that was read for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from airslice.application.catalogue.interaction_rules import InteractionRules
from airslice.application.catalogue.live_commands import LiveCommands
from airslice.application.catalogue.live_platforms import LivePlatforms
from airslice.application.catalogue.live_rooms import LiveRooms
from airslice.application.catalogue.live_user_config import LiveUserConfigs
from airslice.application.catalogue.report_keys import ReportKeys
from airslice.application.ports.live import JobQuery, Page
from airslice.domain.live_job import JobOrder, LiveJob, RtcUser
from airslice.domain.live_room import LiveRoom
from airslice.domain.projects import Project
from airslice.facades.huawei.jobs import JobFacts

Query = TypeVar("Query", covariant=True)
Body = TypeVar("Body", covariant=True)
ListedRoom = tuple[LiveRoom, LiveJob | None]


class LiveJobs(Protocol):
    """The use cases on jobs (`application.live_jobs`), as far as they are asked for here."""

    async def start(self, project: Project, room_id: str, order: JobOrder) -> LiveJob:
        """Start a job."""

    async def stop(self, project_id: str, room_id: str, job_id: str) -> None:
        """End a job."""

    async def show(self, project_id: str, room_id: str, job_id: str) -> LiveJob:
        """Return a job."""

    async def list(self, project_id: str, query: JobQuery) -> Page[LiveJob]:
        """Return jobs of a project."""

    def token(self, job: LiveJob, user: RtcUser) -> tuple[str, int]:
        """Make a token for a user of a job's RTC room; also return its end, Unix seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UseCases:
    """What is behind the operations."""

    rooms: LiveRooms
    jobs: LiveJobs
    commands: LiveCommands
    report_keys: ReportKeys
    rules: InteractionRules
    platforms: LivePlatforms
    user_configs: LiveUserConfigs


@dataclass(frozen=True, kw_only=True, slots=True)
class Call(Generic[Query, Body]):
    """A request that has been verified and read."""

    project: Project
    ids: Mapping[str, str]
    """Those in the path, by their names."""
    query: Query
    body: Body
    facts: JobFacts
    """How this request's jobs are shown."""

    @property
    def project_id(self) -> str:
        """Whose the objects are."""
        return self.project.project_id
