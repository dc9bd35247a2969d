"""Tasks and slices as rows, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from airslice.domain.room import StreamKey, StreamType
from airslice.domain.slice_record import SliceRecord, SliceState
from airslice.domain.slice_task import SliceTask, StopReason, TaskOrder, TaskState
from airslice.persistence.sqlite.secrets import SecretBox

Row = Mapping[str, str | int | bytes | None]
"""Parameters of a statement."""


def task_row(task: SliceTask, box: SecretBox) -> Row:
    """Return the columns of `task`; the keys of its storage are sealed."""
    storage = task.order.storage
    public_order = replace(task.order, storage=replace(storage, access_key="", secret_key=""))
    storage_keys = (storage.access_key, storage.secret_key)
    return {
        "run_id": task.run_id,
        "app_id": task.key.app_id,
        "room_id": task.key.room_id,
        "task_id": task.key.task_id,
        "state": task.state,
        "started_at_ms": task.started_at_ms,
        "ended_at_ms": task.ended_at_ms,
        "stop_reason": task.stop_reason,
        "period_origin_ms": task.period_origin_ms,
        "auto": task.auto,
        "problem": task.problem,
        "task_order": msgspec.json.encode(public_order).decode(),
        "storage_keys": (
            box.seal(msgspec.json.encode(storage_keys), context=task.run_id)
            if any(storage_keys)
            else None
        ),
    }


def read_task(row: sqlite3.Row, box: SecretBox) -> SliceTask:
    """Return the task that `task_row` made a row of.

    Raises:
        SecretUnreadable: the row was sealed with another master key.
    """
    order = msgspec.json.decode(row["task_order"], type=TaskOrder)
    if row["storage_keys"] is not None:
        access_key, secret_key = msgspec.json.decode(
            box.unseal(row["storage_keys"], context=row["run_id"]), type=tuple[str, str]
        )
        storage = replace(order.storage, access_key=access_key, secret_key=secret_key)
        order = replace(order, storage=storage)
    return SliceTask(
        run_id=row["run_id"],
        order=order,
        started_at_ms=row["started_at_ms"],
        state=TaskState(row["state"]),
        ended_at_ms=row["ended_at_ms"],
        stop_reason=None if row["stop_reason"] is None else StopReason(row["stop_reason"]),
        period_origin_ms=row["period_origin_ms"],
        auto=bool(row["auto"]),
        problem=row["problem"],
    )


def slice_row(record: SliceRecord) -> Row:
    """Return the columns of `record`."""
    return {
        **slice_name(record.run_id, record.stream, record.index),
        "object_key": record.object_key,
        "start_ms": record.start_ms,
        "samples": record.samples,
        "sample_rate_hz": record.sample_rate_hz,
        "channels": record.channels,
        "bits_per_sample": record.bits_per_sample,
        "size_bytes": record.size_bytes,
        "sha256": record.sha256,
        "generated_at_ms": record.generated_at_ms,
        "spool_name": record.spool_name,
        "event_id": record.event_id,
        "identifier": record.identifier,
        "state": record.state,
    }


def slice_name(run_id: str, stream: StreamKey, index: int) -> Row:
    """Return the columns that name a slice."""
    return {
        "run_id": run_id,
        "user_id": stream.user_id,
        "stream_type": stream.stream_type,
        "slice_index": index,
    }


def read_slice(row: sqlite3.Row) -> SliceRecord:
    """Return the slice that `slice_row` made a row of."""
    return SliceRecord(
        run_id=row["run_id"],
        stream=StreamKey(row["user_id"], StreamType(row["stream_type"])),
        index=row["slice_index"],
        object_key=row["object_key"],
        start_ms=row["start_ms"],
        samples=row["samples"],
        sample_rate_hz=row["sample_rate_hz"],
        channels=row["channels"],
        bits_per_sample=row["bits_per_sample"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        generated_at_ms=row["generated_at_ms"],
        spool_name=row["spool_name"],
        event_id=row["event_id"],
        identifier=row["identifier"],
        state=SliceState(row["state"]),
    )
