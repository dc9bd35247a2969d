from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from airslice.delivery.volcengine.callback_sender import HttpCallbackSender
from airslice.demo.receiver import CallbackReceiver
from airslice.domain.callback import CallbackReceiver as ReceiverAddress
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import Failed, Made, Outcome
from tests.support.stages.stage import HandClock
from tests.support.values.values import an_event

SLICES = json.dumps({"Bucket": "demo", "Data": [{"ObjectKey": "a.wav"}, {"ObjectKey": "b.wav"}]})
EVENT = replace(an_event(), data=SLICES)


@pytest.fixture
async def receiver() -> AsyncIterator[CallbackReceiver]:
    receiver = CallbackReceiver()
    receiver.secret = "the secret"
    yield receiver
    await receiver.close()


async def sent(url: str, secret: str, times: int = 1) -> list[Outcome]:
    """Post the event as the server does."""
    sender = HttpCallbackSender(HandClock(), AddressRule(["127.0.0.0/8"]))
    address = ReceiverAddress(url=url, secret=secret)
    outcomes = [await sender.send(EVENT, address) for _ in range(times)]
    await sender.close()
    return outcomes


async def test_the_slices_of_a_verified_callback_are_handed_out_once(
    receiver: CallbackReceiver,
) -> None:
    outcomes = await sent(await receiver.start(), "the secret", times=2)

    assert outcomes == [Made(), Made()]
    assert (receiver.verified, receiver.refused) == (1, 0)
    assert [receiver.slices.get_nowait() for _ in range(receiver.slices.qsize())] == [
        {"ObjectKey": "a.wav", "Bucket": "demo"},
        {"ObjectKey": "b.wav", "Bucket": "demo"},
    ]


async def test_a_callback_with_another_secret_is_refused(receiver: CallbackReceiver) -> None:
    (outcome,) = await sent(await receiver.start(), "another")

    assert isinstance(outcome, Failed)
    assert (receiver.verified, receiver.refused) == (0, 1)
    assert receiver.slices.empty()
