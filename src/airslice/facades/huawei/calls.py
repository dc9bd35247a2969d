"""What an operation is handed: the use cases, and the call that was read for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from airslice.application.live_ports import GroupQuery, JobQuery, Page, RoomQuery
from airslice.domain.interaction_rules import Rule, RuleGroup
from airslice.domain.live_callback import LiveCallback
from airslice.domain.live_command import CommandName, LiveCommand, LiveEvent
from airslice.domain.live_job import JobOrder, LiveJob, RtcUser
from airslice.domain.live_platform import AccessType, LivePlatform, PlatformDraft, Product
from airslice.domain.live_room import LiveRoom, LiveWarning, RoomDraft, TemplateOwner
from airslice.domain.live_user_config import LiveUserConfig, NotifyChange
from airslice.domain.projects import Project
from airslice.domain.script import JsonObject, LiveExit
from airslice.facades.huawei.jobs import JobFacts

Query = TypeVar("Query", covariant=True)
Body = TypeVar("Body", covariant=True)
ListedRoom = tuple[LiveRoom, LiveJob | None]


class LiveRooms(Protocol):
    """The use cases on rooms; each raises errors of `airslice.domain.errors`, as do all here."""

    async def create(self, project_id: str, draft: RoomDraft) -> LiveRoom:
        """Make a room."""

    async def show(self, project_id: str, room_id: str) -> LiveRoom:
        """Return a room of the project, or a template that it may use."""

    async def update(self, project_id: str, room_id: str, draft: RoomDraft) -> LiveRoom:
        """Replace what the owner gave."""

    async def remove(self, project_id: str, room_id: str) -> None:
        """Remove a room without running jobs."""

    async def list(self, project_id: str, query: RoomQuery) -> Page[ListedRoom]:
        """Return rooms of a project, each with its latest job."""

    async def templates(
        self, project_id: str, own: TemplateOwner, query: RoomQuery
    ) -> Page[ListedRoom]:
        """Return templates that a project has or may use."""

    async def confirm(
        self, project_id: str, room_id: str, *, confirmed: bool, script_version: str
    ) -> None:
        """Take a person's word on a room's script."""

    async def warnings(self, project_id: str, room_id: str) -> tuple[tuple[LiveWarning, ...], int]:
        """Return what should be better, and how many hours a broadcast may take; 0: any."""


class LiveJobs(Protocol):
    """The use cases on jobs."""

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


class RuleGroups(Protocol):
    """The use cases on libraries of interaction rules."""

    async def create_group(
        self, project_id: str, name: str, documents: Sequence[JsonObject] = ()
    ) -> RuleGroup:
        """Make a library."""

    async def show_group(self, project_id: str, group_id: str) -> RuleGroup:
        """Return a library."""

    async def list_groups(self, project_id: str, query: GroupQuery) -> Page[RuleGroup]:
        """Return libraries of a project."""

    async def update_group(
        self, project_id: str, group_id: str, name: str, documents: Sequence[JsonObject]
    ) -> RuleGroup:
        """Replace a library's name and rules."""

    async def remove_group(self, project_id: str, group_id: str) -> None:
        """Remove a library with its rules."""

    async def create_rule(self, project_id: str, group_id: str, document: JsonObject) -> Rule:
        """Add a rule to a library."""

    async def update_rule(
        self, project_id: str, group_id: str, rule_id: str, document: JsonObject
    ) -> Rule:
        """Replace a rule."""

    async def remove_rule(self, project_id: str, group_id: str, rule_id: str) -> None:
        """Remove a rule from a library."""


class LivePlatforms(Protocol):
    """The use cases on live platforms."""

    async def create(self, project_id: str, draft: PlatformDraft) -> LivePlatform:
        """Make a platform known."""

    async def show(self, project_id: str, platform_id: str) -> LivePlatform:
        """Return a platform."""

    async def list(
        self,
        project_id: str,
        *,
        access_type: AccessType | None = None,
        offset: int = 0,
        limit: int = 10,
    ) -> Page[LivePlatform]:
        """Return platforms of a project."""

    async def update(self, project_id: str, platform_id: str, draft: PlatformDraft) -> LivePlatform:
        """Replace what the owner gave."""

    async def remove(self, project_id: str, platform_id: str) -> None:
        """Forget a platform."""

    async def access_types(self, project_id: str, *, used_only: bool) -> tuple[AccessType, ...]:
        """Return the interfaces that there are, or those that platforms of a project have."""

    async def products(
        self, project_id: str, platform_id: str, live_id: str, *, offset: int, limit: int
    ) -> Page[Product]:
        """Ask a platform what it sells in a broadcast."""


class LiveUserConfigs(Protocol):
    """The use cases on what a project has set for all its broadcasts."""

    async def show(self, project_id: str) -> LiveUserConfig:
        """Return what is set."""

    async def update(
        self,
        project_id: str,
        *,
        live_exit: LiveExit | None = None,
        callback: LiveCallback | None = None,
        notify: NotifyChange | None = None,
    ) -> LiveUserConfig:
        """Change what is given."""


class LiveCommands(Protocol):
    """The use cases on what a broadcast is told."""

    async def execute(
        self, project_id: str, room_id: str, job_id: str, name: CommandName, params: JsonObject
    ) -> tuple[str, str]:
        """Take a command; return its id and its result."""

    async def insert_commands(
        self, project_id: str, room_id: str, job_id: str, *, offset: int, limit: int
    ) -> Page[LiveCommand]:
        """Return the insertions that wait for their turn."""

    async def rule_commands(
        self, project_id: str, job_id: str | None, *, offset: int, limit: int
    ) -> Page[LiveCommand]:
        """Return the rules that wait for a person's word."""

    async def script_commands(
        self, project_id: str, job_id: str | None, *, offset: int, limit: int
    ) -> Page[LiveCommand]:
        """Return the scripts that wait for a person's word."""

    async def confirm(
        self,
        project_id: str,
        room_id: str,
        job_id: str,
        *,
        name: CommandName,
        command_ids: frozenset[str],
        confirmed: bool,
    ) -> None:
        """Take a person's word on commands; without ids, on all that wait."""

    async def report_events(
        self, project_id: str, room_id: str, job_id: str, events: tuple[LiveEvent, ...]
    ) -> None:
        """Take what the audience did."""

    def report_key(self, job: LiveJob) -> tuple[str, int]:
        """Make the key of a job's report address; also return its end, Unix milliseconds."""

    def check_report_key(
        self, project_id: str, room_id: str, job_id: str, *, key: str, expires_at_ms: int
    ) -> None:
        """Refuse a key that is wrong or has expired, by raising ReportKeyRefused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UseCases:
    """What is behind the operations."""

    rooms: LiveRooms
    jobs: LiveJobs
    commands: LiveCommands
    rules: RuleGroups
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
