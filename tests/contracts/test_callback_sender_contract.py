"""What every CallbackSender does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from airslice.application.ports import CallbackSender, Clock
from airslice.delivery.recording import RecordingCallbackSender
from airslice.delivery.sender import HttpCallbackSender
from airslice.domain.apps import RtcApp
from airslice.domain.destination import AddressRule
from tests.contracts.values import APP_ID, a_record, a_task


class Subject(NamedTuple):
    """A sender, and an application whose receiver takes the first and third try only."""

    sender: CallbackSender
    app: RtcApp


class StoppedClock(Clock):
    def monotonic_ns(self) -> int:
        return 0

    def utc_ns(self) -> int:
        return 1_700_000_000_000_000_000


@pytest.fixture(params=["recording", "http"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    app = RtcApp(app_id=APP_ID, app_key="key", account_id="1", callback_url="http://unused/")
    if request.param == "recording":
        yield Subject(RecordingCallbackSender([True, False, True]), app)
        return
    answers = iter([200, 500, 200])

    async def receive(request: web.Request) -> web.Response:
        return web.Response(status=next(answers))

    receiver = web.Application()
    receiver.router.add_post("/", receive)
    async with TestServer(receiver) as server:
        sender = HttpCallbackSender(StoppedClock(), AddressRule(["127.0.0.0/8"]))
        yield Subject(sender, replace(app, callback_url=str(server.make_url("/"))))
        await sender.close()


async def test_the_answer_is_whether_the_receiver_took_it(subject: Subject) -> None:
    tries = [await subject.sender.send(subject.app, a_task(), a_record()) for _ in range(3)]

    assert tries == [True, False, True]


async def test_nobody_to_tell_is_success(subject: Subject) -> None:
    silent = replace(subject.app, callback_url=None)

    assert await subject.sender.send(silent, a_task(), a_record())
