"""What smart live needs from the outside, one small Protocol per need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from airslice.domain.interaction_rules import RuleGroup
from airslice.domain.live_command import AudienceEvent, CommandName, CommandState, LiveCommand
from airslice.domain.live_job import JobState, LiveJob
from airslice.domain.live_platform import LivePlatform, Product
from airslice.domain.live_room import ConfirmState, LiveRoom, LiveRoomType, TemplateOwner
from airslice.domain.live_user_config import LiveUserConfig
from airslice.domain.script import JsonObject, LiveExit
from airslice.domain.sentences import Utterance as Utterance

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list."""

    count: int
    """How many items the whole list has."""
    items: tuple[T, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Which part of a list is wanted."""

    offset: int = 0
    limit: int = 10
    """1 to 100."""
    created_since_ms: int | None = None
    """UTC, milliseconds since the Unix epoch; inclusive, as is `created_until_ms`."""
    created_until_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobQuery:
    """Which jobs of a project are wanted, and in which order."""

    window: Window = Window()
    room_id: str | None = None
    room_name: str = ""
    """A part of the room's name; empty: any."""
    states: frozenset[JobState] = frozenset()
    """The states of the jobs that are wanted; empty: all."""
    by_update: bool = False
    """Ordered by the latest change instead of the creation."""
    descending: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomQuery:
    """Which rooms are wanted, the latest changed first."""

    window: Window = Window()
    name: str = ""
    """A part of the name; empty: any."""
    dh_id: str = ""
    model_name: str = ""
    """A part of a scene's model; empty: any."""
    last_job_states: frozenset[JobState | None] = frozenset()
    """States of a room's latest job, None for rooms without one; empty: all rooms."""
    last_job_since_ms: int | None = None
    last_job_until_ms: int | None = None
    types: frozenset[LiveRoomType] = frozenset()
    confirm_state: ConfirmState | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupQuery:
    """Which groups of rules are wanted, the earliest created first."""

    window: Window = Window()
    name: str = ""
    """A part of the name; empty: any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandQuery:
    """Which commands of a project are wanted, the earliest first."""

    names: frozenset[CommandName]
    job_id: str | None = None
    offset: int = 0
    limit: int = 10
    """1 to 100."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnerWords:
    """What the documents say that are kept in owners' own words; the façade knows their keys."""

    private_extras: frozenset[str]
    """Extras of a shared template that are its owner's alone."""
    job_extras: frozenset[str]
    """Extras that the start of a job can override in its room."""
    platform_id: Callable[[JsonObject], str]
    """Returns the live platform that a room's extras link it to; empty: none."""
    answers_comments: Callable[[JsonObject], bool]
    """Whether an interaction rule is on, and fired by a comment."""


class LiveJobStore(Protocol):
    """Remembers live jobs. Their creation's time, project and room never change."""

    async def save_job(self, job: LiveJob) -> None:
        """Insert or replace a job."""

    async def find_job(self, project_id: str, job_id: str) -> LiveJob | None:
        """Return a job of a project."""

    async def jobs(self, project_id: str, query: JobQuery) -> Page[LiveJob]:
        """Return jobs of a project, without their programs (`Program()` stands for each).

        Names are compared without regard to case. Jobs of the same time are in the order in which
        they were saved first; descending is the reverse of ascending.
        """

    async def unfinished_jobs(self) -> list[LiveJob]:
        """Return all jobs that are not in a final state, oldest first."""

    async def has_unfinished_job(self, room_id: str) -> bool:
        """Whether a room has a job that is not in a final state."""


class LiveRoomStore(Protocol):
    """Remembers live rooms. Their creation's time and project never change."""

    async def save_room(self, room: LiveRoom) -> None:
        """Insert or replace a room."""

    async def find_room(self, room_id: str) -> LiveRoom | None:
        """Return a room, whosever it is."""

    async def remove_room(self, room_id: str) -> None:
        """Remove a room; there need not be one. Its jobs stay."""

    async def rooms(
        self, project_id: str, query: RoomQuery
    ) -> Page[tuple[LiveRoom, LiveJob | None]]:
        """Return rooms of a project, each with its latest created job.

        The scenes come without paragraphs, the jobs without programs. A job's time is that of its
        creation. Names are compared without regard to case.
        """

    async def templates(
        self, project_id: str, owner: TemplateOwner, query: RoomQuery, *, now_ms: int
    ) -> Page[tuple[LiveRoom, LiveJob | None]]:
        """Return the templates that a project owns or can use now, as `rooms` does.

        A template has no job.
        """

    async def count_rooms(self, project_id: str) -> int:
        """Return how many rooms a project has."""


class RuleGroupStore(Protocol):
    """Remembers groups of interaction rules."""

    async def save_group(self, group: RuleGroup) -> None:
        """Insert or replace a group, with all its rules."""

    async def find_group(self, project_id: str, group_id: str) -> RuleGroup | None:
        """Return a group of a project."""

    async def remove_group(self, project_id: str, group_id: str) -> None:
        """Remove a group; there need not be one."""

    async def groups(self, project_id: str, query: GroupQuery) -> Page[RuleGroup]:
        """Return groups of a project, without their rules.

        Names are compared without regard to case.
        """


class LivePlatformStore(Protocol):
    """Remembers live platforms."""

    async def save_platform(self, platform: LivePlatform) -> None:
        """Insert or replace a platform."""

    async def find_platform(self, project_id: str, platform_id: str) -> LivePlatform | None:
        """Return a platform of a project."""

    async def remove_platform(self, project_id: str, platform_id: str) -> None:
        """Remove a platform; there need not be one."""

    async def platforms(self, project_id: str) -> list[LivePlatform]:
        """Return all platforms of a project, the earliest created first."""


class LiveUserConfigStore(Protocol):
    """Remembers what projects have set for all their broadcasts."""

    async def save_config(self, config: LiveUserConfig) -> None:
        """Insert or replace the setting of a project."""

    async def find_config(self, project_id: str) -> LiveUserConfig | None:
        """Return the setting of a project."""


class LiveCommandStore(Protocol):
    """Remembers commands, and what the audience of a broadcast did."""

    async def add_command(self, command: LiveCommand) -> None:
        """Insert a command."""

    async def queued_commands(self, project_id: str, query: CommandQuery) -> Page[LiveCommand]:
        """Return commands of a project that are queued."""

    async def count_commands(self, job_id: str) -> int:
        """Return how many commands a job has taken, whatever became of them."""

    async def settle_commands(
        self,
        job_id: str,
        names: frozenset[CommandName],
        command_ids: frozenset[str],
        state: CommandState,
    ) -> None:
        """Move queued commands of a job to `state`; without ids, all of these names."""

    async def remove_queued_commands(
        self, job_id: str, names: frozenset[CommandName], command_ids: frozenset[str]
    ) -> None:
        """Remove queued commands of a job; without ids, all of these names."""

    async def add_events(
        self, job_id: str, events: tuple[AudienceEvent, ...], *, keep: int
    ) -> None:
        """Append events, and forget all but the latest `keep` of the job."""

    async def events(self, job_id: str) -> list[AudienceEvent]:
        """Return the events that are remembered of a job, the first added first."""


class JobExits(Protocol):
    """Changes when a broadcast ends by itself, while it is on air."""

    async def reset_exit(self, job_id: str, live_exit: LiveExit) -> None:
        """Take `live_exit` for a job's own from now on, and remember it.

        Raises:
            LiveJobFinished: the job has ended.
        """


class PlatformProducts(Protocol):
    """Asks live platforms what they sell."""

    async def products(
        self, url: str, key: str, *, live_id: str, offset: int, limit: int
    ) -> Page[Product]:
        """Return products of a broadcast on a platform.

        Args:
            url: Where the platform takes the question.
            key: Signs it.
            live_id: The platform's id of the broadcast.
            offset: How many to leave out.
            limit: How many to return at most.

        Raises:
            LivePlatformFailed: there is no answer, or none that can be read.
        """


class SpeechFailed(Exception):
    """A speech engine or a recording's source could not deliver; the message is for the owner."""


class SpeechRefused(SpeechFailed):
    """A speech engine or a recording's source refuses for good: asking again is of no use."""


class RecordingNotFound(SpeechRefused):
    """There is no recording where one should be."""


class SpeechEngine(Protocol):
    """Turns text into speech."""

    async def speak(self, utterance: Utterance) -> bytes:
        """Return the speech, with the voice's speed, pitch and volume, without the pause.

        Returns:
            PCM at `SPEECH_RATE_HZ`, without long silence around it; empty for a text that has
            nothing to say.

        Raises:
            SpeechFailed: it cannot be made.
            SpeechRefused: it never can.
        """


class Recordings(Protocol):
    """Fetches recordings."""

    async def fetch(self, url: str) -> bytes:
        """Return what an MP3 at a public URL sounds like: PCM at `SPEECH_RATE_HZ`.

        Raises:
            SpeechFailed: it cannot be had now.
            SpeechRefused: it must not be fetched, is too large, too long or no MP3.
            RecordingNotFound: there is none.
        """

    async def asset(self, project_id: str, asset_id: str) -> bytes:
        """Return what an MP3 sounds like that a project keeps on this server, as `fetch` does.

        Raises:
            SpeechRefused: it is too long or no MP3.
            RecordingNotFound: there is none.
        """
