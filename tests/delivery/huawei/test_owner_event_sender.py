"""The events of live jobs on the wire."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from airslice.delivery.huawei.owner_event_sender import HttpOwnerEventSender
from airslice.domain.callback import CallbackEvent
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import Failed, Gone, Made
from airslice.domain.owner_event import CallbackAuth, LiveCallback
from tests.support.clock import HandClock
from tests.support.stages.fixed_names import FixedNames

KEY = "GCTbw44s6MPLh4GqgDpnfuFHgy25Enly"
NOW_S = 0x66DF9308
EVENT = CallbackEvent(
    event_type="SHOOT_SCRIPT_SWITCH",
    event_id="event",
    app_id="project",
    version="v1",
    time_ms=0,
    data='{"shoot_script_title":"段落2"}',
)


@dataclass
class Owner:
    """A receiver of events, on loopback."""

    requests: list[tuple[web.BaseRequest, bytes]] = field(default_factory=list)
    status: int = 200
    url: str = ""

    async def receive(self, request: web.Request) -> web.Response:
        self.requests.append((request, await request.read()))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest_asyncio.fixture
async def owner() -> AsyncIterator[Owner]:
    owner = Owner()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", owner.receive)
    async with TestServer(app) as server:
        owner.url = str(server.make_url("/cb"))
        yield owner


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[HttpOwnerEventSender]:
    sender = HttpOwnerEventSender(HandClock(utc_ms=NOW_S * 1_000), AddressRule(["127.0.0.0/8"]))
    yield sender
    await sender.close()


async def test_an_event_is_posted_as_json_whose_message_is_text(
    owner: Owner, sender: HttpOwnerEventSender
) -> None:
    outcome = await sender.send(EVENT, LiveCallback(url=owner.url + "?token=own#part"))

    [(request, body)] = owner.requests
    assert outcome == Made()
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert request.path_qs == "/cb?token=own"
    assert json.loads(body) == {"event_type": "SHOOT_SCRIPT_SWITCH", "message": EVENT.data}
    assert "x-hw-mss-secret" not in request.headers


async def test_a_receiver_can_verify_the_query(owner: Owner, sender: HttpOwnerEventSender) -> None:
    for query in ("?z=1&a=2%2F3", ""):
        callback = LiveCallback(url=owner.url + query, auth=CallbackAuth.QUERY, key=KEY)
        assert await sender.send(EVENT, callback) == Made()
        request, _ = owner.requests[-1]
        path, _, rest = request.path_qs.partition("?")
        *own, secret, time = rest.split("&")
        signed = request.host + path + ("?" + "&".join(sorted(own)) if own else "") + "66df9308"
        expected = hmac.new(KEY.encode(), signed.encode(), hashlib.sha256).hexdigest()
        assert (secret, time) == (f"hwSecret={expected}", "hwTime=66df9308")


async def test_a_receiver_can_verify_the_headers(
    owner: Owner, sender: HttpOwnerEventSender
) -> None:
    callback = LiveCallback(url=owner.url + "?b=1&a=2", auth=CallbackAuth.HEADERS, key=KEY)

    await sender.send(EVENT, callback)

    [(request, _)] = owner.requests
    signed = f"{request.host}/cb?a=2&b=166df9308"
    assert request.path_qs == "/cb?b=1&a=2"
    assert request.headers["x-hw-mss-time"] == "66df9308"
    assert (
        request.headers["x-hw-mss-secret"]
        == hmac.new(KEY.encode(), signed.encode(), hashlib.sha256).hexdigest()
    )


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_any_success_is_success(
    owner: Owner, sender: HttpOwnerEventSender, status: int
) -> None:
    owner.status = status

    assert await sender.send(EVENT, LiveCallback(url=owner.url)) == Made()


@pytest.mark.parametrize("status", [302, 400, 500])
async def test_anything_else_is_tried_again_and_redirects_are_not_followed(
    owner: Owner, sender: HttpOwnerEventSender, status: int
) -> None:
    owner.status = status

    outcome = await sender.send(EVENT, LiveCallback(url=owner.url))

    assert outcome == Failed(reason=f"HTTP {status}")
    assert len(owner.requests) == 1


async def test_a_receiver_that_is_gone_is_not_tried_again(
    owner: Owner, sender: HttpOwnerEventSender
) -> None:
    owner.status = 410

    assert await sender.send(EVENT, LiveCallback(url=owner.url)) == Gone(reason="HTTP 410")


async def test_an_unknown_signature_is_not_sent_unsigned(
    owner: Owner, sender: HttpOwnerEventSender
) -> None:
    callback = LiveCallback(url=owner.url, auth=CallbackAuth.MEITUAN)

    assert isinstance(await sender.send(EVENT, callback), Gone)
    assert owner.requests == []


async def test_plain_http_leads_only_into_listed_networks(owner: Owner) -> None:
    names = FixedNames(["8.8.8.8"], ["127.0.0.1"])
    sender = HttpOwnerEventSender(
        HandClock(utc_ms=NOW_S * 1_000), AddressRule(["127.0.0.0/8"]), names=names
    )
    port = URL(owner.url).port

    refused = await sender.send(EVENT, LiveCallback(url=f"http://public.example:{port}/cb"))
    taken = await sender.send(EVENT, LiveCallback(url=f"HTTP://inside.example:{port}/cb"))
    await sender.close()

    assert isinstance(refused, Failed)
    assert "refused" in refused.reason
    assert taken == Made()


def test_a_key_is_not_shown() -> None:
    assert KEY not in repr(LiveCallback(url="https://a/", key=KEY))
