"""How a receiver knows that a callback is genuine: two signatures, either of which suffices.

In the body, Volcengine's own (https://www.volcengine.com/docs/6348/69820). In the headers,
Standard Webhooks 1.0 (https://www.standardwebhooks.com), whose libraries exist in most languages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping

_ENCODED_SECRET_PREFIX = "whsec_"  # noqa: S105 - marks a secret, is none


def vendor_signature(signed_fields: Iterable[str], *, secret: str) -> str:
    """Return Volcengine's callback signature, in lower-case hexadecimal.

    Args:
        signed_fields: EventType, EventData, EventTime, EventId, AppId, Version and Nonce, exactly
            as they are sent.
        secret: The application's callback secret.
    """
    # Sorting by code point, as Python does, is sorting by UTF-8 byte.
    return hashlib.sha256("".join(sorted([*signed_fields, secret])).encode()).hexdigest()


def webhook_headers(
    event_id: str, body: bytes, *, timestamp_s: int, secret: str
) -> Mapping[str, str]:
    """Return the Standard Webhooks headers of a request.

    Args:
        event_id: Equal over all tries.
        body: Of the request.
        timestamp_s: Time of this try: UTC, seconds since the Unix epoch.
        secret: The application's callback secret. Its UTF-8 bytes are the key; but where it is
            ``whsec_`` and base64, as libraries for the standard write it, the decoded bytes are.
    """
    signed = b".".join([event_id.encode(), str(timestamp_s).encode(), body])
    signature = base64.b64encode(hmac.digest(_webhook_key(secret), signed, hashlib.sha256))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{signature.decode()}",
    }


def _webhook_key(secret: str) -> bytes:
    if secret.startswith(_ENCODED_SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_ENCODED_SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):  # only looks like it
            pass
    return secret.encode()
