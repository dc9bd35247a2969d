"""What operators can watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from airslice.application.courier import Courier
from airslice.application.journal import Journal
from airslice.application.published_stream import PublishedStream
from airslice.application.room_events import RoomEvents
from airslice.application.rooms import Rooms
from airslice.application.slice_recorder import SliceRecorder
from airslice.application.slice_tasks import SliceTasks
from airslice.domain.outbox import DeliveryKind
from airslice.engines.embedded import EmbeddedEngine
from airslice.facades.health import Reading
from airslice.storage.spool import DiskSpool


def readings(
    engine: EmbeddedEngine,
    rooms: Rooms,
    tasks: SliceTasks,
    recorder: SliceRecorder,
    courier: Courier,
    spool: DiskSpool,
    room_events: RoomEvents,
    journal: Journal,
) -> list[Reading]:
    def gauge(name: str, meaning: str, read: Callable[[], float]) -> Reading:
        return Reading(name=name, meaning=meaning, read=read)

    def counter(name: str, meaning: str, read: Callable[[], float]) -> Reading:
        return Reading(name=name, meaning=meaning, read=read, counts=True)

    def streams() -> Iterator[PublishedStream]:
        for room in rooms:
            yield from room.streams.values()

    return [
        gauge("sessions", "Publishing sessions.", lambda: engine.stats().sessions),
        gauge("listeners", "Listening sessions.", lambda: engine.stats().listeners),
        gauge("streams", "Published streams.", lambda: sum(s.published for s in streams())),
        gauge("tasks", "Running slice tasks.", lambda: len(tasks.runs)),
        gauge(
            "waiting_streams",
            "Published streams beyond the number that their task takes.",
            lambda: sum(run.waiting_streams for run in tasks.runs),
        ),
        gauge(
            "waiting_slices",
            "Slices and events on their way.",
            lambda: recorder.waiting_slices + courier.waiting,
        ),
        gauge("spool_bytes", "Bytes of slices that wait for storage.", lambda: spool.usage().used),
        gauge("spool_writes", "Writes that wait for the disk.", lambda: spool.pending_writes),
        gauge(
            "spool_failing",
            "1 while the spool cannot be written: slices are lost.",
            lambda: spool.failing,
        ),
        gauge("journal_bytes", "Bytes of the journal.", lambda: journal.size_bytes),
        gauge(
            "journal_failing",
            "1 while the journal cannot be written: a crash would lose what is received.",
            lambda: journal.failing,
        ),
        counter(
            "dropped_journal_bytes",
            "Bytes that the journal did not keep: a crash would lose them.",
            lambda: journal.dropped_bytes,
        ),
        counter(
            "lost_room_events",
            "Events of rooms that could not be put into the outbox.",
            lambda: room_events.lost_events,
        ),
        counter("datagrams", "Datagrams received.", lambda: engine.stats().datagrams),
        counter(
            "dropped_datagrams",
            "Datagrams that were not what they should be.",
            lambda: sum(engine.stats().dropped.values()),
        ),
        gauge(
            "lost_packets",
            "Packets that never came, of the streams that are known now.",
            lambda: sum(s.timeline.lost_packets for s in streams()),
        ),
        gauge(
            "late_packets",
            "Packets that came too late or twice, of the streams that are known now.",
            lambda: sum(s.late_packets for s in streams()),
        ),
        counter("stored_slices", "Slices stored.", lambda: courier.made[DeliveryKind.UPLOAD]),
        counter(
            "announced_slices", "Callbacks accepted.", lambda: courier.made[DeliveryKind.CALLBACK]
        ),
        counter("lost_slices", "Slices that could not be written.", lambda: recorder.failed_slices),
        counter(
            "failed_tries",
            "Tries to store that failed.",
            lambda: courier.failed_tries[DeliveryKind.UPLOAD],
        ),
        counter(
            "failed_callbacks",
            "Tries to call back that failed.",
            lambda: courier.failed_tries[DeliveryKind.CALLBACK],
        ),
        counter("dead_letters", "Deliveries given up.", lambda: courier.given_up.total()),
    ]
