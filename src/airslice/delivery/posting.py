"""Posts to addresses that users gave: once, where a rule permits, and within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from airslice.delivery.destination import DestinationRefused, PermittedResolver, validate_url
from airslice.domain.callback import TRY_TIMEOUT_S
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import Failed, Gone, Made, Outcome

MAX_CALLS_PER_RECEIVER = 16
"""Posts under way to one host at a time; more wait, before their time-out starts."""

MAX_REPLY_BYTES = 4_096
"""How much of an answer's body is read, so that the connection can be used again."""

_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""Statuses whose Retry-After is heeded."""

_MAX_SECONDS_DIGITS = 9


class Message(NamedTuple):
    """What is posted, as it is at the time of the try."""

    url: URL
    body: bytes
    headers: Mapping[str, str]
    now_s: int
    """Time of the try: UTC, seconds since the Unix epoch."""


def open_session(
    rule: AddressRule, names: AbstractResolver | None, *, timeout_s: float, max_calls: int = 0
) -> aiohttp.ClientSession:
    """Return an HTTP client that dials only where `rule` permits.

    Certificates are verified, proxies from the environment are not used. Make it on the event loop
    that it serves, and close it.

    Args:
        rule: Where names may lead.
        names: Resolves host names; None: the system's resolver.
        timeout_s: How long a call may take, from the lookup of the name to the end of the answer.
        max_calls: How many calls may be under way; more wait, within their time-out. 0: any number.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=PermittedResolver(names or ThreadedResolver(), rule),
            use_dns_cache=False,
            limit=max_calls,
        ),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        headers={"User-Agent": "airslice"},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


class HttpPoster:
    """Posts over HTTP; the outcome never tells the URL, which may hold a secret.

    Redirects are not followed; for the rest see `open_session`.

    Args:
        rule: Where URLs may lead.
        names: Resolves host names; the system's resolver by default.
        timeout_s: How long a receiver has, from the lookup of its name to the answer's status.
        is_success: Judges a status.
    """

    def __init__(
        self,
        rule: AddressRule,
        *,
        names: AbstractResolver | None = None,
        timeout_s: float = TRY_TIMEOUT_S,
        is_success: Callable[[int], bool],
    ) -> None:
        self._rule = rule
        self._is_success = is_success
        # By origin, for as long as it is being called: owners may set any number of receivers.
        # They bound the calls: waiting for a connection would use up the time-out.
        self._turns: WeakValueDictionary[URL, asyncio.Semaphore] = WeakValueDictionary()
        self._session = open_session(rule, names, timeout_s=timeout_s)

    async def close(self) -> None:
        """Close the connections; nothing comes after this."""
        await self._session.close()

    async def post(self, url: str, written: Callable[[URL], Message]) -> Outcome:
        """Post once.

        Args:
            url: Where.
            written: Makes the message for the parsed URL, when it is its turn.
        """
        try:
            parsed = validate_url(url, self._rule)
            async with self._turns.setdefault(
                parsed.origin(), asyncio.Semaphore(MAX_CALLS_PER_RECEIVER)
            ):
                return await self._post(written(parsed))
        except DestinationRefused as error:
            return Failed(reason=f"callback URL refused, {error}")
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            return Failed(reason=type(error).__name__)

    async def _post(self, message: Message) -> Outcome:
        async with self._session.post(
            message.url, data=message.body, headers=message.headers, allow_redirects=False
        ) as response:
            with suppress(aiohttp.ClientError, TimeoutError):  # the status has decided
                await response.content.read(MAX_REPLY_BYTES)
        if self._is_success(response.status):
            return Made()
        reason = f"HTTP {response.status}"
        if response.status == HTTPStatus.GONE:
            return Gone(reason=reason)
        if response.status in _BUSY:
            retry_after_s = _retry_after_s(response.headers.get("Retry-After", ""), message.now_s)
            return Failed(reason=reason, retry_after_s=retry_after_s)
        return Failed(reason=reason)


def _retry_after_s(header: str, now_s: int) -> float:
    """Read a Retry-After (RFC 9110 section 10.2.3): seconds, or a date; 0 if it is neither."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:_MAX_SECONDS_DIGITS])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0
    if moment.tzinfo is None:  # "-0000": of no known zone, which HTTP dates do not have
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now_s)
