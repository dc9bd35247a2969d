"""What every CallbackSender does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from airslice.application.ports.callbacks import CallbackSender
from airslice.delivery.volcengine.callback_sender import HttpCallbackSender
from airslice.domain.callback import CallbackReceiver
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import Failed, Gone, Made, Outcome
from tests.support.clock import HandClock
from tests.support.memory.callback_sender import RecordingCallbackSender
from tests.support.values.values import an_event


class Subject(NamedTuple):
    """A sender, and a receiver that takes the first try, is busy, and is gone."""

    sender: CallbackSender
    receiver: CallbackReceiver


OUTCOMES: list[Outcome] = [
    Made(),
    Failed(reason="HTTP 429", retry_after_s=7),
    Gone(reason="HTTP 410"),
]


@pytest.fixture(params=["recording", "http"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "recording":
        receiver = CallbackReceiver(url="http://unused/", secret="")
        yield Subject(RecordingCallbackSender(OUTCOMES), receiver)
        return
    answers = iter([200, 429, 410])

    async def receive(request: web.Request) -> web.Response:
        return web.Response(status=next(answers), headers={"Retry-After": "7"})

    receiving = web.Application()
    receiving.router.add_post("/", receive)
    async with TestServer(receiving) as server:
        sender = HttpCallbackSender(
            HandClock(utc_ms=1_700_000_000_000), AddressRule(["127.0.0.0/8"])
        )
        yield Subject(sender, CallbackReceiver(url=str(server.make_url("/")), secret="secret"))
        await sender.close()


async def test_the_outcome_is_what_came_of_the_try(subject: Subject) -> None:
    outcomes = [await subject.sender.send(an_event(), subject.receiver) for _ in OUTCOMES]

    assert outcomes == OUTCOMES
