"""The figures that operators can watch, read from the parts that count them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.rooms.published_stream import PublishedStream
from airslice.domain.outbox import DeliveryKind
from airslice.facades.health import Reading
from airslice.wiring.backend import Backend
from airslice.wiring.delivery import DeliveryServices
from airslice.wiring.rooms import RoomServices
from airslice.wiring.slicing import SlicingServices
from airslice.wiring.storage import StorageServices


def readings(backend: Backend, live_jobs: LiveJobs) -> list[Reading]:
    """Return the figures of the whole server; docs/metrics.md lists them."""
    return [
        *_of_sessions(backend.rooms),
        *_of_streams(backend.slicing),
        *_of_slices(backend.slicing, backend.delivery),
        *_of_storage(backend.storage),
        *_of_live_jobs(live_jobs, backend.delivery),
        *_of_deliveries(backend.delivery),
    ]


def _gauge(name: str, meaning: str, read: Callable[[], float]) -> Reading:
    return Reading(name=name, meaning=meaning, read=read)


def _counter(name: str, meaning: str, read: Callable[[], float]) -> Reading:
    return Reading(name=name, meaning=meaning, read=read, counts=True)


def _of_sessions(media: RoomServices) -> list[Reading]:
    stats = media.engine.stats
    return [
        _gauge("sessions", "Publishing sessions.", lambda: stats().sessions),
        _gauge("listeners", "Listening sessions.", lambda: stats().listeners),
        _counter("datagrams", "Datagrams received.", lambda: stats().datagrams),
        _counter(
            "dropped_datagrams",
            "Datagrams that were not what they should be.",
            lambda: sum(stats().dropped.values()),
        ),
        _counter(
            "lost_room_events",
            "Events of rooms that could not be put into the outbox.",
            lambda: media.room_events.lost_events,
        ),
    ]


def _of_streams(slicing: SlicingServices) -> list[Reading]:
    def streams() -> Iterator[PublishedStream]:
        for room in slicing.rooms:
            yield from room.streams.values()

    return [
        _gauge("streams", "Published streams.", lambda: sum(s.published for s in streams())),
        _gauge(
            "waiting_streams",
            "Published streams beyond the number that their task takes.",
            lambda: sum(run.waiting_streams for run in slicing.tasks.runs),
        ),
        _gauge(
            "lost_packets",
            "Packets that never came, of the streams that are known now.",
            lambda: sum(s.timeline.lost_packets for s in streams()),
        ),
        _gauge(
            "late_packets",
            "Packets that came too late or twice, of the streams that are known now.",
            lambda: sum(s.late_packets for s in streams()),
        ),
    ]


def _of_slices(slicing: SlicingServices, delivery: DeliveryServices) -> list[Reading]:
    recorder, courier = slicing.recorder, delivery.courier
    return [
        _gauge("tasks", "Running slice tasks.", lambda: len(slicing.tasks.runs)),
        _gauge(
            "waiting_slices",
            "Slices and events on their way.",
            lambda: recorder.waiting_slices + courier.waiting,
        ),
        _counter(
            "lost_slices", "Slices that could not be written.", lambda: recorder.failed_slices
        ),
    ]


def _of_storage(storage: StorageServices) -> list[Reading]:
    spool, journal = storage.spool, storage.journal
    return [
        _gauge("spool_bytes", "Bytes of slices that wait for storage.", lambda: spool.usage().used),
        _gauge("spool_writes", "Writes that wait for the disk.", lambda: spool.pending_writes),
        _gauge(
            "spool_failing",
            "1 while the spool cannot be written: slices are lost.",
            lambda: spool.failing,
        ),
        _gauge("journal_bytes", "Bytes of the journal.", lambda: journal.size_bytes),
        _gauge(
            "journal_failing",
            "1 while the journal cannot be written: a crash would lose what is received.",
            lambda: journal.failing,
        ),
        _counter(
            "dropped_journal_bytes",
            "Bytes that the journal did not keep: a crash would lose them.",
            lambda: journal.dropped_bytes,
        ),
    ]


def _of_live_jobs(jobs: LiveJobs, delivery: DeliveryServices) -> list[Reading]:
    made, failed = delivery.courier.made, delivery.courier.failed_tries
    return [
        _gauge("live_jobs", "Live jobs on air.", lambda: jobs.on_air),
        _counter(
            "starved_frames",
            "Frames of silence within sentences, for speech was made too late.",
            lambda: jobs.lost_frames.starved,
        ),
        _counter(
            "skipped_frames",
            "Frames of live jobs left out, for the server stood still.",
            lambda: jobs.lost_frames.skipped,
        ),
        _counter(
            "posted_live_events",
            "Events of live jobs accepted.",
            lambda: made[DeliveryKind.LIVE_EVENT],
        ),
        _counter(
            "failed_live_events",
            "Tries to post events of live jobs that failed.",
            lambda: failed[DeliveryKind.LIVE_EVENT],
        ),
    ]


def _of_deliveries(delivery: DeliveryServices) -> list[Reading]:
    made, failed = delivery.courier.made, delivery.courier.failed_tries
    return [
        _counter("stored_slices", "Slices stored.", lambda: made[DeliveryKind.UPLOAD]),
        _counter(
            "failed_tries", "Tries to store that failed.", lambda: failed[DeliveryKind.UPLOAD]
        ),
        _counter("announced_slices", "Callbacks accepted.", lambda: made[DeliveryKind.CALLBACK]),
        _counter(
            "failed_callbacks",
            "Tries to call back that failed.",
            lambda: failed[DeliveryKind.CALLBACK],
        ),
        _counter("dead_letters", "Deliveries given up.", lambda: delivery.courier.given_up.total()),
    ]
