"""What the admin API takes and gives, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from airslice.domain import live_job, outbox
from airslice.domain.apps import RtcApp
from airslice.domain.room import StreamKey
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import DEFAULT_DURATION_S, DURATION_RANGE_S, SliceTask

StreamName = Literal["main", "screen"]


class Password(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody signs in with."""

    password: Annotated[str, Meta(max_length=1_024)]


class Session(Struct, frozen=True, kw_only=True):
    """Whether the caller may use the API."""

    signed_in: bool
    needs_password: bool


class App(Struct, frozen=True, kw_only=True):
    """An RTC application."""

    app_id: str
    account_id: str
    slice_format: str
    sample_rate_hz: int

    @classmethod
    def of(cls, app: RtcApp) -> App:
        """Show `app`, without its secrets."""
        return cls(
            app_id=app.app_id,
            account_id=app.account_id,
            slice_format=app.slice_format.value,
            sample_rate_hz=app.sample_rate_hz,
        )


class Apps(Struct, frozen=True, kw_only=True):
    """All RTC applications."""

    apps: list[App]


class User(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user that a token is for."""

    user_id: str


class Token(Struct, frozen=True, kw_only=True):
    """A room token, and where its user publishes."""

    token: str
    whip_path: str


class Stream(Struct, frozen=True, kw_only=True):
    """A stream that is being published."""

    user_id: str
    stream_type: StreamName

    @classmethod
    def of(cls, stream: StreamKey) -> Stream:
        """Show `stream`."""
        return cls(user_id=stream.user_id, stream_type=_stream_name(stream))


class TaskProblem(Struct, frozen=True, kw_only=True):
    """A running task whose bucket refuses its slices; they wait."""

    task_id: str
    problem: str


class Room(Struct, frozen=True, kw_only=True):
    """What happens in a room now."""

    streams: list[Stream]
    slicing: bool
    """Whether the task that the console started is active."""
    problems: list[TaskProblem]
    """Problems of all tasks that slice the room."""


class SlicingOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a room is to be sliced; the fields mean what StartSegment's Duration and Control do."""

    duration_s: Annotated[int, Meta(ge=DURATION_RANGE_S[0], le=DURATION_RANGE_S[-1])] = (
        DEFAULT_DURATION_S
    )
    align: bool = False
    mixed: bool = False
    ignore_silence: bool = False


class SlicingStarted(Struct, frozen=True, kw_only=True):
    """Whether an order has started a task."""

    started: bool
    """False if the task was active already; it goes on unchanged."""


class Slice(Struct, frozen=True, kw_only=True):
    """A finished slice."""

    task_id: str
    user_id: str
    stream_type: StreamName
    index: int
    start_ms: int
    """UTC, milliseconds since the Unix epoch."""
    duration_ms: int
    size_bytes: int
    sha256: str
    state: str
    bucket: str
    object_key: str
    url: str | None
    """Where the slice can be read for a while; null while it is not stored, or stored elsewhere."""

    @classmethod
    def of(cls, task: SliceTask, record: SliceRecord, url: str | None) -> Slice:
        """Show `record`, a slice of `task`."""
        return cls(
            task_id=task.key.task_id,
            user_id=record.stream.user_id,
            stream_type=_stream_name(record.stream),
            index=record.index,
            start_ms=record.start_ms,
            duration_ms=record.duration_ms,
            size_bytes=record.size_bytes,
            sha256=record.sha256,
            state=record.state.value,
            bucket=task.order.storage.bucket,
            object_key=record.object_key,
            url=url,
        )


class Slices(Struct, frozen=True, kw_only=True):
    """The latest slices of a room, newest first."""

    slices: list[Slice]


class Delivery(Struct, frozen=True, kw_only=True):
    """An upload or a callback that is still to be made, or was given up."""

    id: int
    kind: str
    """upload, callback or live_event"""
    state: str
    """held: waits for what comes before it in its lane. waiting: next in its lane. parked: tried
    in vain, and again when it is due, its lane goes on. dead: given up."""
    destination: str
    """The bucket, or the application or project whose receiver is called."""
    lane: str
    event_type: str | None
    event_id: str | None
    run_id: str | None
    """Run of the task whose slice it is; null for other events."""
    user_id: str | None
    index: int | None
    attempts: int
    due_ms: int
    """Time of the next try in UTC milliseconds since the Unix epoch; 0 means at once."""
    created_ms: int
    last_error: str

    @classmethod
    def of(cls, delivery: outbox.Delivery) -> Delivery:
        """Show `delivery`, without the event's data."""
        name, event = delivery.slice, delivery.event
        return cls(
            id=delivery.id,
            kind=delivery.kind.value,
            state=delivery.state.value,
            destination=delivery.destination,
            lane=delivery.lane,
            event_type=event.event_type if event else None,
            event_id=event.event_id if event else None,
            run_id=name.run_id if name else None,
            user_id=name.stream.user_id if name else None,
            index=name.index if name else None,
            attempts=delivery.attempts,
            due_ms=delivery.due_at_ms,
            created_ms=delivery.created_at_ms,
            last_error=delivery.last_error,
        )


class Deliveries(Struct, frozen=True, kw_only=True):
    """Deliveries in order of their ids."""

    deliveries: list[Delivery]


class Revived(Struct, frozen=True, kw_only=True):
    """How many deliveries get another round of tries."""

    revived: int


class BlockOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a live job is ended."""

    reason: Annotated[str, Meta(min_length=1, max_length=1_024)]
    """What the job's owner is told."""


class LiveJob(Struct, frozen=True, kw_only=True):
    """A virtual presenter's broadcast."""

    job_id: str
    project_id: str
    room_id: str
    room_name: str
    app_id: str
    rtc_room_id: str
    """RTC room in which the job is heard."""
    state: str
    created_ms: int
    """UTC, milliseconds since the Unix epoch; the other times too, which are 0 until they come."""
    started_ms: int
    ended_ms: int
    error: str
    """Why the job failed; empty if it did not."""
    block_reason: str

    @classmethod
    def of(cls, job: live_job.LiveJob) -> LiveJob:
        """Show `job`, without its script."""
        return cls(
            job_id=job.job_id,
            project_id=job.project_id,
            room_id=job.room_id,
            room_name=job.room_name,
            app_id=job.place.app_id,
            rtc_room_id=job.place.room_id,
            state=job.state.value,
            created_ms=job.created_at_ms,
            started_ms=job.started_at_ms,
            ended_ms=job.ended_at_ms,
            error=job.fault.message if job.fault else "",
            block_reason=job.block_reason,
        )


class LiveJobs(Struct, frozen=True, kw_only=True):
    """Live jobs of each project, its latest first."""

    jobs: list[LiveJob]


def _stream_name(stream: StreamKey) -> StreamName:
    return "screen" if stream.stream_type else "main"
