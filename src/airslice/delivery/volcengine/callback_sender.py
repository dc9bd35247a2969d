"""Posts callbacks over HTTP."""

from __future__ import annotations

import json
import secrets
import string
from datetime import UTC, datetime
from http import HTTPStatus

from yarl import URL

from airslice.delivery.posting import HttpPoster, Message
from airslice.delivery.volcengine.signing import vendor_signature, webhook_headers
from airslice.domain.callback import CallbackEvent, CallbackReceiver
from airslice.domain.outbox import Outcome

_NONCE_CHARS = 4
_NONCE_ALPHABET = string.ascii_letters + string.digits


class HttpCallbackSender(HttpPoster):
    """A CallbackSender that posts over HTTP; only status 200 within 5 s is success."""

    @staticmethod
    def is_success(status: int) -> bool:
        """Whether a receiver has taken the callback, by the HTTP status of its answer."""
        return status == HTTPStatus.OK

    async def send(self, event: CallbackEvent, receiver: CallbackReceiver) -> Outcome:
        """Post one callback, once; the outcome never tells the URL, which may hold a secret."""

        def written(url: URL, now_s: int) -> Message:
            secret = receiver.secret
            body = _body(event, secret)
            headers = webhook_headers(event.event_id, body, timestamp_s=now_s, secret=secret)
            return Message(url, body, headers)

        return await self.post(receiver.url, written)


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
