"""Posts to addresses that users gave: once, where a rule permits, and within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import ClassVar, NamedTuple
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from airslice.application.ports.clock import Clock
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
    """What is posted."""

    url: URL
    body: bytes
    """JSON."""
    headers: Mapping[str, str]
    """Beside Content-Type."""


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


class HttpCaller:
    """Calls addresses that users gave; redirects are not followed. For the rest see `open_session`.

    Args:
        clock: Dates each call.
        rule: Where addresses may lead; see `rules_of`.
        names: Resolves host names; the system's resolver by default.
        timeout_s: How long a call may take, from the lookup of the name to the end of the answer.
    """

    max_calls: ClassVar[int] = 0
    """Calls with one scheme under way at a time; more wait for one of these. 0: any number."""

    def __init__(
        self,
        clock: Clock,
        rule: AddressRule,
        *,
        names: AbstractResolver | None = None,
        timeout_s: float = TRY_TIMEOUT_S,
    ) -> None:
        self._clock = clock
        self._rules = self.rules_of(rule)
        self._sessions = {
            scheme: open_session(permitted, names, timeout_s=timeout_s, max_calls=self.max_calls)
            for scheme, permitted in self._rules.items()
        }

    @staticmethod
    def rules_of(rule: AddressRule) -> Mapping[str, AddressRule]:
        """Return where addresses of each scheme may lead."""
        return {"https": rule, "http": rule}

    async def close(self) -> None:
        """Close the connections; nothing comes after this."""
        for session in self._sessions.values():
            await session.close()

    def _validate(self, url: str) -> URL:
        return validate_url(url, self._rules[validate_url(url, self._rules["https"]).scheme])

    def _now_s(self) -> int:
        return self._clock.utc_ns() // 1_000_000_000


class HttpPoster(HttpCaller):
    """Posts JSON; the outcome never tells the URL, which may hold a secret."""

    @cached_property
    def _turns(self) -> WeakValueDictionary[URL, asyncio.Semaphore]:
        # By origin, for as long as it is being called: owners may set any number of receivers.
        # They bound the calls: waiting for a connection would use up the time-out.
        return WeakValueDictionary()

    @staticmethod
    def is_success(status: int) -> bool:
        """Whether a receiver that answers with this HTTP status has taken what was posted."""
        return 200 <= status < 300

    async def post(self, url: str, written: Callable[[URL, int], Message]) -> Outcome:
        """Post once.

        Args:
            url: Where.
            written: Makes the message for the parsed URL when it is its turn, with the time of
                the try: UTC, seconds since the Unix epoch.
        """
        try:
            parsed = self._validate(url)
            async with self._turns.setdefault(
                parsed.origin(), asyncio.Semaphore(MAX_CALLS_PER_RECEIVER)
            ):
                now_s = self._now_s()
                return await self._post(written(parsed, now_s), now_s)
        except DestinationRefused as error:
            return Failed(reason=f"callback URL refused, {error}")
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            return Failed(reason=type(error).__name__)

    async def _post(self, message: Message, now_s: int) -> Outcome:
        url, body, headers = message
        headers = {"Content-Type": "application/json", **headers}
        async with self._sessions[url.scheme].post(
            url, data=body, headers=headers, allow_redirects=False
        ) as response:
            with suppress(aiohttp.ClientError, TimeoutError):  # the status has decided
                await response.content.read(MAX_REPLY_BYTES)
        if self.is_success(response.status):
            return Made()
        reason = f"HTTP {response.status}"
        if response.status == HTTPStatus.GONE:
            return Gone(reason=reason)
        if response.status in _BUSY:
            retry_after_s = _retry_after_s(response.headers.get("Retry-After", ""), now_s)
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
