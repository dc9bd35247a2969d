"""What slices audio: rooms with their streams, and the slice tasks in them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from airslice.application.rooms.registry import Rooms
from airslice.application.tasks.recorder import SliceRecorder
from airslice.application.tasks.slice_tasks import SliceTasks
from airslice.application.tasks.track import ClosedSlice, TrackTools
from airslice.encoding.av_opus_decoder import AvOpusDecoders
from airslice.encoding.opus_decoder import LibopusDecoders, find_opus_decoders
from airslice.wiring.delivery_side import DeliverySide
from airslice.wiring.given import Given
from airslice.wiring.storage_side import StorageSide


@dataclass(frozen=True, kw_only=True, slots=True)
class SlicingSide:
    """From decoded packets to recorded slices."""

    decoders: LibopusDecoders | AvOpusDecoders
    rooms: Rooms
    recorder: SliceRecorder
    tools: TrackTools
    """What tracks work with, those of running tasks and of recovery."""
    tasks: SliceTasks
    """Those of former servers have to be recovered."""


@contextlib.asynccontextmanager
async def slicing_side(
    given: Given, storage: StorageSide, delivery: DeliverySide
) -> AsyncIterator[SlicingSide]:
    """Be ready to slice; at the end, close what is open, and see it recorded."""
    server, slicing = given.settings.server, given.settings.slicing
    async with AsyncExitStack() as stack:
        recorder = _recorder(given, storage, delivery)
        stack.push_async_callback(recorder.close)
        decoders = find_opus_decoders()
        rooms = Rooms(
            wall_clock=given.wall_clock,
            decoders=decoders,
            reorder_window_ns=slicing.reorder_window_ms * 1_000_000,
            journal=storage.journal,
            max_publishers_per_room=server.max_publishers_per_room,
        )
        tools = TrackTools(
            spool=storage.spool,
            journal=storage.journal,
            wall_clock=given.wall_clock,
            silence_dbfs=slicing.silence_dbfs,
            on_closed=recorder.accept,
        )
        tasks = SliceTasks(
            apps=given.apps,
            rooms=rooms,
            store=storage.tasks,
            recorder=recorder,
            storage_health=storage.health,
            intake=storage.intake,
            tools=tools,
        )
        # After the engine has closed: sessions that end give up waiting for missing packets.
        stack.push_async_callback(tasks.suspend)
        yield SlicingSide(
            decoders=decoders, rooms=rooms, recorder=recorder, tools=tools, tasks=tasks
        )


def _recorder(given: Given, storage: StorageSide, delivery: DeliverySide) -> SliceRecorder:
    def on_recorded(closed: ClosedSlice) -> None:
        storage.journal.settled(closed.file.name)
        delivery.courier.expect()

    return SliceRecorder(
        store=storage.tasks,
        wall_clock=given.wall_clock,
        sleep=asyncio.sleep,
        on_recorded=on_recorded,
    )
