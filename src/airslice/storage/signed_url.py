"""URLs that let their bearer read one local object until they expire.

Who serves the objects is the façade `objects`; nothing here reads a file.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import quote

_PURPOSE = b"airslice: signed object URLs"
_EXPIRES = re.compile(r"[0-9]{1,11}")


class UrlSigner:
    """Signs and verifies ``/objects/{bucket}/{key}?expires=…&signature=…``.

    Its key is for this purpose alone, and derived from the server's master key.
    """

    def __init__(self, master_key: bytes) -> None:
        self._key = hmac.digest(master_key, _PURPOSE, hashlib.sha256)

    def sign(self, bucket: str, key: str, *, expires_at_s: int) -> str:
        """Return path and query of a URL that works until `expires_at_s` (UTC, Unix seconds)."""
        signature = self._signature(bucket, key, str(expires_at_s))
        return f"{_path(bucket, key)}?expires={expires_at_s}&signature={signature}"

    def is_valid(
        self, bucket: str, key: str, *, expires: str, signature: str, now_s: float
    ) -> bool:
        """Whether the query of a request allows reading the object at `now_s` (UTC, Unix seconds).

        Bucket and key are percent-decoded; `expires` and `signature` are as they came.
        """
        if _EXPIRES.fullmatch(expires) is None or now_s > int(expires):
            return False
        expected = self._signature(bucket, key, expires)
        return hmac.compare_digest(signature.encode(), expected.encode())

    def _signature(self, bucket: str, key: str, expires: str) -> str:
        message = f"{_path(bucket, key)}?expires={expires}".encode()
        return hmac.digest(self._key, message, hashlib.sha256).hex()


def _path(bucket: str, key: str) -> str:
    # Quoting the slash as well keeps two different names from having one path.
    return f"/objects/{quote(bucket, safe='')}/{quote(key, safe='')}"
