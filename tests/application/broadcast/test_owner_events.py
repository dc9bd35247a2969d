"""Owners of live jobs are told of events, through the outbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from airslice.application.broadcast.owner_events import OwnerAnnouncements, OwnerEventPost
from airslice.application.delivery.courier import Courier
from airslice.domain.callback import CallbackEvent
from airslice.domain.live_job import LiveJob, rtc_place
from airslice.domain.outbox import DeliveryKind, DeliveryState, Failed, Made, Outcome
from airslice.domain.owner_event import LiveCallback, OwnerEventKind, ParagraphBegan
from airslice.domain.playing import Line
from airslice.domain.script import Cursor, Paragraph, Program, Scene
from airslice.domain.sentences import Sentence
from tests.support.memory.live_jobs import MemoryLiveJobStore
from tests.support.memory.outbox import MemoryOutbox
from tests.support.memory.tasks import MemoryTaskStore
from tests.support.stages.stage import HandClock

CALLBACK = LiveCallback(
    url="https://owner.invalid/", events=(OwnerEventKind.PARAGRAPH_BEGAN,), key="k"
)


def a_paragraph(number: int) -> ParagraphBegan:
    paragraph = Paragraph(number=number)
    scene = Scene(script_id="s", name="scene", paragraphs=(paragraph,))
    return ParagraphBegan(line=Line(Cursor(), scene, paragraph, Sentence(0, ())))


def event_of(job: LiveJob, event: ParagraphBegan, *, event_id: str, at_ms: int) -> CallbackEvent:
    """An event whose facts are the number of its paragraph."""
    return CallbackEvent(
        event_type=event.kind.value,
        event_id=event_id,
        app_id=job.project_id,
        version="v1",
        time_ms=at_ms,
        data=str(event.line.paragraph.number),
    )


@dataclass
class RecordingSender:
    """Keeps what it was to post (port `OwnerEventSender`)."""

    sent: list[tuple[CallbackEvent, LiveCallback]] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)

    async def send(self, event: CallbackEvent, callback: LiveCallback) -> Outcome:
        self.sent.append((event, callback))
        return self.answers.pop(0) if self.answers else Made()

    @property
    def numbers(self) -> list[int]:
        return [int(event.data) for event, _ in self.sent]


class Office:
    """Announcements, their outbox and who delivers them."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.jobs = MemoryLiveJobStore()
        self.sender = RecordingSender()
        self.outbox = MemoryOutbox(MemoryTaskStore())
        self.courier = Courier(
            self.outbox,
            {DeliveryKind.LIVE_EVENT: OwnerEventPost(self.jobs, self.sender)},
            clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
        )
        self.announcements = OwnerAnnouncements(self.outbox, self.courier, event_of)

    async def announce(self, job: LiveJob, *numbers: int) -> None:
        for number in numbers:
            await self.announcements.announce(job, a_paragraph(number))

    async def deliver(self) -> None:
        """Let everything be tried, again and again."""
        await self.courier.start()
        for _ in range(40):
            async with asyncio.timeout(60):
                while (
                    self.courier.under_way
                    or not self.courier.is_resting
                    or self.clock.alarm_is_over
                ):
                    await asyncio.sleep(0.001)
            self.clock.turn_to_next_alarm()
        await self.courier.close()


async def a_job(office: Office, **changes: object) -> LiveJob:
    job = LiveJob(
        job_id="job",
        project_id="project",
        room_id="room",
        room_name="a room",
        program=Program(),
        place=rtc_place("app", "job", has_capture=False),
        created_at_ms=0,
        updated_at_ms=0,
        callback=CALLBACK,
    )
    job = replace(job, **changes)  # type: ignore[arg-type]
    await office.jobs.save_job(job)
    return job


@pytest.fixture
def office() -> Office:
    return Office()


async def test_events_of_a_job_arrive_in_order_even_if_one_is_refused(office: Office) -> None:
    job = await a_job(office)
    office.sender.answers = [Failed(reason="HTTP 500")]
    await office.announce(job, 1, 2, 3)

    await office.deliver()

    assert office.sender.numbers == [1, 1, 2, 3]
    event, callback = office.sender.sent[0]
    assert event.event_type == "SHOOT_SCRIPT_SWITCH"
    assert callback == CALLBACK
    assert await office.outbox.page(dead=None, after_id=0, limit=10) == []


async def test_an_event_is_posted_to_where_the_job_says_now(office: Office) -> None:
    job = await a_job(office)
    await office.announce(job, 1)
    moved = replace(CALLBACK, url="https://elsewhere.invalid/")
    await office.jobs.save_job(replace(job, callback=moved))

    await office.deliver()

    assert [callback for _, callback in office.sender.sent] == [moved]


@pytest.mark.parametrize(
    "callback",
    [None, replace(CALLBACK, url=""), replace(CALLBACK, events=())],
)
async def test_events_that_nobody_subscribes_to_are_not_kept(
    office: Office, callback: LiveCallback | None
) -> None:
    job = await a_job(office, callback=callback)

    await office.announce(job, 1)

    assert await office.outbox.page(dead=None, after_id=0, limit=10) == []


async def test_deliveries_show_events_of_live_jobs(office: Office) -> None:
    job = await a_job(office)
    await office.announce(job, 1, 2)

    first, second = await office.outbox.page(dead=None, after_id=0, limit=10)

    assert (first.kind, first.destination, first.lane) == ("live_event", "project", "live/job")
    assert (first.state, second.state) == (DeliveryState.WAITING, DeliveryState.HELD)
    assert first.event is not None
    assert first.event.event_type == "SHOOT_SCRIPT_SWITCH"


async def test_an_event_of_a_job_that_is_gone_is_given_up(office: Office) -> None:
    job = await a_job(office)
    await office.announce(job, 1)
    office.jobs.by_id.clear()

    await office.deliver()

    [dead] = await office.outbox.page(dead=True, after_id=0, limit=10)
    assert "job" in dead.last_error
    assert office.sender.sent == []
