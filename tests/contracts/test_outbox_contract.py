"""What every Outbox does."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from airslice.application.ports.outbox import Outbox
from airslice.application.ports.records import TaskStore
from airslice.domain.outbox import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Failed,
    Gone,
    Made,
    Outcome,
)
from airslice.domain.room import StreamKey
from airslice.domain.slice_record import SliceState
from airslice.domain.slice_task import TaskState
from airslice.persistence.sqlite.outbox import SqliteOutbox
from airslice.persistence.sqlite.tasks import SqliteTaskStore
from tests.support.memory.outbox import MemoryOutbox
from tests.support.memory.tasks import MemoryTaskStore
from tests.support.values.values import ALICE, APP_ID, KEY, TARGET, a_record, a_task, an_event

BOB = StreamKey("bob")
FAILED = Failed(reason="HTTP 500")
FAR = 10**15
NOW = 1_000_000


@dataclass
class Subject:
    """A store and its outbox, as two servers see it."""

    store: TaskStore
    outbox: Outbox
    other: Outbox

    async def due(
        self, kind: DeliveryKind | None = None, *, now_ms: int = NOW, limit: int = 100
    ) -> list[Delivery]:
        """Claim what is due."""
        claimed: list[Delivery] = []
        for queue in await self.outbox.queues():
            if kind in (None, queue.kind):
                claimed += await self.outbox.claim(
                    queue, now_ms=now_ms, until_ms=now_ms + 60_000, limit=limit
                )
        return claimed

    async def end(
        self, delivery: Delivery, outcome: Outcome, *, now_ms: int = NOW, announced: bool = True
    ) -> bool:
        """Settle a try; an upload is followed by a callback, unless nobody is to be told."""
        after = delivery.after(outcome, now_ms=now_ms, chance=0)
        then = None
        if announced and after.kind is DeliveryKind.UPLOAD and after.state is DeliveryState.DONE:
            assert after.slice is not None
            then = an_event(f"event-{after.slice.stream.user_id}-{after.slice.index}")
        return await self.outbox.settle(
            after, now_ms=now_ms, then=then, business_id="business" if then else ""
        )

    async def upload(self, *records: tuple[StreamKey, int]) -> None:
        """Add slices, and store them."""
        for stream, index in records:
            await self.store.add_slice(a_record(index, stream=stream))
        for delivery in await self.due(DeliveryKind.UPLOAD):
            assert await self.end(delivery, Made())

    async def states(self) -> dict[int, SliceState]:
        """How far each slice has come, by index."""
        rows = await self.store.room_slices(APP_ID, "room", limit=500)
        return {record.index: record.state for _, record in rows}

    async def callbacks(self, *, now_ms: int = NOW, limit: int = 100) -> list[Delivery]:
        return await self.due(DeliveryKind.CALLBACK, now_ms=now_ms, limit=limit)


@pytest.fixture(params=["memory", "sqlite"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    if request.param == "memory":
        memory = MemoryTaskStore()
        await memory.save_task(a_task())
        yield Subject(memory, MemoryOutbox(memory), MemoryOutbox(memory))
        return
    sqlite = await SqliteTaskStore.open(tmp_path / "airslice.db", bytes(32))
    await sqlite.save_task(a_task())
    yield Subject(sqlite, SqliteOutbox(sqlite.database), SqliteOutbox(sqlite.database))
    await sqlite.close()


def ids(deliveries: list[Delivery]) -> list[str]:
    return [delivery.event.event_id for delivery in deliveries if delivery.event]


async def test_an_added_slice_is_to_be_uploaded_at_once(subject: Subject) -> None:
    await subject.store.add_slice(a_record())

    [upload] = await subject.due()

    assert upload.kind is DeliveryKind.UPLOAD
    assert upload.destination == f"{TARGET.vendor}/{TARGET.bucket}"
    assert upload.slice is not None
    assert (upload.slice.run_id, upload.slice.stream, upload.slice.index) == ("run-1", ALICE, 0)
    assert upload.spool_name == a_record().spool_name
    assert await subject.outbox.slice_of(upload) == (a_task(), a_record())


async def test_adding_a_slice_again_adds_no_upload(subject: Subject) -> None:
    for _ in range(2):
        await subject.store.add_slice(a_record())

    assert len(await subject.due()) == 1


async def test_what_is_claimed_nobody_else_gets_until_the_claim_expires(subject: Subject) -> None:
    await subject.store.add_slice(a_record())
    [queue] = await subject.outbox.queues()

    first = await subject.outbox.claim(queue, now_ms=NOW, until_ms=NOW + 60_000, limit=9)
    meanwhile = await subject.other.claim(queue, now_ms=NOW + 59_999, until_ms=FAR, limit=9)
    later = await subject.other.claim(queue, now_ms=NOW + 60_000, until_ms=FAR, limit=9)

    assert [len(first), len(meanwhile), len(later)] == [1, 0, 1]


async def test_a_claim_that_was_lost_settles_nothing(subject: Subject) -> None:
    await subject.store.add_slice(a_record())
    [upload] = await subject.due()
    [queue] = await subject.outbox.queues()
    await subject.other.claim(queue, now_ms=FAR, until_ms=FAR + 1, limit=9)

    assert not await subject.end(upload, Made())

    assert await subject.states() == {0: SliceState.SPOOLED}
    assert await subject.outbox.find(upload.id) is not None


async def test_a_delivery_is_settled_once(subject: Subject) -> None:
    await subject.store.add_slice(a_record())
    [upload] = await subject.due()

    assert [await subject.end(upload, Made()) for _ in range(2)] == [True, False]

    assert len(await subject.callbacks()) == 1


async def test_recovery_voids_all_claims(subject: Subject) -> None:
    await subject.store.add_slice(a_record())
    await subject.due()

    assert await subject.other.recover(now_ms=NOW) == 1

    [queue] = await subject.other.queues()
    assert len(await subject.other.claim(queue, now_ms=NOW, until_ms=FAR, limit=9)) == 1


async def test_recovery_makes_due_what_a_dead_server_was_trying(subject: Subject) -> None:
    await subject.upload((ALICE, 0))
    [callback] = await subject.callbacks()

    await subject.other.recover(now_ms=NOW)

    assert not await subject.end(callback, Made())
    assert ids(await subject.callbacks()) == ["event-alice-0"]


async def test_recovery_makes_uploads_due_but_keeps_the_schedule_of_callbacks(
    subject: Subject,
) -> None:
    await subject.upload((ALICE, 0))
    await subject.store.add_slice(a_record(1))
    for delivery in await subject.due():
        await subject.end(delivery, Failed(reason="busy", retry_after_s=600))

    on_their_way = await subject.outbox.recover(now_ms=NOW)

    assert on_their_way == 2
    assert [delivery.kind for delivery in await subject.due()] == [DeliveryKind.UPLOAD]


async def test_a_stored_slice_is_to_be_announced(subject: Subject) -> None:
    await subject.upload((ALICE, 0))

    [callback] = await subject.callbacks()

    assert await subject.states() == {0: SliceState.STORED}
    assert callback.event == an_event("event-alice-0")
    assert (callback.destination, callback.business_id) == (APP_ID, "business")
    assert await subject.end(callback, Made())
    assert await subject.states() == {0: SliceState.ANNOUNCED}
    assert await subject.outbox.page(dead=None, after_id=0, limit=9) == []


async def test_a_stored_slice_of_which_nobody_is_told_is_done(subject: Subject) -> None:
    await subject.store.add_slice(a_record())
    [upload] = await subject.due()

    await subject.end(upload, Made(), announced=False)

    assert await subject.states() == {0: SliceState.ANNOUNCED}
    assert await subject.outbox.queues() == []


async def test_uploads_of_a_lane_do_not_wait_for_each_other(subject: Subject) -> None:
    for index in range(3):
        await subject.store.add_slice(a_record(index))

    assert len(await subject.due()) == 3


async def test_a_callback_waits_for_the_uploads_before_it(subject: Subject) -> None:
    for index in range(3):
        await subject.store.add_slice(a_record(index))
    first, second, third = await subject.due()

    await subject.end(third, Made())
    await subject.end(second, Made())
    assert await subject.callbacks() == []
    await subject.end(first, Made())

    assert ids(await subject.callbacks()) == ["event-alice-0"]


async def test_callbacks_of_a_lane_come_one_after_another(subject: Subject) -> None:
    await subject.upload((ALICE, 0), (ALICE, 1), (ALICE, 2))

    seen = []
    while found := await subject.callbacks():
        seen.append(ids(found))
        await subject.end(found[0], Made())

    assert seen == [["event-alice-0"], ["event-alice-1"], ["event-alice-2"]]


async def test_lanes_do_not_wait_for_each_other(subject: Subject) -> None:
    await subject.upload((ALICE, 0), (ALICE, 1), (BOB, 0))

    assert sorted(ids(await subject.callbacks())) == ["event-alice-0", "event-bob-0"]


async def test_a_failed_callback_holds_its_lane_until_it_is_parked(subject: Subject) -> None:
    await subject.upload((ALICE, 0), (ALICE, 1))

    tried, now_ms = [], NOW
    for _ in range(4):
        [callback] = await subject.callbacks(now_ms=now_ms)
        tried += ids([callback])
        await subject.end(callback, FAILED, now_ms=now_ms)
        now_ms += 3_000

    assert tried == ["event-alice-0"] * 3 + ["event-alice-1"]
    [parked] = [d for d in await subject.callbacks(now_ms=now_ms) if "alice-0" in ids([d])[0]]
    assert parked.state is DeliveryState.PARKED
    assert (parked.attempts, parked.last_error) == (3, "HTTP 500")


async def test_a_lane_goes_on_after_a_callback_that_is_given_up(subject: Subject) -> None:
    await subject.upload((ALICE, 0), (ALICE, 1))
    [callback] = await subject.callbacks()

    await subject.end(callback, Gone(reason="HTTP 410"))

    assert await subject.states() == {0: SliceState.GIVEN_UP, 1: SliceState.STORED}
    assert ids(await subject.callbacks()) == ["event-alice-1"]


async def test_a_lane_goes_on_after_an_upload_that_is_given_up(subject: Subject) -> None:
    for index in range(2):
        await subject.store.add_slice(a_record(index))
    first, second = await subject.due()
    await subject.end(second, Made())

    await subject.end(first, Gone(reason="its file is not in the spool"))

    assert ids(await subject.callbacks()) == ["event-alice-1"]
    assert await subject.states() == {0: SliceState.SPOOLED, 1: SliceState.STORED}


async def test_an_event_that_is_no_slice_has_its_place_in_its_lane(subject: Subject) -> None:
    for number in range(3):
        await subject.outbox.add_event(
            an_event(f"event-{number}"), business_id="b", lane="room", now_ms=NOW
        )
    await subject.outbox.add_event(an_event("other"), business_id="", lane="other", now_ms=NOW)

    first = await subject.callbacks()
    assert sorted(ids(first)) == ["event-0", "other"]
    for delivery in first:
        await subject.end(delivery, Made())

    [second] = await subject.callbacks()
    assert (ids([second]), second.business_id, second.slice) == (["event-1"], "b", None)


async def test_an_event_of_a_live_job_is_a_kind_of_its_own_with_the_same_lanes(
    subject: Subject,
) -> None:
    for number in range(2):
        await subject.outbox.add_event(
            an_event(f"event-{number}"),
            kind=DeliveryKind.LIVE_EVENT,
            business_id="job",
            lane="live/job",
            now_ms=NOW,
        )
    assert await subject.callbacks() == []
    [first] = await subject.due(DeliveryKind.LIVE_EVENT)
    await subject.end(first, Gone(reason="HTTP 410"))
    [second] = await subject.due(DeliveryKind.LIVE_EVENT)
    await subject.end(second, Gone(reason="HTTP 410"))
    revived = [await subject.outbox.revive(d.id, now_ms=NOW) for d in (first, second)]

    assert [d.state for d in revived if d] == [DeliveryState.WAITING, DeliveryState.HELD]
    [again] = await subject.due(DeliveryKind.LIVE_EVENT)
    assert (again.id, again.kind, again.business_id) == (first.id, "live_event", "job")


async def test_the_longest_due_come_first_and_not_more_than_wanted(subject: Subject) -> None:
    await subject.upload(*((StreamKey(f"user-{n}"), 0) for n in range(4)))
    early, *late = await subject.callbacks()
    await subject.end(early, FAILED)
    for delivery in late:
        await subject.end(delivery, Failed(reason="busy", retry_after_s=9))

    found = await subject.callbacks(now_ms=NOW + 20_000, limit=2)

    assert len(found) == 2
    assert found[0].id == early.id


async def test_a_queue_tells_when_its_first_delivery_is_due(subject: Subject) -> None:
    await subject.upload((ALICE, 0), (BOB, 0))
    first, second = await subject.callbacks()
    await subject.end(first, Failed(reason="busy", retry_after_s=30))
    await subject.end(second, Failed(reason="busy", retry_after_s=20))

    [queue] = await subject.outbox.queues()

    assert (queue.kind, queue.destination) == (DeliveryKind.CALLBACK, APP_ID)
    assert queue.due_at_ms == NOW + 20_000


async def test_there_is_a_queue_for_each_destination(subject: Subject) -> None:
    other = a_task("run-2", key=KEY._replace(app_id="other"), storage=replace(TARGET, bucket="b2"))
    await subject.store.save_task(other)
    await subject.store.add_slice(a_record(0, run_id="run-2"))
    await subject.store.add_slice(a_record(0))
    await subject.outbox.add_event(an_event(), business_id="", lane="room", now_ms=NOW)
    elsewhere = replace(an_event(), app_id="other")
    await subject.outbox.add_event(elsewhere, business_id="", lane="room 2", now_ms=NOW)

    found = {(queue.kind.value, queue.destination) for queue in await subject.outbox.queues()}

    assert found == {
        ("upload", f"{TARGET.vendor}/{TARGET.bucket}"),
        ("upload", f"{TARGET.vendor}/b2"),
        ("callback", APP_ID),
        ("callback", "other"),
    }


async def test_a_dead_letter_can_be_sent_again(subject: Subject) -> None:
    await subject.upload((ALICE, 0))
    [callback] = await subject.callbacks()
    await subject.end(callback, Gone(reason="HTTP 410"))

    revived = await subject.outbox.revive(callback.id, now_ms=NOW + 7)

    assert revived is not None
    assert (revived.state, revived.attempts) == (DeliveryState.WAITING, 0)
    assert await subject.states() == {0: SliceState.STORED}
    [again] = await subject.callbacks(now_ms=NOW + 7)
    assert await subject.end(again, Made())
    assert await subject.states() == {0: SliceState.ANNOUNCED}


async def test_a_revived_callback_takes_its_place_in_the_lane(subject: Subject) -> None:
    await subject.upload((ALICE, 0), (ALICE, 1), (ALICE, 2))
    for _ in range(2):
        [callback] = await subject.callbacks()
        await subject.end(callback, Gone(reason="HTTP 410"))
    dead = await subject.outbox.page(dead=True, after_id=0, limit=9)

    for letter in reversed(dead):
        await subject.outbox.revive(letter.id, now_ms=NOW)

    seen = []
    while found := await subject.callbacks():
        seen += ids(found)
        for delivery in found:
            await subject.end(delivery, Made())
    assert sorted(seen) == ["event-alice-0", "event-alice-1", "event-alice-2"]
    assert seen.index("event-alice-0") < seen.index("event-alice-1")


async def test_only_what_is_dead_or_parked_and_not_being_tried_is_revived(
    subject: Subject,
) -> None:
    await subject.upload((ALICE, 0), (ALICE, 1))
    [claimed] = await subject.callbacks()
    [_, held] = await subject.outbox.page(dead=None, after_id=0, limit=9)

    assert await subject.outbox.revive(12_345, now_ms=NOW) is None
    unchanged = await subject.outbox.revive(held.id, now_ms=NOW)
    still_claimed = await subject.outbox.revive(claimed.id, now_ms=NOW)

    assert unchanged is not None
    assert unchanged.state is DeliveryState.HELD
    assert still_claimed is not None
    assert await subject.callbacks() == []
    assert await subject.end(claimed, Made())


async def test_deliveries_are_listed_by_state_and_page(subject: Subject) -> None:
    await subject.upload(*((StreamKey(f"user-{n}"), 0) for n in range(5)))
    for number, callback in enumerate(await subject.callbacks()):
        if number % 2:
            await subject.end(callback, Gone(reason="HTTP 410"))
    page = subject.outbox.page

    everything = [delivery.id for delivery in await page(dead=None, after_id=0, limit=9)]
    dead = [delivery.id for delivery in await page(dead=True, after_id=0, limit=9)]
    pending = [delivery.id for delivery in await page(dead=False, after_id=0, limit=9)]

    assert everything == sorted(everything) == sorted([*dead, *pending])
    assert (len(dead), len(pending)) == (2, 3)
    rest = await page(dead=None, after_id=everything[1], limit=2)
    assert [delivery.id for delivery in rest] == everything[2:4]


async def test_ids_are_not_used_again(subject: Subject) -> None:
    await subject.upload((ALICE, 0))
    [callback] = await subject.callbacks()
    await subject.end(callback, Made())

    await subject.store.add_slice(a_record(1))

    [upload] = await subject.due()
    assert upload.id > callback.id


async def test_which_files_are_awaited(subject: Subject) -> None:
    await subject.upload((ALICE, 0))
    await subject.store.add_slice(a_record(1))

    assert await subject.outbox.awaited(["spool-0", "spool-1", "spool-2"]) == {"spool-1"}


async def test_what_is_forgotten_leaves_no_deliveries(subject: Subject) -> None:
    await subject.store.save_task(a_task(state=TaskState.ENDED, ended_at_ms=5))
    await subject.upload((ALICE, 0))
    [callback] = await subject.callbacks()
    await subject.end(callback, Gone(reason="HTTP 410"))

    await subject.store.forget_before(6)

    assert await subject.outbox.page(dead=None, after_id=0, limit=9) == []


async def test_two_servers_share_the_work(subject: Subject) -> None:
    for index in range(50):
        await subject.store.add_slice(a_record(index))
    [queue] = await subject.outbox.queues()

    async def take(outbox: Outbox) -> list[int]:
        found = await outbox.claim(queue, now_ms=NOW, until_ms=FAR, limit=30)
        return [delivery.id for delivery in found]

    mine, theirs = await asyncio.gather(take(subject.outbox), take(subject.other))

    assert len(mine) + len(theirs) == 50
    assert not set(mine) & set(theirs)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_fails_nothing_is_lost_and_first_tries_keep_their_order(
    subject: Subject, seed: int
) -> None:
    chance = random.Random(seed)
    streams = [StreamKey(f"user-{n}") for n in range(3)]
    for index in range(8):
        for stream in streams:
            await subject.store.add_slice(a_record(index, stream=stream))
    first_tries: defaultdict[str, list[int]] = defaultdict(list)
    made, now_ms = set(), NOW

    for _ in range(10_000):
        if not await subject.outbox.queues():
            break
        now_ms += chance.choice([1_000, 10_000, 10_000_000])
        found = await subject.due(now_ms=now_ms, limit=chance.randint(1, 4))
        for delivery in chance.sample(found, len(found)):
            if delivery.kind is DeliveryKind.CALLBACK:
                seen = first_tries[delivery.lane]
                if delivery.position not in seen:
                    seen.append(delivery.position)
            outcome: Outcome = chance.choice((Made(), Made(), FAILED))
            if delivery.attempts == 11:
                outcome = Made()  # rather than a dead letter
            await subject.end(delivery, outcome, now_ms=now_ms)
            if outcome == Made() and delivery.event:
                made.add(delivery.event.event_id)

    assert await subject.outbox.page(dead=None, after_id=0, limit=9) == []
    assert made == {f"event-{s.user_id}-{n}" for s in streams for n in range(8)}
    assert [*first_tries.values()] == [list(range(8))] * 3
