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

from airslice.delivery.destination import DestinationRefused
from airslice.delivery.live_event import hw_time, live_event_signature
from airslice.delivery.live_event_sender import HttpLiveEventSender, validate_live_url
from airslice.domain.callback import CallbackEvent
from airslice.domain.destination import AddressRule
from airslice.domain.live_callback import CallbackAuth, LiveCallback
from airslice.domain.outbox import Failed, Gone, Made
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
async def sender() -> AsyncIterator[HttpLiveEventSender]:
    sender = HttpLiveEventSender(HandClock(utc_ms=NOW_S * 1_000), AddressRule(["127.0.0.0/8"]))
    yield sender
    await sender.close()


def test_the_signature_is_that_of_the_documented_example() -> None:
    url = URL("https://api.example.com/v1/products?live_id=111&limit=10&offset=0")

    assert hw_time(NOW_S) == "66df9308"
    assert live_event_signature(url, "66df9308", key=KEY) == (
        "5e7fe8869a12a87ea966d9edbc02e38cd4ce62c73b8b05c638f15835e78902d7"
    )


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://a.example", "a.example/"),
        ("https://a.example:443/x?", "a.example/x"),
        ("https://a.example:8443/x?b=2&a=1&a=0", "a.example:8443/x?a=1&a=0&b=2"),
        ("http://a.example:80/%E4%BD%A0?q=a%20b", "a.example/%E4%BD%A0?q=a%20b"),
    ],
)
def test_what_is_signed_is_the_address_without_its_scheme(url: str, signed: str) -> None:
    expected = hmac.new(b"key", (signed + "ff").encode(), hashlib.sha256).hexdigest()

    assert live_event_signature(URL(url), "ff", key="key") == expected


async def test_an_event_is_posted_as_json_whose_message_is_text(
    owner: Owner, sender: HttpLiveEventSender
) -> None:
    outcome = await sender.send(EVENT, LiveCallback(url=owner.url + "?token=own#part"))

    [(request, body)] = owner.requests
    assert outcome == Made()
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert request.path_qs == "/cb?token=own"
    assert json.loads(body) == {"event_type": "SHOOT_SCRIPT_SWITCH", "message": EVENT.data}
    assert "x-hw-mss-secret" not in request.headers


async def test_a_receiver_can_verify_the_query(owner: Owner, sender: HttpLiveEventSender) -> None:
    for query in ("?z=1&a=2%2F3", ""):
        callback = LiveCallback(url=owner.url + query, auth=CallbackAuth.QUERY, key=KEY)
        assert await sender.send(EVENT, callback) == Made()
        request, _ = owner.requests[-1]
        path, _, rest = request.path_qs.partition("?")
        *own, secret, time = rest.split("&")
        signed = request.host + path + ("?" + "&".join(sorted(own)) if own else "") + "66df9308"
        expected = hmac.new(KEY.encode(), signed.encode(), hashlib.sha256).hexdigest()
        assert (secret, time) == (f"hwSecret={expected}", "hwTime=66df9308")


async def test_a_receiver_can_verify_the_headers(owner: Owner, sender: HttpLiveEventSender) -> None:
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
    owner: Owner, sender: HttpLiveEventSender, status: int
) -> None:
    owner.status = status

    assert await sender.send(EVENT, LiveCallback(url=owner.url)) == Made()


@pytest.mark.parametrize("status", [302, 400, 500])
async def test_anything_else_is_tried_again_and_redirects_are_not_followed(
    owner: Owner, sender: HttpLiveEventSender, status: int
) -> None:
    owner.status = status

    outcome = await sender.send(EVENT, LiveCallback(url=owner.url))

    assert outcome == Failed(reason=f"HTTP {status}")
    assert len(owner.requests) == 1


async def test_a_receiver_that_is_gone_is_not_tried_again(
    owner: Owner, sender: HttpLiveEventSender
) -> None:
    owner.status = 410

    assert await sender.send(EVENT, LiveCallback(url=owner.url)) == Gone(reason="HTTP 410")


async def test_an_unknown_signature_is_not_sent_unsigned(
    owner: Owner, sender: HttpLiveEventSender
) -> None:
    callback = LiveCallback(url=owner.url, auth=CallbackAuth.MEITUAN)

    assert isinstance(await sender.send(EVENT, callback), Gone)
    assert owner.requests == []


async def test_plain_http_leads_only_into_listed_networks(owner: Owner) -> None:
    names = FixedNames(["8.8.8.8"], ["127.0.0.1"])
    sender = HttpLiveEventSender(
        HandClock(utc_ms=NOW_S * 1_000), AddressRule(["127.0.0.0/8"]), names=names
    )
    port = URL(owner.url).port

    refused = await sender.send(EVENT, LiveCallback(url=f"http://public.example:{port}/cb"))
    taken = await sender.send(EVENT, LiveCallback(url=f"HTTP://inside.example:{port}/cb"))
    await sender.close()

    assert isinstance(refused, Failed)
    assert "refused" in refused.reason
    assert taken == Made()


@pytest.mark.parametrize(
    ("url", "is_valid"),
    [
        ("https://public.example/x", True),
        ("https://8.8.8.8/", True),
        ("http://8.8.8.8/", False),
        ("http://10.0.0.1/", True),
        ("https://10.0.0.1/", True),
        ("https://192.168.0.1/", False),
        ("ftp://public.example/", False),
        ("https://user:password@public.example/", False),
        ("no url", False),
    ],
)
def test_an_address_is_judged_when_a_job_is_started(url: str, is_valid: bool) -> None:
    rule = AddressRule(["10.0.0.0/8"])

    if is_valid:
        assert validate_live_url(url, rule)
    else:
        with pytest.raises(DestinationRefused):
            validate_live_url(url, rule)


def test_a_key_is_not_shown() -> None:
    assert KEY not in repr(LiveCallback(url="https://a/", key=KEY))
