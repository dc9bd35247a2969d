"""Posts callbacks over HTTP."""

from __future__ import annotations

import asyncio
import json
import secrets
import string
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from airslice.application.ports import Clock
from airslice.delivery.destination import DestinationRefused, PermittedResolver, validate_url
from airslice.delivery.signing import vendor_signature, webhook_headers
from airslice.domain.callback import TRY_TIMEOUT_S, CallbackEvent, CallbackReceiver
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import Failed, Gone, Made, Outcome

MAX_CALLS_PER_RECEIVER = 16
"""Callbacks under way to one host at a time; more wait, before their time-out starts."""

MAX_REPLY_BYTES = 4_096
"""How much of an answer's body is read, so that the connection can be used again."""

_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""Statuses whose Retry-After is heeded."""

_MAX_SECONDS_DIGITS = 9

_NONCE_CHARS = 4
_NONCE_ALPHABET = string.ascii_letters + string.digits


class HttpCallbackSender:
    """A CallbackSender that posts over HTTP.

    Only status 200 within 5 s is success. Redirects are not followed, certificates are verified,
    proxies from the environment are not used. Make it on the event loop that it serves.

    Args:
        clock: Dates each try.
        rule: Where callback URLs may lead.
        names: Resolves host names; the system's resolver by default.
        timeout_s: How long a receiver has, from the lookup of its name to the answer's status.
    """

    def __init__(
        self,
        clock: Clock,
        rule: AddressRule,
        *,
        names: AbstractResolver | None = None,
        timeout_s: float = TRY_TIMEOUT_S,
    ) -> None:
        self._clock = clock
        self._rule = rule
        # By origin, for as long as it is being called: owners may set any number of receivers.
        self._turns: WeakValueDictionary[URL, asyncio.Semaphore] = WeakValueDictionary()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=PermittedResolver(names or ThreadedResolver(), rule),
                use_dns_cache=False,
                limit=0,  # bounded by `_turns`: waiting for a connection would use up the time-out
            ),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            headers={"User-Agent": "airslice"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections; nothing comes after this."""
        await self._session.close()

    async def send(self, event: CallbackEvent, receiver: CallbackReceiver) -> Outcome:
        """Post one callback, once; the outcome never tells the URL, which may hold a secret."""
        try:
            url = validate_url(receiver.url, self._rule)
            async with self._turns.setdefault(
                url.origin(), asyncio.Semaphore(MAX_CALLS_PER_RECEIVER)
            ):
                return await self._post(url, event, receiver.secret)
        except DestinationRefused as error:
            return Failed(reason=f"callback URL refused, {error}")
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            return Failed(reason=type(error).__name__)

    async def _post(self, url: URL, event: CallbackEvent, secret: str) -> Outcome:
        body = _body(event, secret)
        now_s = self._clock.utc_ns() // 1_000_000_000
        headers = {
            "Content-Type": "application/json",
            **webhook_headers(event.event_id, body, timestamp_s=now_s, secret=secret),
        }
        async with self._session.post(
            url, data=body, headers=headers, allow_redirects=False
        ) as response:
            with suppress(aiohttp.ClientError, TimeoutError):  # the status has decided
                await response.content.read(MAX_REPLY_BYTES)
        if response.status == HTTPStatus.OK:
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


def _body(event: CallbackEvent, secret: str) -> bytes:
    fields = {
        "EventType": event.event_type,
        "EventData": event.data,
        "EventTime": _rfc3339(event.time_ms),
        "EventId": event.event_id,
        "AppId": event.app_id,
        "Version": event.version,
        "Nonce": "".join(secrets.choice(_NONCE_ALPHABET) for _ in range(_NONCE_CHARS)),
    }
    signed = {**fields, "Signature": vendor_signature(fields.values(), secret=secret)}
    return json.dumps(signed, ensure_ascii=False).encode()


def _rfc3339(time_ms: int) -> str:
    """Write a time in whole seconds, the form that every parser of the vendor's examples takes."""
    return datetime.fromtimestamp(time_ms // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
