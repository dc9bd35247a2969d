"""The outbox in the SQLite file: what is to be uploaded and called back."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable

import msgspec

from airslice.application.ports.outbox import Queue
from airslice.domain.callback import CallbackEvent
from airslice.domain.outbox import (
    HOLDS_LANE,
    Delivery,
    DeliveryKind,
    DeliveryState,
    IllegalDeliveryEvent,
    SliceName,
)
from airslice.domain.room import StreamKey, StreamType
from airslice.domain.slice_record import SliceRecord, SliceState
from airslice.domain.slice_task import SliceTask
from airslice.persistence.sqlite.database import SqliteDatabase, SqliteStore
from airslice.persistence.sqlite.rows import (
    Row,
    columns,
    read_slice,
    read_task,
    record,
    slice_name,
)
from airslice.persistence.sqlite.statements import statements

_DELIVERIES = statements("deliveries")
_TASKS = statements("tasks")
_SLICES = statements("slices")


class SqliteOutbox(SqliteStore):
    """An Outbox in the SQLite file of the tasks and slices.

    Each object is a claimant of its own: what it has claimed, no other can settle.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__(database)
        self._claimant = uuid.uuid4().hex

    async def recover(self, *, now_ms: int) -> int:
        """Void all claims; return how many deliveries are still to be made."""

        def change(connection: sqlite3.Connection) -> int:
            connection.execute(_DELIVERIES["recover"], {"now_ms": now_ms})
            count: int = connection.execute(_DELIVERIES["count"]).fetchone()[0]
            return count

        return await self._database.write(change)

    async def queues(self) -> list[Queue]:
        """Return the queues that are not empty, whether anything in them is due or not."""

        def query(connection: sqlite3.Connection) -> list[Queue]:
            return [
                Queue(kind, row["destination"], row["due_at_ms"])
                for kind in DeliveryKind
                for row in connection.execute(_DELIVERIES["queues"], {"kind": kind})
            ]

        return await self._database.read(query)

    async def claim(
        self, queue: Queue, *, now_ms: int, until_ms: int, limit: int
    ) -> list[Delivery]:
        """Claim the deliveries of `queue` that are due, the longest due first."""
        due: Row = {
            "kind": queue.kind,
            "destination": queue.destination,
            "now_ms": now_ms,
            "limit": limit,
        }

        def change(connection: sqlite3.Connection) -> list[Delivery]:
            rows = connection.execute(_DELIVERIES["due"], due).fetchall()
            claim = {"claimed_by": self._claimant, "until_ms": until_ms}
            connection.executemany(_DELIVERIES["claim"], [{**claim, "id": r["id"]} for r in rows])
            return [_read_delivery(row) for row in rows]

        return await self._database.write(change)

    async def settle(
        self,
        delivery: Delivery,
        *,
        now_ms: int,
        then: CallbackEvent | None = None,
        business_id: str = "",
    ) -> bool:
        """Store a claimed delivery as it is after a try, and what follows from that.

        The slice's state is moved, `then` is added in the same place of the lane, and the next
        delivery of the lane is released. Returns False, and changes nothing, if the claim was
        voided in the meantime.
        """

        def change(connection: sqlite3.Connection) -> bool:
            mine: Row = {"id": delivery.id, "claimed_by": self._claimant}
            if connection.execute(_DELIVERIES["is_claimed"], mine).fetchone() is None:
                return False
            slice_state = delivery.slice_state
            if slice_state is SliceState.STORED and then is None:
                slice_state = SliceState.ANNOUNCED  # there is nobody to call
            slice_id = _set_slice_state(connection, delivery, slice_state)
            if delivery.state is DeliveryState.DONE:
                connection.execute(_DELIVERIES["remove"], mine)
            else:
                connection.execute(_DELIVERIES["update"], columns(delivery))
            if then is not None:
                row = _callback_row(then, business_id, delivery.lane, delivery.position, now_ms)
                connection.execute(_DELIVERIES["add_callback"], {**row, "slice_id": slice_id})
            if delivery.state not in HOLDS_LANE:
                connection.execute(
                    _DELIVERIES["release"], {"lane": delivery.lane, "now_ms": now_ms}
                )
            return True

        return await self._database.write(change)

    async def add_event(
        self,
        event: CallbackEvent,
        *,
        business_id: str,
        lane: str,
        now_ms: int,
        kind: DeliveryKind = DeliveryKind.CALLBACK,
    ) -> None:
        """Put in a callback of an event other than a slice's, as the last in `lane`."""

        def change(connection: sqlite3.Connection) -> None:
            last = connection.execute(_DELIVERIES["last_position"], {"lane": lane}).fetchone()
            position = 0 if last["position"] is None else last["position"] + 1
            row = _callback_row(event, business_id, lane, position, now_ms, kind)
            connection.execute(_DELIVERIES["add_callback"], {**row, "slice_id": None})

        await self._database.write(change)

    async def slice_of(self, delivery: Delivery) -> tuple[SliceTask, SliceRecord] | None:
        """Return the slice that a delivery uploads, with its task; None if it has no slice."""
        if delivery.slice is None:
            return None
        wanted = delivery.slice
        name = slice_name(wanted.run_id, wanted.stream, wanted.index)

        def query(connection: sqlite3.Connection) -> tuple[SliceTask, SliceRecord] | None:
            task = connection.execute(_TASKS["find_run"], name).fetchone()
            found = connection.execute(_SLICES["find_slice"], name).fetchone()
            if task is None or found is None:
                return None
            return read_task(task, self._database.box), read_slice(found)

        return await self._database.read(query)

    async def find(self, delivery_id: int) -> Delivery | None:
        """Return a delivery that is in the outbox."""
        row = await self._database.row(_DELIVERIES["find"], {"id": delivery_id})
        return _read_delivery(row) if row else None

    async def page(self, *, dead: bool | None, after_id: int, limit: int) -> list[Delivery]:
        """Return at most `limit` deliveries with ids above `after_id`, in order of their ids.

        `dead` selects those that are given up (True), all others (False), or both (None).
        """
        which = {None: "list_all", True: "list_dead", False: "list_pending"}[dead]
        rows = await self._database.rows(_DELIVERIES[which], {"after_id": after_id, "limit": limit})
        return [_read_delivery(row) for row in rows]

    async def revive(self, delivery_id: int, *, now_ms: int) -> Delivery | None:
        """Begin another round of tries for a delivery that is dead or parked."""

        def change(connection: sqlite3.Connection) -> Delivery | None:
            name: Row = {"id": delivery_id}
            row = connection.execute(_DELIVERIES["find"], name).fetchone()
            if row is None:
                return None
            delivery = _read_delivery(row)
            if row["claimed_by"] is not None:
                return delivery  # it is being tried
            try:
                revived = delivery.revived(now_ms=now_ms)
            except IllegalDeliveryEvent:
                return delivery  # it will be tried anyhow
            connection.execute(_DELIVERIES["update"], columns(revived))
            connection.execute(_DELIVERIES["hold_if_not_first"], columns(revived))
            _set_slice_state(connection, revived, revived.slice_state)
            return _read_delivery(connection.execute(_DELIVERIES["find"], name).fetchone())

        return await self._database.write(change)

    async def awaited(self, spool_names: Iterable[str]) -> set[str]:
        """Return which of these names are of slices that are not stored yet."""
        names = json.dumps(list(spool_names))
        rows = await self._database.rows(_DELIVERIES["awaited"], {"names": names})
        return {row["spool_name"] for row in rows}


def _set_slice_state(
    connection: sqlite3.Connection, delivery: Delivery, state: SliceState | None
) -> int | None:
    """Move the slice of `delivery`; return its id."""
    name: Row = {"id": delivery.id, "slice_state": state}
    if state is not None:
        connection.execute(_DELIVERIES["set_slice_state"], name)
    slice_id: int | None = connection.execute(_DELIVERIES["slice_id"], name).fetchone()["slice_id"]
    return slice_id


def _callback_row(
    event: CallbackEvent,
    business_id: str,
    lane: str,
    position: int,
    now_ms: int,
    kind: DeliveryKind = DeliveryKind.CALLBACK,
) -> dict[str, str | int | None]:
    return {
        "kind": kind,
        "destination": event.app_id,
        "lane": lane,
        "position": position,
        "now_ms": now_ms,
        "event": msgspec.json.encode(event).decode(),
        "business_id": business_id,
    }


def _read_delivery(row: sqlite3.Row) -> Delivery:
    name = None
    if row["run_id"] is not None:
        stream = StreamKey(row["user_id"], StreamType(row["stream_type"]))
        name = SliceName(row["run_id"], stream, row["slice_index"])
    event = row["event"]
    return record(
        Delivery,
        row,
        kind=DeliveryKind(row["kind"]),
        state=DeliveryState(row["state"]),
        slice=name,
        spool_name=row["spool_name"] or "",
        event=event and msgspec.json.decode(event, type=CallbackEvent),
    )
