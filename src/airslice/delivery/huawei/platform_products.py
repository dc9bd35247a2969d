"""Asks live platforms over HTTP what they sell.

The request is that of the worked example on CustomPlatformAuthConfig in the vendor's SDKs. The form
of the answer is documented nowhere: taken is a JSON object with ``products``, each with
``product_id`` and ``product_title``, and ``count``, if there are more.
"""

from __future__ import annotations

from http import HTTPStatus

import aiohttp
import msgspec
from yarl import URL

from airslice.application.ports.live import Page
from airslice.delivery.destination import DestinationRefused
from airslice.delivery.huawei.address import rules_of
from airslice.delivery.huawei.signing import authenticated
from airslice.delivery.posting import HttpCaller
from airslice.domain.errors import LivePlatformFailed
from airslice.domain.live_platform import Product
from airslice.domain.owner_event import CallbackAuth, LiveCallback

MAX_ANSWER_BYTES = 1_048_576
MAX_CALLS = 32
"""Questions under way at a time; more wait for one of these."""


class _Product(msgspec.Struct):
    product_id: str | int
    product_title: str = ""


class _Answer(msgspec.Struct):
    products: list[_Product]
    count: int | None = None


class HttpPlatformProducts(HttpCaller):
    """PlatformProducts over HTTP; a platform has 5 s."""

    max_calls = MAX_CALLS
    rules_of = staticmethod(rules_of)

    async def products(
        self, url: str, key: str, *, live_id: str, offset: int, limit: int
    ) -> Page[Product]:
        """Return products of a broadcast on a platform; errors never tell the URL.

        Raises:
            LivePlatformFailed: there is no answer, or none that can be read.
        """
        try:
            asked = self._validate(url).extend_query(live_id=live_id, limit=limit, offset=offset)
            body = await self._get(asked, key)
        except DestinationRefused as error:
            raise LivePlatformFailed(f"the platform's URL is refused, {error}") from None
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            reason = type(error).__name__
            raise LivePlatformFailed(f"the platform did not answer: {reason}") from None
        return _read(body, offset=offset, limit=limit)

    async def _get(self, url: URL, key: str) -> bytes:
        signing = LiveCallback(url=str(url), auth=CallbackAuth.HEADERS, key=key)
        url, headers = authenticated(url, signing, self._now_s())
        headers = {"Accept": "application/json", **headers}
        session = self._sessions[url.scheme]
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                raise LivePlatformFailed(f"the platform answered with HTTP {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise LivePlatformFailed(f"the platform sent over {MAX_ANSWER_BYTES} bytes")
        return bytes(body)


def _read(body: bytes, *, offset: int, limit: int) -> Page[Product]:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, RecursionError):
        raise LivePlatformFailed("the platform's answer is not a list of products") from None
    products = [Product(str(p.product_id), p.product_title) for p in answer.products[:limit]]
    least = offset + len(answer.products)
    return Page(least if answer.count is None else answer.count, tuple(products))
