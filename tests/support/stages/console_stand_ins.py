"""Stand-ins for what the console shows and orders, and slices to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import httpx

from airslice.application.broadcast.jobs import LiveJobs
from airslice.application.console import RoomConsole
from airslice.application.delivery.deliveries import Deliveries
from airslice.application.ports.live import JobQuery, Page
from airslice.application.tasks.slice_tasks import SliceTasks
from airslice.domain.apps import Account, RtcApp
from airslice.domain.callback import CallbackEvent
from airslice.domain.errors import DeliveryNotFound, LiveJobFinished, LiveJobNotFound, TaskNotFound
from airslice.domain.live_job import FINAL_STATES, JobEvent, LiveJob
from airslice.domain.outbox import Delivery, DeliveryKind, DeliveryState, SliceName
from airslice.domain.room import RoomKey, StreamKey
from airslice.domain.slice_record import SliceRecord, SliceState
from airslice.domain.slice_task import SliceTask, TaskEvent, TaskKey, TaskOrder
from airslice.facades.console.room_operations import ConsoleServices
from tests.support.memory.tasks import MemoryTaskStore

APP_ID = "123456781234567812345678"
ACCOUNT = Account(id="2100000000", access_key="AK", secret_key="secret-key")
APP = RtcApp(app_id=APP_ID, app_key="app-key", account_id=ACCOUNT.id)
ROOM = RoomKey(APP_ID, "lobby")
PASSWORD = "open sesame"
Connect = Callable[..., httpx.AsyncClient]
"""Makes a client of a console, by password, peer address and host name."""

START_MS = 1_700_000_000_000

EVENT = CallbackEvent(
    event_type="RoomCreate",
    event_id="event",
    app_id="app",
    version="2020-12-01",
    time_ms=START_MS,
    data='{"RoomId":"HIDDEN"}',
)

UPLOAD = Delivery(
    id=1,
    kind=DeliveryKind.UPLOAD,
    destination="tos/bucket",
    lane="lane",
    position=3,
    state=DeliveryState.WAITING,
    attempts=2,
    due_at_ms=START_MS + 5,
    created_at_ms=START_MS,
    last_error="HTTP 503",
    slice=SliceName("run", StreamKey("alice"), 3),
)

LETTER = Delivery(
    id=2,
    kind=DeliveryKind.CALLBACK,
    destination="app",
    lane="app/app/lobby",
    position=0,
    state=DeliveryState.DEAD,
    attempts=12,
    due_at_ms=START_MS,
    created_at_ms=START_MS,
    last_error="HTTP 500",
    event=EVENT,
)


class Tasks(SliceTasks):
    """The use cases on tasks without any audio, over a store in memory."""

    def __init__(self) -> None:
        self.ordered: list[tuple[Account, TaskOrder]] = []
        self.running: dict[TaskKey, SliceTask] = {}
        self.store = MemoryTaskStore()
        self.failure: Exception | None = None

    async def start(self, account: Account, order: TaskOrder) -> bool:
        if self.failure:
            raise self.failure
        self.ordered.append((account, order))
        if order.key in self.running:
            return False
        task = SliceTask(run_id=f"run-{len(self.ordered)}", order=order, started_at_ms=START_MS)
        self.running[order.key] = task.after(TaskEvent.SUBSCRIBED, at_ms=START_MS)
        await self.store.save_task(self.running[order.key])
        return True

    def in_room(self, room: RoomKey) -> list[SliceTask]:
        return [task for task in self.running.values() if task.key.room == room]

    async def stop(self, account: Account, key: TaskKey) -> None:
        task = self.running.pop(key, None)
        if task is None:
            raise TaskNotFound("no such task is running")
        await self.store.save_task(task.after(TaskEvent.STOP_REQUESTED, at_ms=START_MS))

    def land(self, task: SliceTask, user_id: str, index: int, state: SliceState) -> SliceRecord:
        """Let a slice of five seconds appear."""
        start_ms = START_MS + 5_000 * index
        record = SliceRecord(
            run_id=task.run_id,
            stream=StreamKey(user_id),
            index=index,
            spool_name=f"{task.run_id}-{user_id}-{index}.wav",
            object_key=f"prefix_{user_id}_{start_ms}_{index}.wav",
            start_ms=start_ms,
            samples=80_000,
            sample_rate_hz=16_000,
            channels=1,
            bits_per_sample=16,
            size_bytes=160_044,
            sha256="00" * 32,
            generated_at_ms=start_ms + 5_010,
            event_id=f"event-{user_id}-{index}",
            state=state,
        )
        self.store.slices[SliceName(task.run_id, record.stream, index)] = record
        return record


class Letters(Deliveries):
    """Keeps deliveries in memory: the use cases on the outbox."""

    def __init__(self) -> None:
        self.kept: dict[int, Delivery] = {}

    async def page(self, *, dead: bool | None, after_id: int, limit: int) -> list[Delivery]:
        found = [
            delivery
            for number, delivery in sorted(self.kept.items())
            if number > after_id and dead in (None, delivery.state is DeliveryState.DEAD)
        ]
        return found[:limit]

    async def find(self, delivery_id: int) -> Delivery:
        if delivery_id not in self.kept:
            raise DeliveryNotFound(f"there is no delivery {delivery_id}")
        return self.kept[delivery_id]

    async def retry(self, delivery_id: int) -> Delivery:
        revived = (await self.find(delivery_id)).revived(now_ms=START_MS)
        self.kept[delivery_id] = revived
        return revived

    async def retry_dead(self) -> int:
        dead = await self.page(dead=True, after_id=0, limit=100)
        for delivery in dead:
            await self.retry(delivery.id)
        return len(dead)


class Broadcasts(LiveJobs):
    """Live jobs that are listed and blocked at once."""

    def __init__(self, *jobs: LiveJob) -> None:
        self.jobs = {job.job_id: job for job in jobs}

    async def list(self, project_id: str, query: JobQuery) -> Page[LiveJob]:
        found = tuple(
            job
            for job in self.jobs.values()
            if job.project_id == project_id and (not query.states or job.state in query.states)
        )
        return Page(len(found), found)

    async def block(self, job_id: str, reason: str) -> LiveJob:
        job = self.jobs.get(job_id)
        if job is None:
            raise LiveJobNotFound(job_id)
        if job.state in FINAL_STATES:
            raise LiveJobFinished(job_id)
        blocked = replace(job.after(JobEvent.BLOCKED, at_ms=START_MS), block_reason=reason)
        self.jobs[job_id] = blocked
        return blocked


class Lobby(RoomConsole):
    """One room with the given streams, tokens that can be read, and one signature for all URLs."""

    def __init__(self, streams: Sequence[StreamKey]) -> None:
        self._streams = streams

    def streams(self, key: RoomKey) -> Sequence[StreamKey]:
        return self._streams if key == ROOM else ()

    def mint_token(self, app: RtcApp, room_id: str, user_id: str) -> str:
        return f"token-of-{user_id}-for-{room_id}"

    def sign_url(self, bucket: str, key: str) -> str:
        return f"/objects/{bucket}/{key}?signature=s"


def services(
    tasks: Tasks,
    streams: Sequence[StreamKey] = (),
    deliveries: Letters | None = None,
    live_jobs: Broadcasts | None = None,
) -> ConsoleServices:
    """Put the stand-ins together."""
    return ConsoleServices(
        apps=[APP],
        accounts=[ACCOUNT],
        tasks=tasks,
        slices=tasks.store,
        deliveries=deliveries or Letters(),
        live_jobs=live_jobs or Broadcasts(),
        project_ids=["p1", "p2"],
        rooms=Lobby(streams),
    )
