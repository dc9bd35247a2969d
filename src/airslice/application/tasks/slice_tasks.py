"""Start, update, stop and look up slice tasks; keep them running over restarts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import replace

from airslice.application.delivery.storage_health import StorageHealth
from airslice.application.ownership import owned_app
from airslice.application.ports.records import TaskStore
from airslice.application.rooms.published_stream import PublishedStream
from airslice.application.rooms.registry import Room, Rooms
from airslice.application.tasks.intake import Intake
from airslice.application.tasks.recorder import SliceRecorder
from airslice.application.tasks.task_run import TaskRun
from airslice.application.tasks.track import TrackTools
from airslice.domain.apps import Account, RtcApp
from airslice.domain.errors import StoreFailed, StoreRefused, TaskNotFound, TooManyTasks
from airslice.domain.room import RoomKey, StreamKey, StreamType
from airslice.domain.slice_task import (
    FINAL_STATES,
    HISTORY_MS,
    SliceTask,
    StreamTarget,
    TaskChange,
    TaskEvent,
    TaskKey,
    TaskOrder,
    TaskState,
)

_log = logging.getLogger(__name__)

AUTO_API_VERSION = "2023-11-01"
"""Wire version of the callbacks of auto slicing, which no request started."""


class _RoomWatch:
    """Stands between a room and a task's run (port `RoomObserver`)."""

    def __init__(self, tasks: SliceTasks, run: TaskRun) -> None:
        self._tasks = tasks
        self.run = run
        self.ending = False

    def stream_published(self, stream: PublishedStream) -> None:
        self.run.stream_published(stream)

    def stream_unpublished(self, stream: PublishedStream) -> None:
        self.run.stream_unpublished(stream)
        if self.run.task.auto and not any(s.published for s in self.run.streams):
            self._end(TaskEvent.USER_LEFT)

    def beat(self, now_ns: int) -> None:
        self.run.beat(now_ns)
        if self.run.idle_ns(now_ns) >= self.run.task.order.max_idle_s * 1_000_000_000:
            self._end(TaskEvent.IDLED_OUT)

    def _end(self, event: TaskEvent) -> None:
        if not self.ending:
            self.ending = True
            self._tasks.end_later(self.run, event)


class SliceTasks:
    """All slice tasks of this machine.

    Whatever an account asks for raises AppNotFound if there is no such application, and AppNotOwned
    if it is another account's.
    """

    def __init__(
        self,
        *,
        apps: Mapping[str, RtcApp],
        rooms: Rooms,
        store: TaskStore,
        recorder: SliceRecorder,
        storage_health: StorageHealth,
        intake: Intake,
        tools: TrackTools,
    ) -> None:
        """Have no task yet; `recover` brings back those of the last start.

        `apps` has the applications by id; `tools` are what the tasks' tracks work with.
        """
        self._apps = apps
        self._rooms = rooms
        self._store = store
        self._recorder = recorder
        self._health = storage_health
        self._intake = intake
        self._tools = tools
        self._watches: dict[TaskKey, _RoomWatch] = {}
        self._changes = asyncio.Lock()
        """Held while a task starts, changes or stops, so that requests of one task cannot mix."""
        self._background: set[asyncio.Task[None]] = set()
        rooms.on_published = self._start_auto

    @property
    def runs(self) -> list[TaskRun]:
        """The tasks that run now."""
        return [watch.run for watch in self._watches.values()]

    async def start(self, account: Account, order: TaskOrder) -> bool:
        """Start a task.

        Returns:
            False if a task with this key was running already; it is unchanged.

        Raises:
            TooManyTasks: the server takes no more tasks now.
            StoreRefused: its bucket takes nothing; `find` returns the task as failed.
        """
        owned_app(self._apps, account, order.key.app_id)
        if order.key in self._watches:
            return False
        self._intake.check(running=len(self._watches))
        try:
            await self._health.check(order.storage)
        except StoreRefused as error:
            with contextlib.suppress(StoreFailed):  # the caller is told in any case
                await self._remember_failure(order, str(error))
            raise
        return await self._start(order, auto=False)

    async def update(self, account: Account, key: TaskKey, change: TaskChange) -> None:
        """Change a running task.

        Raises:
            TaskNotFound: no such task is running.
            InvalidInput: the new duration is not longer than the task's overlap.
        """
        owned_app(self._apps, account, key.app_id)
        async with self._changes:
            run = self._running(key).run
            run.task.check(change)
            self._process(run)
            run.update(change)
            await self._store.save_task(run.task)

    async def stop(self, account: Account, key: TaskKey) -> None:
        """Stop a running task; its last slices are still delivered.

        Raises:
            TaskNotFound: no such task is running.
        """
        owned_app(self._apps, account, key.app_id)
        async with self._changes:
            await self._end(self._running(key).run, TaskEvent.STOP_REQUESTED)

    async def find(self, account: Account, key: TaskKey) -> SliceTask:
        """Return the latest run of a task that was started in the last 72 hours.

        Raises:
            TaskNotFound: there is none.
        """
        owned_app(self._apps, account, key.app_id)
        since_ms = self._tools.wall_clock.utc_ms() - HISTORY_MS
        task = await self._store.find_task(key, since_ms=since_ms)
        if task is None:
            raise TaskNotFound(f"no task {key.task_id} was started in the last 72 hours")
        return self._with_problem(task)

    def in_room(self, room: RoomKey) -> list[SliceTask]:
        """Return the tasks that run in a room."""
        return [self._with_problem(run.task) for run in self.runs if run.task.key.room == room]

    async def recover(self) -> None:
        """Go on with the tasks that were running when the server stopped."""
        for task in await self._store.unfinished_tasks():
            app = self._apps.get(task.key.app_id)
            if task.state is TaskState.STOPPING:
                await self._store.save_task(self._after(task, TaskEvent.DRAINED))
            elif task.auto or app is None:
                # Its user's session ended with the server; a new one starts a new task. Without
                # its application, which was taken out of the configuration, nothing can run.
                event = TaskEvent.USER_LEFT if task.auto else TaskEvent.STOP_REQUESTED
                if task.state is TaskState.STARTING:
                    task = self._after(task, TaskEvent.SUBSCRIBED)
                stopping = self._after(task, event)
                await self._store.save_task(self._after(stopping, TaskEvent.DRAINED))
            else:
                indexes = await self._store.next_index(task.run_id)
                self._run(
                    task,
                    {StreamKey(user, StreamType(kind)): n for (user, kind), n in indexes.items()},
                )

    async def suspend(self) -> None:
        """Close all slices because the server stops; the tasks go on at the next start."""
        async with self._changes:
            for watch in self._watches.values():
                self._process(watch.run)
                watch.run.stop()
            self._watches.clear()
        await asyncio.gather(*self._background, return_exceptions=True)

    def end_later(self, run: TaskRun, event: TaskEvent) -> None:
        """End a run for a reason of its own, as soon as no request is changing it."""
        self._spawn(self._end_if_running(run, event))

    def _running(self, key: TaskKey) -> _RoomWatch:
        watch = self._watches.get(key)
        if watch is None:
            raise TaskNotFound(f"no task {key.task_id} is running in room {key.room_id}")
        return watch

    async def _start(self, order: TaskOrder, *, auto: bool) -> bool:
        async with self._changes:
            if order.key in self._watches:
                return False
            self._intake.check(running=len(self._watches))
            task = self._new_task(order, auto=auto)
            try:
                await self._store.save_task(self._after(task, TaskEvent.SUBSCRIBED))
            except StoreFailed as error:
                raise TooManyTasks(f"no task can be recorded: {error}") from error
            self._run(task)
            return True

    def _new_task(self, order: TaskOrder, *, auto: bool) -> SliceTask:
        now_ms = self._tools.wall_clock.utc_ms()
        return SliceTask(
            run_id=uuid.uuid4().hex,
            order=order,
            started_at_ms=now_ms,
            period_origin_ms=now_ms,
            auto=auto,
        )

    async def _remember_failure(self, order: TaskOrder, problem: str) -> None:
        """Keep a task that could not be started, in place of an earlier failure of its key."""
        async with self._changes:
            if order.key in self._watches:
                return
            task = self._after(self._new_task(order, auto=False), TaskEvent.START_FAILED)
            former = await self._store.find_task(order.key, since_ms=0)
            if former is not None and former.state is TaskState.FAILED:
                task = replace(task, run_id=former.run_id)
            await self._store.save_task(replace(task, problem=problem))

    def _with_problem(self, task: SliceTask) -> SliceTask:
        """Return a task with what is wrong with its bucket now."""
        if task.state in FINAL_STATES:
            return task
        return replace(task, problem=self._health.refusal(task.order.storage))

    def _run(self, task: SliceTask, next_index: Mapping[StreamKey, int] | None = None) -> None:
        """Let a task run from now on; its audio begins with what is captured now."""
        if task.state is TaskState.STARTING:
            task = self._after(task, TaskEvent.SUBSCRIBED)
        run = TaskRun(task, self._apps[task.key.app_id], self._tools, next_index=next_index)
        watch = self._watches[task.key] = _RoomWatch(self, run)
        room = self._rooms.observe(task.key.room, watch)
        for stream in room.streams.values():
            if stream.published:
                run.stream_published(stream)

    async def _end(self, run: TaskRun, event: TaskEvent) -> None:
        watch = self._watches.pop(run.task.key)
        watch.ending = True
        self._process(run)
        self._rooms.stop_observing(run.task.key.room, watch)
        run.stop()
        run.task = self._after(run.task, event)
        await self._store.save_task(run.task)
        self._spawn(self._drain(run))

    async def _end_if_running(self, run: TaskRun, event: TaskEvent) -> None:
        async with self._changes:
            watch = self._watches.get(run.task.key)
            if watch is not None and watch.run is run:
                await self._end(run, event)

    async def _drain(self, run: TaskRun) -> None:
        await self._recorder.recorded(run.task.run_id)
        run.task = self._after(run.task, TaskEvent.DRAINED)
        await self._store.save_task(run.task)

    def _process(self, run: TaskRun) -> None:
        """Bring everything that has arrived for a run into its slices."""
        clock = self._tools.wall_clock
        for stream in run.streams:
            stream.process(clock.monotonic_ns(), clock.offset_ns)

    def _after(self, task: SliceTask, event: TaskEvent) -> SliceTask:
        return task.after(event, at_ms=self._tools.wall_clock.utc_ms())

    def _start_auto(self, app: RtcApp, stream: PublishedStream, room: Room) -> None:
        """Auto slicing: a task of his own for each user who publishes."""
        if app.auto_slice is None:
            return
        user_id = stream.key.user_id
        order = TaskOrder(
            key=TaskKey(app.app_id, room.key.room_id, user_id),
            api_version=AUTO_API_VERSION,
            storage=app.auto_slice.storage,
            identifier=str(uuid.uuid4()),
            targets=tuple(StreamTarget(stream=StreamKey(user_id, kind)) for kind in StreamType),
            duration_s=app.auto_slice.duration_s,
        )
        self._spawn(self._start_auto_task(order))

    async def _start_auto_task(self, order: TaskOrder) -> None:
        try:
            await self._start(order, auto=True)
        except TooManyTasks as error:
            _log.error("user %s is not sliced: %s", order.key.task_id, error)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
