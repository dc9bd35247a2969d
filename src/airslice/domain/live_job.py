"""Live jobs: a presenter's broadcasts, from their start to their end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from airslice.domain.owner_event import LiveCallback
from airslice.domain.players import RtcNotice
from airslice.domain.script import Cursor, JsonObject, Program


class JobState(StrEnum):
    """Where a job is in its life."""

    WAITING = "WAITING"
    """Recorded; its first speech is being made, or a command to play is awaited."""
    PROCESSING = "PROCESSING"
    """On air."""
    SUCCEED = "SUCCEED"
    FAILED = "FAILED"
    BLOCKED = "BLOCKED"


class JobEvent(StrEnum):
    """What happens to a job."""

    WENT_ON_AIR = "went_on_air"
    STOP_REQUESTED = "stop_requested"
    SCRIPT_ENDED = "script_ended"
    TIME_LIMIT_REACHED = "time_limit_reached"
    BROKE = "broke"
    BLOCKED = "blocked"


TRANSITIONS: Mapping[tuple[JobState, JobEvent], JobState] = {
    (JobState.WAITING, JobEvent.WENT_ON_AIR): JobState.PROCESSING,
    (JobState.WAITING, JobEvent.STOP_REQUESTED): JobState.SUCCEED,
    (JobState.WAITING, JobEvent.BROKE): JobState.FAILED,
    (JobState.WAITING, JobEvent.BLOCKED): JobState.BLOCKED,
    (JobState.PROCESSING, JobEvent.STOP_REQUESTED): JobState.SUCCEED,
    (JobState.PROCESSING, JobEvent.SCRIPT_ENDED): JobState.SUCCEED,
    (JobState.PROCESSING, JobEvent.TIME_LIMIT_REACHED): JobState.SUCCEED,
    (JobState.PROCESSING, JobEvent.BROKE): JobState.FAILED,
    (JobState.PROCESSING, JobEvent.BLOCKED): JobState.BLOCKED,
}

FINAL_STATES = frozenset({JobState.SUCCEED, JobState.FAILED, JobState.BLOCKED})


class IllegalJobTransition(Exception):
    """An event that means nothing in the job's current state; the job is unchanged."""


class RtcUserKind(StrEnum):
    """What a user of the job's RTC room does there."""

    RENDER = "RENDER"
    """Publishes the presenter."""
    PLAYER = "PLAYER"
    """Listens."""
    CAPTURE = "CAPTURE"
    """Publishes a person's camera and microphone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RtcUser:
    """A user allocated in the job's RTC room."""

    kind: RtcUserKind
    user_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RtcPlace:
    """Where a broadcast can be heard."""

    app_id: str
    room_id: str
    """The id of the RTC room, which is not the live room."""
    users: tuple[RtcUser, ...]

    def user_id(self, kind: RtcUserKind) -> str:
        """Return the id of the user of a kind.

        Raises:
            KeyError: none was allocated.
        """
        for user in self.users:
            if user.kind is kind:
                return user.user_id
        raise KeyError(kind)


class FaultKind(StrEnum):
    """What can make a job fail."""

    INTERNAL = "internal"
    """A mistake of the server's."""
    NO_PLACE = "no_place"
    """The RTC room takes no more publishers."""
    SENT_OUT = "sent_out"
    """The presenter was sent out of its RTC room."""
    NO_RECORDING = "no_recording"
    """A recording is not where the script says."""
    NO_SPEECH = "no_speech"
    """Speech cannot be made, or a recording cannot be fetched."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFault:
    """Why a job failed."""

    kind: FaultKind
    message: str
    """For the job's owner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOrder:
    """What the start of a job adds to its room, or overrides; None keeps the room's."""

    program: Program | None = None
    """Its scenes are empty where only the policy is given: the room's are kept."""
    callback: LiveCallback | None = None
    rtc_notices: tuple[RtcNotice, ...] | None = None
    single_job_in_room: bool = False
    extras: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveJob:
    """A job as it stands now. All times are UTC, milliseconds since the Unix epoch."""

    job_id: str
    project_id: str
    room_id: str
    room_name: str
    program: Program
    place: RtcPlace
    created_at_ms: int
    updated_at_ms: int
    state: JobState = JobState.WAITING
    cursor: Cursor = field(default_factory=Cursor)
    is_paused: bool = False
    """Whether a command has paused it: after a restart it waits for another one."""
    started_at_ms: int = 0
    """When the job went on air; 0 before that."""
    ended_at_ms: int = 0
    """When the job ended; 0 before that."""
    on_air_ms: int = 0
    """How long it has been on air until `updated_at_ms`; time in which the server was down is not
    counted."""
    fault: JobFault | None = None
    block_reason: str = ""
    callback: LiveCallback | None = None
    rtc_notices: tuple[RtcNotice, ...] = (RtcNotice.LIVE_PROGRESS,)
    extras: JsonObject = field(default_factory=dict)

    def after(self, event: JobEvent, *, at_ms: int) -> LiveJob:
        """Return the job as it is after `event`, which happened at `at_ms`.

        Raises:
            IllegalJobTransition: `event` means nothing in the current state.
        """
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise IllegalJobTransition(f"{event} while {self.state}")
        began = event is JobEvent.WENT_ON_AIR
        return replace(
            self,
            state=state,
            updated_at_ms=at_ms,
            started_at_ms=at_ms if began else self.started_at_ms,
            ended_at_ms=at_ms if state in FINAL_STATES else self.ended_at_ms,
        )

    def on_air_for(self, now_ms: int) -> int:
        """Return how long the job has been on air at `now_ms` (UTC), in milliseconds."""
        if self.state is not JobState.PROCESSING:
            return self.on_air_ms
        return self.on_air_ms + max(0, now_ms - self.updated_at_ms)


def rtc_place(app_id: str, job_id: str, *, has_capture: bool) -> RtcPlace:
    """Return where the broadcast of a job is heard: a room, and users in it, of its own.

    Args:
        app_id: The RTC application.
        job_id: The job; together with a prefix it must be a valid id of a room.
        has_capture: Whether a user is allocated for a client with a camera.
    """
    kinds = [RtcUserKind.RENDER, RtcUserKind.PLAYER]
    if has_capture:
        kinds.append(RtcUserKind.CAPTURE)
    # Users are named after the job too: a ban of a user may hold in all rooms of an application.
    users = tuple(RtcUser(kind=kind, user_id=f"{kind.lower()}-{job_id}") for kind in kinds)
    return RtcPlace(app_id=app_id, room_id=f"live-{job_id}", users=users)
