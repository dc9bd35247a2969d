"""Posts callbacks over HTTP."""

from __future__ import annotations

import json
import secrets
import string
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp.abc import AbstractResolver
from yarl import URL

from airslice.application.ports.clock import Clock
from airslice.delivery.posting import HttpPoster, Message
from airslice.delivery.volcengine.signing import vendor_signature, webhook_headers
from airslice.domain.callback import TRY_TIMEOUT_S, CallbackEvent, CallbackReceiver
from airslice.domain.destination import AddressRule
from airslice.domain.outbox import Outcome

_NONCE_CHARS = 4
_NONCE_ALPHABET = string.ascii_letters + string.digits


class HttpCallbackSender:
    """A CallbackSender that posts over HTTP, see `HttpPoster`.

    Only status 200 within 5 s is success.

    Args:
        clock: Dates each try.
        rule: Where callback URLs may lead.
        names: Resolves host names; the system's resolver by default.
        timeout_s: How long a receiver has.
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
        self._poster = HttpPoster(
            rule, names=names, timeout_s=timeout_s, is_success=HTTPStatus.OK.__eq__
        )

    async def close(self) -> None:
        """Close the connections; nothing comes after this."""
        await self._poster.close()

    async def send(self, event: CallbackEvent, receiver: CallbackReceiver) -> Outcome:
        """Post one callback, once; the outcome never tells the URL, which may hold a secret."""

        def written(url: URL) -> Message:
            body = _body(event, receiver.secret)
            now_s = self._clock.utc_ns() // 1_000_000_000
            headers = {
                "Content-Type": "application/json",
                **webhook_headers(event.event_id, body, timestamp_s=now_s, secret=receiver.secret),
            }
            return Message(url, body, headers, now_s)

        return await self._poster.post(receiver.url, written)


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
