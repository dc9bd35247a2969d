"""Slices and events reach their receivers, whatever fails on the way."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from airslice.application.delivery.courier import LIMITS, MAX_REQUESTED_REST_S, Courier
from airslice.application.ports.outbox import Outbox
from airslice.application.tasks.spool_cleaning import KEEP_MS, clean_spool
from airslice.domain.callback import CallbackEvent
from airslice.domain.errors import StoreFailed, TooManyTasks
from airslice.domain.outbox import (
    LONG_PAUSES_S,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Failed,
    Gone,
    Made,
    Outcome,
)
from airslice.domain.slice_record import SliceState
from airslice.persistence.sqlite.outbox import SqliteOutbox
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from tests.support.stages.stage import ACCOUNT, APP, HandClock, Stage
from tests.support.values.values import a_record, a_task, an_event

FAILED = Failed(reason="HTTP 500")


async def states(stage: Stage) -> list[SliceState]:
    rows = await stage.store.room_slices(APP.app_id, "room", limit=100)
    return [record.state for _, record in sorted(rows, key=lambda row: row[1].index)]


def indexes(events: list[CallbackEvent]) -> list[int]:
    return [json.loads(event.data)["Data"][0]["Index"] for event in events]


async def cut(stage: Stage, seconds: float, *users: str) -> None:
    """Slice for a while, one second each, and have the slices recorded."""
    await stage.tasks.start(ACCOUNT, stage.order())
    stage.run(seconds, [stage.join(user) for user in users or ("ann",)])
    async with asyncio.timeout(60):
        while stage.recorder.waiting_slices:
            await asyncio.sleep(0.001)


async def test_a_callback_comes_only_after_its_object_is_stored(stage: Stage) -> None:
    stage.objects.is_down = True
    await cut(stage, 2.5)
    await stage.deliver()
    for _ in range(5):
        await stage.until_quiet()
        stage.clock.turn_to_next_alarm()
    assert stage.courier.failed_tries[DeliveryKind.UPLOAD] >= 3
    assert not stage.sender.sent

    stage.objects.is_down = False
    await stage.settle()

    assert [s.index for s in stage.stored("ann")] == [0, 1]


async def test_a_stored_slice_leaves_the_spool_and_one_that_is_not_stays(stage: Stage) -> None:
    stage.objects.is_down = True
    await cut(stage, 1.5)
    await stage.deliver()
    await stage.until_quiet()
    assert len(stage.spool.entries()) == 1

    stage.objects.is_down = False
    await stage.settle()

    assert stage.spool.entries() == []
    assert stage.spool.usage().used == 0


async def test_callbacks_of_a_stream_keep_their_order_over_retries(stage: Stage) -> None:
    stage.sender.answers.extend([FAILED, FAILED, Made(), FAILED])
    await cut(stage, 3.5)

    await stage.settle()

    assert [s.index for s in stage.stored("ann")] == [0, 0, 0, 1, 1, 2]
    assert len({event.event_id for event in stage.sender.sent[:3]}) == 1


async def test_a_callback_that_failed_three_times_lets_the_others_pass(stage: Stage) -> None:
    stage.sender.answers.extend([FAILED] * 3)
    await cut(stage, 2.5)

    await stage.settle()

    assert [s.index for s in stage.stored("ann")] == [0, 0, 0, 1, 0]
    assert await states(stage) == [SliceState.ANNOUNCED] * 2


async def test_the_schedule_is_kept_for_three_days_and_then_it_is_a_dead_letter(
    stage: Stage,
) -> None:
    await cut(stage, 1.5)
    started_ns, tried_s = stage.clock.now_ns, []

    async def refuse(event: CallbackEvent, receiver: object) -> Outcome:
        tried_s.append((stage.clock.now_ns - started_ns) / 1e9)
        return FAILED

    stage.sender.send = refuse  # type: ignore[method-assign]
    await stage.settle()

    gaps_s = [after - before for before, after in itertools.pairwise(tried_s)]
    assert gaps_s == pytest.approx([1, 3, *LONG_PAUSES_S], abs=0.002)
    print(f"12 tries within {tried_s[-1] / 3600:.1f} simulated hours")
    assert await states(stage) == [SliceState.GIVEN_UP]
    [letter] = await stage.outbox.page(dead=True, after_id=0, limit=9)
    assert (letter.attempts, letter.last_error) == (12, "HTTP 500")


async def test_a_receiver_that_is_gone_is_told_no_more_of_that_event(stage: Stage) -> None:
    stage.sender.answers.extend([Gone(reason="HTTP 410")])
    await cut(stage, 2.5)

    await stage.settle()

    assert [s.index for s in stage.stored("ann")] == [0, 1]
    assert await states(stage) == [SliceState.GIVEN_UP, SliceState.ANNOUNCED]


async def test_a_busy_receiver_is_left_alone_for_as_long_as_it_asks(stage: Stage) -> None:
    stage.sender.answers.extend([Failed(reason="HTTP 429", retry_after_s=100)])
    await cut(stage, 2.5)
    await stage.deliver()
    await stage.until_quiet()

    stage.clock.now_ns += 99_000_000_000
    await stage.until_quiet()
    assert indexes(stage.sender.sent) == [0]
    stage.clock.now_ns += 1_000_000_000
    await stage.settle()

    assert indexes(stage.sender.sent) == [0, 0, 1]


@pytest.mark.parametrize("step_s", [-3_600, 3_600])
async def test_a_step_of_the_wall_clock_moves_no_retry(stage: Stage, step_s: int) -> None:
    stage.sender.answers.extend([FAILED])
    await cut(stage, 1.5)
    await stage.deliver()
    await stage.until_quiet()

    stage.clock.utc_minus_monotonic_ns += step_s * 10**9
    await stage.until_quiet()
    assert len(stage.sender.sent) == 1
    stage.clock.now_ns += 1_000_000_000
    await stage.until_quiet()

    assert len(stage.sender.sent) == 2


async def test_what_was_on_its_way_is_delivered_after_a_restart(stage: Stage) -> None:
    stage.objects.is_down = True
    await cut(stage, 3.5)
    await stage.deliver()
    await stage.until_quiet()
    await stage.tasks.suspend()
    await stage.close()
    assert not stage.sender.sent

    stage.objects.is_down = False
    stage.boot()
    await stage.settle()

    assert [s.index for s in stage.stored("ann")] == [0, 1, 2, 3]


POINTS = ["before put", "after put", "before upload's end", "after upload's end", "before post",
          "after post", "before callback's end", "after callback's end"]  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_at_any_point_loses_nothing(stage: Stage, point: str) -> None:
    """The courier stops for ever at the point, at the second time that it comes by."""
    await cut(stage, 3.5)
    passes = Counter[str]()
    dead = asyncio.Event()

    async def pass_by(here: str) -> None:
        passes[here] += 1
        if here == point and passes[here] >= 2:
            dead.set()
        if dead.is_set():
            await asyncio.Event().wait()

    put, send, settle = stage.objects.put, stage.sender.send, stage.outbox.settle

    async def put_or_die(*args: object, **options: object) -> None:
        await pass_by("before put")
        await put(*args, **options)  # type: ignore[arg-type]
        await pass_by("after put")

    async def send_or_die(*args: object) -> Outcome:
        await pass_by("before post")
        outcome = await send(*args)  # type: ignore[arg-type]
        await pass_by("after post")
        return outcome

    async def settle_or_die(delivery: Delivery, **options: object) -> bool:
        await pass_by(f"before {delivery.kind}'s end")
        settled = await settle(delivery, **options)  # type: ignore[arg-type]
        await pass_by(f"after {delivery.kind}'s end")
        return settled

    stage.objects.put = put_or_die  # type: ignore[method-assign]
    stage.sender.send = send_or_die  # type: ignore[method-assign, assignment]
    stage.outbox.settle = settle_or_die  # type: ignore[method-assign]
    threads = ThreadPoolExecutor()
    asyncio.get_running_loop().set_default_executor(threads)
    await stage.deliver()
    async with asyncio.timeout(60):
        await dead.wait()
    await stage.courier.close()
    threads.shutdown()  # what the dead server has begun to remove is gone, or is not
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    stage.objects.put, stage.sender.send = put, send  # type: ignore[method-assign]

    stage.boot()
    left_over = await clean_spool(stage.spool, stage.outbox, now_ms=0)
    await stage.settle()
    await stage.until_quiet()  # the last file is removed after its slice is settled

    assert sorted(set(indexes(stage.sender.sent))) == [0, 1, 2]
    assert await states(stage) == [SliceState.ANNOUNCED] * 3
    first_tries = list(dict.fromkeys(indexes(stage.sender.sent)))
    assert first_tries == [0, 1, 2]
    assert len(stage.spool.entries()) == left_over


async def test_a_commit_that_fails_is_tried_again_and_the_file_stays_until_then(
    stage: Stage,
) -> None:
    await cut(stage, 1.5)
    settle, failures = stage.outbox.settle, 0

    async def fail_at_first(delivery: Delivery, **options: object) -> bool:
        nonlocal failures
        if failures < 3:
            failures += 1
            assert len(stage.spool.entries()) == 1
            raise StoreFailed("the database failed: disk I/O error")
        return await settle(delivery, **options)  # type: ignore[arg-type]

    stage.outbox.settle = fail_at_first  # type: ignore[method-assign]
    await stage.settle()

    assert failures == 3
    assert await states(stage) == [SliceState.ANNOUNCED]
    assert [event.app_id for event in stage.sender.sent] == [APP.app_id]


async def test_a_database_that_cannot_be_read_for_a_while_only_delays(stage: Stage) -> None:
    await cut(stage, 1.5)
    queues, failures = stage.outbox.queues, 0

    async def fail_at_first() -> object:
        nonlocal failures
        failures += 1
        if failures <= 3:
            raise StoreFailed("the database failed: disk I/O error")
        return await queues()

    stage.outbox.queues = fail_at_first  # type: ignore[method-assign, assignment]
    await stage.settle()

    assert await states(stage) == [SliceState.ANNOUNCED]


async def test_a_slice_whose_file_has_vanished_is_a_dead_letter_and_holds_nobody_up(
    stage: Stage,
) -> None:
    await cut(stage, 2.5)
    rows = await stage.store.room_slices(APP.app_id, "room", limit=9)
    [first] = [record for _, record in rows if record.index == 0]
    stage.spool.remove(first.spool_name)

    await stage.settle()

    assert await states(stage) == [SliceState.SPOOLED, SliceState.ANNOUNCED]
    [letter] = await stage.outbox.page(dead=True, after_id=0, limit=9)
    assert letter.last_error == "its file is not in the spool"


async def test_a_bug_in_one_try_stops_nobody_else(stage: Stage) -> None:
    await cut(stage, 2.5)
    put, calls = stage.objects.put, 0

    async def stumble(*args: object, **options: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyError("bug")
        await put(*args, **options)  # type: ignore[arg-type]

    stage.objects.put = stumble  # type: ignore[method-assign]
    await stage.settle()

    assert await states(stage) == [SliceState.ANNOUNCED] * 2


async def test_a_file_that_was_damaged_is_given_up_and_its_lane_goes_on(stage: Stage) -> None:
    await cut(stage, 2.5)
    first = min(stage.store.slices.values(), key=lambda record: record.index)
    stage.spool.path_of(first.spool_name).write_bytes(b"something else")

    await stage.settle()

    assert await states(stage) == [SliceState.SPOOLED, SliceState.ANNOUNCED]
    [letter] = await stage.outbox.page(dead=True, after_id=0, limit=9)
    assert letter.last_error == "its file was damaged"


class TestRetryAfter:
    """A receiver that has asked to be left alone for 100 s, and what else it is to be told."""

    async def announce(self, stage: Stage, number: int) -> None:
        event = an_event(f"{number}", event_type="RoomCreate")
        await stage.announcements.announce(
            replace(event, app_id=APP.app_id), business_id="", lane=f"room {number}"
        )

    @pytest.fixture
    async def asked(self, tmp_path: Path) -> AsyncIterator[Stage]:
        stage = Stage(tmp_path / "spool", app=replace(APP, callback_events=("RoomCreate",)))
        stage.sender.answers.append(Failed(reason="HTTP 429", retry_after_s=100))
        await stage.deliver()
        await self.announce(stage, 0)
        await stage.until_quiet()
        yield stage
        await stage.close()
        stage.spool.close()

    async def test_no_lane_of_it_is_tried_before(self, asked: Stage) -> None:
        for number in range(1, 6):
            await self.announce(asked, number)
        await asked.until_quiet()
        asked.clock.now_ns += 99_900 * 10**6
        await asked.until_quiet()
        assert len(asked.sender.sent) == 1

        await asked.settle()

        assert {event.event_id for event in asked.sender.sent[1:]} == set("012345")
        assert asked.courier.failed_tries[DeliveryKind.CALLBACK] == 1

    async def test_it_is_tried_with_one_event_then(self, asked: Stage) -> None:
        asked.sender.answers.append(Failed(reason="HTTP 429", retry_after_s=100))
        for number in range(1, 6):
            await self.announce(asked, number)

        asked.clock.now_ns += 100 * 10**9
        await asked.until_quiet()

        assert len(asked.sender.sent) == 2

    async def test_it_is_not_left_alone_for_days(self, asked: Stage) -> None:
        asked.sender.answers.append(Failed(reason="HTTP 503", retry_after_s=10**9))
        asked.clock.now_ns += 100 * 10**9
        await asked.until_quiet()
        await self.announce(asked, 1)

        asked.clock.now_ns += MAX_REQUESTED_REST_S * 10**9
        await asked.until_quiet()

        assert [event.event_id for event in asked.sender.sent] == ["0", "0", "1"]


async def test_nobody_to_tell_is_as_good_as_told(stage: Stage) -> None:
    stage.app = replace(APP, callback_events=("RoomCreate",))
    stage.boot()
    await cut(stage, 1.5)

    await stage.settle()

    assert await states(stage) == [SliceState.ANNOUNCED]
    assert not stage.sender.sent


async def test_an_outage_costs_few_tries_and_ends_soon_after_it(stage: Stage) -> None:
    stage.objects.is_down = True
    await cut(stage, 60.5)
    await stage.deliver()
    begun_ns = stage.clock.now_ns
    while stage.clock.now_ns - begun_ns < 3_600 * 10**9:
        await stage.until_quiet()
        stage.clock.turn_to_next_alarm()
    tries = stage.courier.failed_tries[DeliveryKind.UPLOAD]

    stage.objects.is_down = False
    back_ns = stage.clock.now_ns
    await stage.settle()
    drained_s = (stage.clock.now_ns - back_ns) / 1e9

    print(f"60 slices, an hour down: {tries} tries, drained {drained_s:.0f} s after its end")
    assert tries < 3_600 / 8 + 30
    assert drained_s <= 60
    assert [s.index for s in stage.stored("ann")] == list(range(60))


class Bystander:
    """A carrier whose tries of one destination never end."""

    def __init__(self, hanging: str) -> None:
        self.hanging = hanging
        self.under_way: Counter[str] = Counter()
        self.made: list[str] = []

    async def attempt(self, delivery: Delivery) -> Outcome:
        if delivery.destination == self.hanging:
            self.under_way[delivery.destination] += 1
            await asyncio.Event().wait()
        self.made.append(delivery.destination)
        return Made()

    async def settled(self, delivery: Delivery) -> None:
        pass


def a_courier(outbox: Outbox, carrier: Bystander, clock: HandClock) -> Courier:
    return Courier(
        outbox,
        dict.fromkeys(DeliveryKind, carrier),
        clock=clock,
        sleep=clock.sleep,
        chance=lambda: 0.0,
    )


async def test_a_receiver_that_hangs_takes_only_its_share(stage: Stage) -> None:
    for app_id in ("hanging", "sound"):
        for number in range(200):
            event = replace(an_event(f"{app_id}-{number}"), app_id=app_id)
            await stage.outbox.add_event(event, business_id="", lane=f"{app_id}-{number}", now_ms=0)
    carrier = Bystander("hanging")
    courier = a_courier(stage.outbox, carrier, stage.clock)

    await courier.start()
    async with asyncio.timeout(60):
        while len(carrier.made) < 200:
            await asyncio.sleep(0.001)
    await courier.close()

    assert carrier.under_way["hanging"] == LIMITS[DeliveryKind.CALLBACK].per_destination
    assert set(carrier.made) == {"sound"}


async def test_memory_stays_flat_with_100000_deliveries_waiting(tmp_path: Path) -> None:
    store = await SqliteTaskStore.open(tmp_path / "airslice.db", bytes(32))
    await store.save_task(a_task())
    for start in range(0, 100_000, 5_000):
        await asyncio.gather(
            *(store.add_slice(a_record(start + number)) for number in range(5_000))
        )
    outbox, clock = SqliteOutbox(store.database), HandClock()
    destination = (await outbox.queues())[0].destination
    carrier = Bystander(destination)
    courier = a_courier(outbox, carrier, clock)
    gc.collect()
    tracemalloc.start()

    await courier.start()
    async with asyncio.timeout(60):
        while carrier.under_way[destination] < LIMITS[DeliveryKind.UPLOAD].per_destination:
            await asyncio.sleep(0.001)
    held_bytes, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await courier.close()
    await store.close()

    print(f"100,000 waiting: {held_bytes / 1000:.0f} kB held, {peak_bytes / 1000:.0f} kB at most")
    assert courier.waiting == 100_000
    assert peak_bytes < 1_000_000


class TestEvents:
    async def announce(self, stage: Stage, *event_ids: str, event_type: str) -> None:
        for event_id in event_ids:
            event = replace(an_event(event_id, event_type=event_type), app_id=APP.app_id)
            await stage.announcements.announce(event, business_id="", lane="room")

    async def test_an_event_that_somebody_subscribes_to_is_called_back_in_order(
        self, stage: Stage
    ) -> None:
        stage.app = replace(APP, callback_events=("RoomCreate", "RoomDestroy"))
        stage.boot()
        stage.sender.answers.extend([FAILED])

        await self.announce(stage, "1", "2", event_type="RoomCreate")
        await self.announce(stage, "3", event_type="RoomDestroy")
        await stage.settle()

        assert [event.event_id for event in stage.sender.sent] == ["1", "1", "2", "3"]

    async def test_an_event_that_nobody_subscribes_to_never_reaches_the_outbox(
        self, stage: Stage
    ) -> None:
        await self.announce(stage, "1", event_type="RoomCreate")

        assert await stage.outbox.page(dead=None, after_id=0, limit=9) == []
        assert stage.courier.waiting == 0

    async def test_an_event_survives_a_restart(self, stage: Stage) -> None:
        stage.app = replace(APP, callback_events=("RoomCreate",))
        stage.boot()
        await self.announce(stage, "1", event_type="RoomCreate")
        await stage.close()

        stage.boot()
        await stage.settle()

        assert [event.event_id for event in stage.sender.sent] == ["1"]


class TestSpool:
    async def test_tasks_are_refused_while_the_spool_is_nearly_full(self, stage: Stage) -> None:
        stage.objects.is_down = True
        await cut(stage, 3.5)
        used = stage.spool.usage().used
        stage.spool.quota_bytes = round(used / 0.8)

        with pytest.raises(TooManyTasks, match="storage is behind"):
            await stage.tasks.start(ACCOUNT, stage.order("another"))

        assert len(stage.tasks.runs) == 1
        stage.objects.is_down = False
        await stage.settle()
        assert await stage.tasks.start(ACCOUNT, stage.order("another"))

    async def test_a_disk_that_is_nearly_full_counts_as_a_small_quota(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = stage.spool.usage()
        gb = 10**9
        nearly = usage._replace(used=8 * gb, free=2 * gb + 1)
        monkeypatch.setattr(stage.spool, "usage", lambda: nearly)
        assert await stage.tasks.start(ACCOUNT, stage.order())

        full = usage._replace(used=8 * gb, free=2 * gb)
        monkeypatch.setattr(stage.spool, "usage", lambda: full)
        with pytest.raises(TooManyTasks, match=r"8\.0 of 10\.0 GB"):
            await stage.tasks.start(ACCOUNT, stage.order("another"))

    async def test_leftovers_are_kept_for_three_days(self, stage: Stage) -> None:
        await cut(stage, 1.5)
        leftover = stage.spool.path_of("leftover.wav")
        leftover.write_bytes(b"audio")
        modified_ms = leftover.stat().st_mtime_ns // 1_000_000
        names = {entry.name for entry in stage.spool.entries()}

        young = await clean_spool(stage.spool, stage.outbox, now_ms=modified_ms + KEEP_MS - 1)
        assert {entry.name for entry in stage.spool.entries()} == names
        old = await clean_spool(stage.spool, stage.outbox, now_ms=modified_ms + KEEP_MS)

        assert (young, old) == (1, 1)
        assert {entry.name for entry in stage.spool.entries()} == names - {"leftover.wav"}
        await stage.settle()
        assert await states(stage) == [SliceState.ANNOUNCED]


async def test_a_parked_delivery_is_shown_as_such(stage: Stage) -> None:
    stage.sender.answers.extend([FAILED] * 3)
    await cut(stage, 1.5)
    await stage.deliver()
    for _ in range(2):
        await stage.until_quiet()
        stage.clock.turn_to_next_alarm()
    await stage.until_quiet()

    [parked] = await stage.outbox.page(dead=False, after_id=0, limit=9)

    assert (parked.state, parked.attempts) == (DeliveryState.PARKED, 3)
