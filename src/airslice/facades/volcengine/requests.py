"""Wire structs of requests, one per operation and version, and what they mean to us.

Source: https://www.volcengine.com/docs/6348/1188212, /1188222, /1188221, /1188227 (2023-11-01),
/155129 to /155131 and /204055 (2022-06-01), /70471, /129247 and /70473 (2020-12-01).
"""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec

from airslice.domain.errors import InvalidInput
from airslice.domain.room import StreamKey, StreamType
from airslice.domain.slice_task import (
    DEFAULT_DURATION_S,
    DEFAULT_MAX_IDLE_S,
    DURATION_RANGE_S,
    MAX_IDLE_RANGE_S,
    MAX_STREAMS,
    SliceControl,
    StreamTarget,
    TaskChange,
    TaskKey,
    TaskOrder,
)
from airslice.domain.storage_target import StorageTarget
from airslice.facades.http.refusals import Refusal
from airslice.facades.volcengine import errors
from airslice.facades.volcengine.fields import (
    REQUIRED,
    Id,
    Int32,
    RequiredId,
    documented,
    in_range,
    optional_id,
    required_app_id,
    required_id,
    required_room_id,
    within,
)
from airslice.facades.volcengine.storage_config import ChosenStorage, UserTosConfig

LENIENT_VERSIONS = frozenset({"2020-12-01", "2022-06-01"})
"""Versions in which an illegal MaxIdleTime or Duration means the default (docs/6348/155129)."""

DurationS = Annotated[Int32, within(DURATION_RANGE_S)]
MaxIdleS = Annotated[Int32, within(MAX_IDLE_RANGE_S, default=DEFAULT_MAX_IDLE_S)]


class Stream(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """A stream to be sliced."""

    index: Int32 | None = None
    user_id: RequiredId | None = None
    stream_type: Annotated[Int32, documented(enum=list(StreamType))] | None = None


class TargetStreams(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """The streams to be sliced; an empty list means all."""

    stream_list: Annotated[list[Stream], documented(maxItems=MAX_STREAMS)] | None = None

    def targets(self) -> tuple[StreamTarget, ...]:
        """Return the listed streams, each once: the first entry of a stream counts."""
        streams = self.stream_list or []
        path = "TargetStreams.StreamList"
        if len(streams) > MAX_STREAMS:
            raise InvalidInput(path, f"must have at most {MAX_STREAMS} entries")
        targets: dict[StreamKey, StreamTarget] = {}
        indexes: set[int] = set()
        for position, stream in enumerate(streams):
            entry = f"{path}[{position}]"
            user_id = required_id(f"{entry}.UserId", stream.user_id, missing=errors.NO_USER_ID)
            if (stream.stream_type or 0) not in tuple(StreamType):
                raise InvalidInput(f"{entry}.StreamType", "must be 0 (main) or 1 (screen)")
            if stream.index in indexes:
                raise InvalidInput(f"{entry}.Index", "must be unique in the list")
            if stream.index is not None:
                indexes.add(stream.index)
            key = StreamKey(user_id, StreamType(stream.stream_type or 0))
            targets.setdefault(key, StreamTarget(stream=key, index=stream.index))
        return tuple(targets.values())


class Control(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """How slices are cut."""

    align: bool | None = None
    mixed: bool | None = None
    ignore_silence: bool | None = None
    redundant_duration: Annotated[Int32, documented(minimum=0)] | None = None

    def slice_control(self, *, duration_s: int, redundant_unit_ms: int) -> SliceControl:
        """Return the domain's value; `redundant_unit_ms` is what RedundantDuration counts."""
        redundant = self.redundant_duration or 0
        if not 0 <= redundant * redundant_unit_ms < duration_s * 1000:
            raise InvalidInput("Control.RedundantDuration", "must be from 0 to under Duration")
        return SliceControl(
            align=bool(self.align),
            mixed=bool(self.mixed),
            ignore_silence=bool(self.ignore_silence),
            redundant_ms=redundant * redundant_unit_ms,
            redundant_duration=redundant,
        )


class StorageConfig(ChosenStorage, rename="pascal", frozen=True, kw_only=True):
    """Where slices go; VodConfig and VeImageXConfig cannot be chosen and are not read."""

    control: Control | None = None
    """A control that belongs to the top level; the official example of 2023-11-01 has it here."""


class TaskRequest(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """Names a task, which is all that StopSegment and GetSegmentTask say."""

    app_id: RequiredId | None = None
    room_id: RequiredId | None = None
    task_id: RequiredId | None = None

    def key(self) -> TaskKey:
        """Return the task's key."""
        return TaskKey(
            app_id=required_app_id(self.app_id),
            room_id=required_room_id(self.room_id),
            task_id=required_id("TaskId", self.task_id),
        )


class UpdateSegment(TaskRequest, rename="pascal", frozen=True, kw_only=True):
    """Body of UpdateSegment: absent fields stay as they are; StartSegment's others are not read."""

    identifier: Id | None = None
    handle: bool | None = None
    duration: DurationS | None = None

    def change(self, version: str) -> TaskChange:
        """Return the change that is asked for."""
        return TaskChange(
            identifier=optional_id("Identifier", self.identifier),
            handle=self.handle,
            duration_s=None if self.duration is None else _duration_s(self.duration, version),
        )


class StartSegment(TaskRequest, rename="pascal", frozen=True, kw_only=True):
    """What the body of StartSegment has in every version; the versions differ in the storage."""

    business_id: Id | None = None
    max_idle_time: MaxIdleS | None = None
    target_streams: TargetStreams | None = None
    duration: Annotated[DurationS, documented(default=DEFAULT_DURATION_S)] | None = None
    control: Control | None = None
    identifier: Id | None = None
    handle: bool | None = None

    def task_order(
        self,
        version: str,
        *,
        storage: StorageTarget,
        control: Control | None,
        redundant_unit_ms: int,
    ) -> TaskOrder:
        """Return the task that is asked for, with the storage and control of the version."""
        duration_s = _duration_s(self.duration, version)
        return TaskOrder(
            key=self.key(),
            api_version=version,
            business_id=optional_id("BusinessId", self.business_id) or "",
            max_idle_s=_max_idle_s(self.max_idle_time, version),
            targets=self.target_streams.targets() if self.target_streams else (),
            duration_s=duration_s,
            storage=storage,
            control=(control or Control()).slice_control(
                duration_s=duration_s, redundant_unit_ms=redundant_unit_ms
            ),
            identifier=optional_id("Identifier", self.identifier) or str(uuid.uuid4()),
            handle=self.handle is not False,
        )


class StartSegment20201201(StartSegment, rename="pascal", frozen=True, kw_only=True):
    """Body of StartSegment 2020-12-01, whose storage is TOS."""

    tos_config: Annotated[UserTosConfig, REQUIRED] | None = None

    def order(self, version: str, *, redundant_unit_ms: int) -> TaskOrder:
        """Return the task that is asked for."""
        self.key()  # a request without ids is told so first
        if self.tos_config is None:
            raise Refusal(errors.MISSING_PARAMETER, "TosConfig")
        return self.task_order(
            version,
            storage=self.tos_config.target(),
            control=self.control,
            redundant_unit_ms=redundant_unit_ms,
        )


class StartSegment20220601(StartSegment, rename="pascal", frozen=True, kw_only=True):
    """Body of StartSegment 2022-06-01 and 2023-11-01, which differ in the VodConfig only."""

    storage_config: Annotated[StorageConfig, REQUIRED] | None = None

    def order(self, version: str, *, redundant_unit_ms: int) -> TaskOrder:
        """Return the task that is asked for."""
        self.key()  # a request without ids is told so first
        config = self.storage_config
        if config is None:
            raise Refusal(errors.MISSING_PARAMETER, "StorageConfig")
        return self.task_order(
            version,
            storage=config.target(),
            control=self.control or config.control,
            redundant_unit_ms=redundant_unit_ms,
        )


def _duration_s(value: int | None, version: str) -> int:
    if value is None or (version in LENIENT_VERSIONS and value not in DURATION_RANGE_S):
        return DEFAULT_DURATION_S
    return in_range("Duration", value, DURATION_RANGE_S)


def _max_idle_s(value: int | None, version: str) -> int:
    if value is None or (version in LENIENT_VERSIONS and value not in MAX_IDLE_RANGE_S):
        return DEFAULT_MAX_IDLE_S
    return in_range("MaxIdleTime", value, MAX_IDLE_RANGE_S)
