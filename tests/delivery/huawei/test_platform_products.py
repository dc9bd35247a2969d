"""HttpPlatformProducts against real platforms on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from airslice.application.ports.live import Page
from airslice.delivery.huawei.platform_products import MAX_ANSWER_BYTES, HttpPlatformProducts
from airslice.domain.destination import AddressRule
from airslice.domain.errors import LivePlatformFailed
from airslice.domain.live_platform import Product
from tests.support.clock import HandClock
from tests.support.stages.fixed_names import FixedNames

LOOPBACK = AddressRule(["127.0.0.0/8"])
KEY = "GCTbw44s6MPLh4GqgDpnfuFHgy25Enly"
NOW_S = 0x66DF9308
SOME = {"products": [{"product_id": "1", "product_title": "tea"}, {"product_id": "2"}]}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def platform(answer: Answer) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    try:
        yield str(server.make_url("/v1/products"))
    finally:
        await server.close()


async def ask(url: str, rule: AddressRule = LOOPBACK, **options: Any) -> Page[Product]:
    products = HttpPlatformProducts(HandClock(utc_ms=NOW_S * 1_000), rule, **options)
    try:
        return await products.products(url, KEY, live_id="111", offset=0, limit=10)
    finally:
        await products.close()


def answering(body: object, status: int = 200) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type="text/plain")

    return answer


async def test_the_question_is_signed_as_in_the_vendors_example() -> None:
    asked: list[web.Request] = []

    async def keep(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response(SOME)

    async with platform(keep) as url:
        await ask(url)

    (request,) = asked
    assert request.method == "GET"
    assert dict(request.query) == {"live_id": "111", "limit": "10", "offset": "0"}
    assert request.headers["x-hw-mss-time"] == "66df9308"
    message = f"{request.host}/v1/products?limit=10&live_id=111&offset=066df9308"
    expected = hmac.new(KEY.encode(), message.encode(), hashlib.sha256).hexdigest()
    assert request.headers["x-hw-mss-secret"] == expected


async def test_an_own_query_of_the_address_is_kept_and_signed() -> None:
    asked: list[web.Request] = []

    async def keep(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response(SOME)

    async with platform(keep) as url:
        await ask(f"{url}?a=1")

    message = f"{asked[0].host}/v1/products?a=1&limit=10&live_id=111&offset=066df9308"
    expected = hmac.new(KEY.encode(), message.encode(), hashlib.sha256).hexdigest()
    assert asked[0].headers["x-hw-mss-secret"] == expected


@pytest.mark.parametrize(
    ("body", "page"),
    [
        (SOME, Page(2, (Product("1", "tea"), Product("2", "")))),
        ({**SOME, "count": 70, "more": None}, Page(70, (Product("1", "tea"), Product("2", "")))),
        ({"products": []}, Page(0, ())),
        ({"products": [{"product_id": 5, "product_title": "茶"}]}, Page(1, (Product("5", "茶"),))),
    ],
)
async def test_an_answer_is_read(body: object, page: Page[Product]) -> None:
    async with platform(answering(body)) as url:
        assert await ask(url) == page


async def test_no_more_is_taken_than_was_asked_for() -> None:
    many = {"products": [{"product_id": str(number)} for number in range(30)]}

    async with platform(answering(many)) as url:
        page = await ask(url)

    assert len(page.items) == 10
    assert page.count == 30


@pytest.mark.parametrize(
    "body",
    ["", "no json", "[]", '{"products": {}}', '{"products": [{}]}', "[" * 100_000],
)
async def test_what_is_no_list_of_products_is_a_failure(body: str) -> None:
    async with platform(answering(body)) as url:
        with pytest.raises(LivePlatformFailed, match="not a list of products"):
            await ask(url)


@pytest.mark.parametrize("status", [204, 302, 404, 500])
async def test_any_other_status_is_a_failure(status: int) -> None:
    async with platform(answering(SOME, status)) as url:
        with pytest.raises(LivePlatformFailed, match=f"HTTP {status}"):
            await ask(url)


async def test_an_endless_answer_is_cut_off() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65_536)

    async with platform(endless) as url:
        with pytest.raises(LivePlatformFailed, match=str(MAX_ANSWER_BYTES)):
            await ask(url)


async def test_a_slow_platform_is_not_waited_for() -> None:
    hold = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await hold.wait()
        return web.json_response(SOME)

    async with platform(slow) as url:
        with pytest.raises(LivePlatformFailed, match="TimeoutError"):
            await ask(url, timeout_s=0.05)
        hold.set()


async def test_redirects_are_not_followed() -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        assert request.path == "/v1/products"
        raise web.HTTPFound("/elsewhere")

    async with platform(elsewhere) as url:
        with pytest.raises(LivePlatformFailed, match="HTTP 302"):
            await ask(url)


async def test_private_addresses_are_not_called_and_not_told() -> None:
    async with platform(answering(SOME)) as url:
        with pytest.raises(LivePlatformFailed, match="refused") as refused:
            await ask(f"{url}?token=SECRET", AddressRule())
        with pytest.raises(LivePlatformFailed):
            await ask(url.replace("127.0.0.1", "localhost"), AddressRule())

    assert "SECRET" not in str(refused.value)


async def test_names_with_http_are_called_in_listed_networks_only() -> None:
    async with platform(answering(SOME)) as url:
        port = url.rpartition(":")[2]
        named = f"http://platform.example.com:{port}"
        assert (await ask(named, names=FixedNames(["127.0.0.1"]))).count == 2
        with pytest.raises(LivePlatformFailed):
            await ask(named, names=FixedNames(["93.184.216.34"]))
