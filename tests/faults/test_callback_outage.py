"""A receiver of callbacks that fails, in every way: the sender and its connections are real, the
days are a clock's that is turned by hand."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise

import pytest

from airslice.application.delivery.callback_settings import CallbackSettings
from airslice.application.delivery.callbacks import Announcements, CallbackPost
from airslice.application.delivery.courier import Courier
from airslice.application.delivery.deliveries import Deliveries
from airslice.application.wall_clock import WallClock
from airslice.delivery.volcengine.callback_sender import HttpCallbackSender
from airslice.domain.callback import CallbackEvent, CallbackReceiver
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import DeliveryKind, Outcome
from tests.support.clock import HandClock
from tests.support.memory.callback_settings import MemoryCallbackSettings
from tests.support.memory.outbox import MemoryOutbox
from tests.support.memory.tasks import MemoryTaskStore
from tests.support.server.callback_sink import CallbackSink
from tests.support.server.fault_proxy import (
    ANSWERS_LATE,
    HANGS,
    REFUSES,
    RESETS,
    Fault,
    FaultProxy,
    answers,
)
from tests.support.stages.passing_time import pass_time
from tests.support.stages.stage import APP
from tests.support.values.values import an_event

PATIENCE_S = 0.1
"""How long a receiver is waited for that will not answer, on the machine's clock."""
STREAMS = ("a", "b")
EVENTS = 3
PAUSES_S = (1, 3, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Between tries, as docs/tasks.md promises them."""
THREE_DAYS_S = 3 * 86_400
ELSEWHERE = "Location: http://127.0.0.1:9/"
PASSING = [
    answers(500),
    HANGS,
    RESETS,
    answers(302, ELSEWHERE),
    answers(307, ELSEWHERE),
    REFUSES,
    ANSWERS_LATE,
]


class Receiver(CallbackSink):
    """Keeps the ids of events in the order in which they came."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets[APP.app_id] = APP.callback_secret
        self.received: list[str] = []

    def _take(self, body: bytes, headers: Mapping[str, str]) -> None:
        super()._take(body, headers)
        self.received.append(json.loads(body)["EventId"])


class Tries:
    """Real senders, and when they were asked to send (port `CallbackSender`).

    One of them is impatient, for as long as the receiver will not answer anyhow.
    """

    def __init__(self, clock: HandClock, proxy: FaultProxy) -> None:
        rule = AddressRule(["127.0.0.0/8"])
        self._clock = clock
        self._proxy = proxy
        self._patient = HttpCallbackSender(clock, rule)
        self._impatient = HttpCallbackSender(clock, rule, timeout_s=PATIENCE_S)
        self.at_s: defaultdict[str, list[float]] = defaultdict(list)
        """Of each event, by id."""

    async def send(self, event: CallbackEvent, receiver: CallbackReceiver) -> Outcome:
        self.at_s[event.event_id].append(self._clock.now_ns / 1e9)
        hangs = self._proxy.fault in (HANGS, ANSWERS_LATE)
        return await (self._impatient if hangs else self._patient).send(event, receiver)

    async def close(self) -> None:
        await self._patient.close()
        await self._impatient.close()


class Post:
    """What calls back, a receiver, and the proxy before it."""

    def __init__(self, proxy: FaultProxy, receiver: Receiver) -> None:
        self.proxy = proxy
        self.receiver = receiver
        self.clock = HandClock()
        self.tries = Tries(self.clock, proxy)
        app = replace(APP, callback_url=f"{proxy.origin}/callback")
        settings = CallbackSettings(
            apps={app.app_id: app},
            store=MemoryCallbackSettings(),
            check_url=str,
            wall_clock=WallClock(self.clock),
        )
        outbox = MemoryOutbox(MemoryTaskStore())
        self.courier = Courier(
            outbox,
            {DeliveryKind.CALLBACK: CallbackPost(settings, self.tries)},
            clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
        )
        self.deliveries = Deliveries(outbox, self.courier)
        self._announcements = Announcements(outbox, settings, self.courier)

    async def announce(self) -> None:
        """Let three things happen in each of two streams."""
        for number in range(EVENTS):
            for stream in STREAMS:
                event = replace(
                    an_event(f"{stream}{number}"), app_id=APP.app_id, data='{"Data":[]}'
                )
                await self._announcements.announce(event, business_id="", lane=stream)

    async def pass_time(self, seconds: float) -> None:
        await pass_time(self.clock, self.courier, seconds)

    def of_stream(self, stream: str) -> list[str]:
        """What arrived of a stream, each event once, in order."""
        return list(dict.fromkeys(e for e in self.receiver.received if e.startswith(stream)))

    def pauses_s(self, event_id: str) -> list[int]:
        """Between the tries of an event, in whole seconds."""
        return [round(b - a) for a, b in pairwise(self.tries.at_s[event_id])]


def all_of(stream: str) -> list[str]:
    return [f"{stream}{number}" for number in range(EVENTS)]


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with AsyncExitStack() as stack:
        receiver = Receiver()
        stack.callback(receiver.close)
        port = int(receiver.origin.rpartition(":")[2])
        proxy = await stack.enter_async_context(FaultProxy(port))
        made = Post(proxy, receiver)
        stack.push_async_callback(made.tries.close)
        stack.push_async_callback(made.courier.close)
        await made.courier.start()
        yield made
    assert not receiver.problems


@pytest.mark.parametrize("fault", PASSING, ids=str)
async def test_after_twenty_minutes_every_event_comes_when_its_next_try_is_due(
    post: Post, fault: Fault
) -> None:
    await post.proxy.fail(fault)
    await post.announce()
    await post.pass_time(20 * 60)
    received_before = len(post.receiver.received)

    await post.proxy.fail(None)
    await post.pass_time(40 * 60)

    tries = sum(map(len, post.tries.at_s.values()))
    print(
        f"a receiver that {fault}: {tries} tries of {2 * EVENTS} events, the last one"
        f" {post.tries.at_s['a2'][-1] - post.tries.at_s['a0'][0]:.0f} s after the first"
    )
    assert bool(received_before) == (fault is ANSWERS_LATE)
    for stream in STREAMS:
        assert post.of_stream(stream) == all_of(stream)
        for event_id in all_of(stream):
            assert post.pauses_s(event_id) == [*PAUSES_S[:5]]
    assert post.courier.waiting == 0


@pytest.mark.parametrize("fault", PASSING, ids=str)
async def test_a_short_outage_changes_no_order(post: Post, fault: Fault) -> None:
    await post.proxy.fail(fault)
    await post.announce()
    await post.pass_time(2)

    await post.proxy.fail(None)
    await post.pass_time(10)

    for stream in STREAMS:
        assert post.of_stream(stream) == all_of(stream)
        assert [post.pauses_s(event_id) for event_id in all_of(stream)] == [[1, 3], [], []]


async def test_a_receiver_that_fails_for_days_is_tried_on_schedule_and_then_no_more(
    post: Post,
) -> None:
    await post.proxy.fail(answers(500))
    await post.announce()
    await post.pass_time(2 * THREE_DAYS_S)
    given_up = len(await post.deliveries.page(dead=True, after_id=0, limit=100))

    await post.proxy.fail(None)
    revived = await post.deliveries.retry_dead()
    await post.pass_time(60)

    assert given_up == revived == len(STREAMS) * EVENTS
    for stream in STREAMS:
        assert post.of_stream(stream) == all_of(stream)
        for event_id in all_of(stream):
            assert post.pauses_s(event_id)[:-1] == [*PAUSES_S]


async def test_a_receiver_that_is_gone_is_asked_once_until_somebody_wants_more(
    post: Post,
) -> None:
    await post.proxy.fail(answers(410))
    await post.announce()
    await post.pass_time(THREE_DAYS_S)
    tries = [len(at_s) for at_s in post.tries.at_s.values()]

    await post.proxy.fail(None)
    await post.deliveries.retry_dead()
    await post.pass_time(60)

    assert tries == [1] * len(STREAMS) * EVENTS
    assert [post.of_stream(stream) for stream in STREAMS] == [all_of(s) for s in STREAMS]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_that_asks_for_a_pause_gets_it(post: Post, status: int) -> None:
    await post.proxy.fail(answers(status, "Retry-After: 120"))
    await post.announce()
    await post.pass_time(200)

    await post.proxy.fail(None)
    await post.pass_time(3_600)

    for stream in STREAMS:
        assert post.of_stream(stream) == all_of(stream)
        pauses_s = post.pauses_s(f"{stream}0")
        assert pauses_s
        assert min(pauses_s) >= 120
