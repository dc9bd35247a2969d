"""Posts callbacks over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import string
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from airslice.application.ports import Clock
from airslice.delivery.destination import DestinationRefused, PermittedResolver, validate_url
from airslice.delivery.segment_event import segment_event
from airslice.delivery.signing import vendor_signature, webhook_headers
from airslice.domain.apps import RtcApp
from airslice.domain.callback import TRY_TIMEOUT_S, CallbackEvent
from airslice.domain.destination import AddressRule
from airslice.domain.slice_record import SliceRecord
from airslice.domain.slice_task import SliceTask

logger = logging.getLogger(__name__)

MAX_CALLS_PER_RECEIVER = 16
"""Callbacks under way to one host at a time; more wait, before their time-out starts."""

MAX_REPLY_BYTES = 4_096
"""How much of an answer's body is read, so that the connection can be used again."""

_NONCE_CHARS = 4
_NONCE_ALPHABET = string.ascii_letters + string.digits


class HttpCallbackSender:
    """A CallbackSender that posts to the application's callback URL.

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
        # By origin; receivers come from the configuration, so they are few.
        self._turns: dict[URL, asyncio.Semaphore] = defaultdict(
            partial(asyncio.Semaphore, MAX_CALLS_PER_RECEIVER)
        )
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

    async def send(self, app: RtcApp, task: SliceTask, record: SliceRecord) -> bool:
        """Post one callback, once; return whether the receiver took it.

        An application without a callback URL has nobody to tell: that is success.
        """
        if app.callback_url is None:
            return True
        event = segment_event(task, record)
        try:
            url = validate_url(app.callback_url, self._rule)
            async with self._turns[url.origin()]:
                status = await self._post(url, event, app.callback_secret)
        except DestinationRefused as error:
            outcome = f"callback URL refused, {error}"
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            outcome = type(error).__name__  # its text may hold the URL, and that a secret
        else:
            if status == HTTPStatus.OK:
                return True
            outcome = f"HTTP {status}"
        logger.warning("callback %s of app %s failed: %s", event.event_id, app.app_id, outcome)
        return False

    async def _post(self, url: URL, event: CallbackEvent, secret: str) -> int:
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
            return response.status


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
