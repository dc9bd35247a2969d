"""How an operation is described, and what it is handed: the use cases, and the call for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_type_hints

from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.catalogue.interaction_rules import InteractionRules
from airslice.application.catalogue.live_commands import LiveCommands
from airslice.application.catalogue.live_platforms import LivePlatforms
from airslice.application.catalogue.live_rooms import LiveRooms
from airslice.application.catalogue.live_user_config import LiveUserConfigs
from airslice.application.catalogue.report_keys import ReportKeys
from airslice.domain.live_job import LiveJob, RtcUser
from airslice.domain.projects import Project
from airslice.facades.huawei.fields import Wire

Query = TypeVar("Query", covariant=True)
Body = TypeVar("Body", covariant=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class UseCases:
    """The use cases that the operations of this wire call."""

    rooms: LiveRooms
    jobs: LiveJobs
    commands: LiveCommands
    report_keys: ReportKeys
    rules: InteractionRules
    platforms: LivePlatforms
    user_configs: LiveUserConfigs


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFacts:
    """What a job is shown with beyond its own fields."""

    now_ms: int
    """UTC, milliseconds since the Unix epoch."""
    token: Callable[[LiveJob, RtcUser], tuple[str, int]]
    """Makes a user's token; also returns its end in seconds since the Unix epoch."""
    report_url: Callable[[LiveJob], str]
    """Returns the address that takes reports of what a job's audience does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call(Generic[Query, Body]):
    """A request that has been verified and read."""

    use_cases: UseCases
    project: Project
    ids: Mapping[str, str]
    """Ids in the path, by the names of their parameters."""
    query: Query
    body: Body
    facts: JobFacts
    """How this request's jobs are shown."""

    @property
    def project_id(self) -> str:
        """Id of the project that the objects belong to."""
        return self.project.project_id

    @property
    def job(self) -> tuple[str, str, str]:
        """Ids of the project, the live room and the live job that the path names."""
        return self.project_id, self.ids["room_id"], self.ids["job_id"]


class Shapes(NamedTuple):
    """The structs that an operation takes and gives."""

    query: type[Wire]
    body: type[Wire]
    gives: type[Wire]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how it is asked, who answers, and what."""

    name: str
    method: str
    path: str
    """Path below ``/v1/{project_id}``, with `{parameters}`."""
    run: Callable[[Call[Any, Any]], Awaitable[Wire]]
    """Answers a call; the first line of its docstring is the operation's summary."""
    status: int = 200
    """HTTP status of success."""
    per_second: int | None = None
    """How many requests a project may send in one second; None means any number."""

    @property
    def shapes(self) -> Shapes:
        """The structs that the operation takes and gives."""
        return shapes_of(self.run)


@cache
def shapes_of(run: Callable[..., Any]) -> Shapes:
    """Return the structs that an operation takes and gives, as its own signature names them."""
    hints = get_type_hints(run)
    query, body = get_args(hints["call"])
    return Shapes(query=query, body=body, gives=hints["return"])
