"""How records become rows of the SQLite file, and rows records: in general, and tasks and slices.

Live rooms and jobs are in live_rows.py; smaller records are beside their stores.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from airslice.domain.room import StreamKey, StreamType
from airslice.domain.slice_record import SliceRecord, SliceState
from airslice.domain.slice_task import SliceTask, StopReason, TaskOrder, TaskState
from airslice.persistence.sqlite.secrets import SecretBox

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = Mapping[str, str | int | bytes | None]
"""Parameters of a statement by name; a statement takes those that it mentions."""

_T = TypeVar("_T", bound="DataclassInstance")


def columns(record: DataclassInstance) -> Row:
    """Return the fields of a record that a column can hold as they are, by name."""
    return {
        name: value
        for name, value in fields_of(record).items()
        if value is None or isinstance(value, str | int | bytes)
    }


def fields_of(
    record: DataclassInstance, like: type[DataclassInstance] | None = None
) -> dict[str, Any]:
    """Return the fields of a record by name; of `like`, those that `like` has too."""
    return {field.name: getattr(record, field.name) for field in fields(like or record)}


def record(kind: type[_T], row: sqlite3.Row, /, **given: Any) -> _T:
    """Return a `kind` with the fields that are `given`; all others are columns of that name."""
    names = (field.name for field in fields(kind) if field.name not in given)
    return kind(**{name: row[name] for name in names}, **given)


def task_row(task: SliceTask, box: SecretBox) -> Row:
    """Return the columns of a task; the keys of its storage are sealed."""
    storage = task.order.storage
    public_order = replace(task.order, storage=replace(storage, access_key="", secret_key=""))
    storage_keys = (storage.access_key, storage.secret_key)
    return {
        **columns(task),
        **task.key._asdict(),
        "task_order": msgspec.json.encode(public_order).decode(),
        "storage_keys": (
            box.seal_json(storage_keys, context=task.run_id) if any(storage_keys) else None
        ),
    }


def read_task(row: sqlite3.Row, box: SecretBox) -> SliceTask:
    """Return the task that `task_row` made a row of.

    Raises:
        SecretUnreadable: the row was sealed with another master key.
    """
    order = msgspec.json.decode(row["task_order"], type=TaskOrder)
    if row["storage_keys"] is not None:
        access_key, secret_key = box.unseal_json(
            row["storage_keys"], tuple[str, str], context=row["run_id"]
        )
        storage = replace(order.storage, access_key=access_key, secret_key=secret_key)
        order = replace(order, storage=storage)
    return record(
        SliceTask,
        row,
        order=order,
        state=TaskState(row["state"]),
        stop_reason=None if row["stop_reason"] is None else StopReason(row["stop_reason"]),
        auto=bool(row["auto"]),
    )


def slice_row(record: SliceRecord) -> Row:
    """Return the columns of a slice."""
    return {**columns(record), **slice_name(record.run_id, record.stream, record.index)}


def slice_name(run_id: str, stream: StreamKey, index: int) -> Row:
    """Return the columns that name a slice."""
    return {"run_id": run_id, **stream._asdict(), "slice_index": index}


def read_slice(row: sqlite3.Row) -> SliceRecord:
    """Return the slice that `slice_row` made a row of."""
    return record(
        SliceRecord,
        row,
        stream=StreamKey(row["user_id"], StreamType(row["stream_type"])),
        index=row["slice_index"],
        state=SliceState(row["state"]),
    )
