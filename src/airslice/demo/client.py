"""A client of the slicing API, as a customer would write one without an SDK."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import quote

import aiohttp

REGION = "cn-north-1"
SERVICE = "rtc"
API_VERSION = "2023-11-01"


class SliceClient:
    """Signs requests with an access key (HMAC-SHA256) and sends them."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, access_key: str, secret_key: str
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._host = base_url.partition("://")[2]
        self._access_key = access_key
        self._secret_key = secret_key

    async def call(self, action: str, body: dict[str, Any]) -> Any:
        """Post one action; return its result.

        Raises:
            RuntimeError: the server answered with an error.
        """
        query = f"Action={quote(action)}&Version={API_VERSION}"
        payload = json.dumps(body).encode()
        headers = self._signed(query, payload)
        url = f"{self._base_url}/?{query}"
        async with self._session.post(url, data=payload, headers=headers) as response:
            answer = await response.json()
        error = answer["ResponseMetadata"].get("Error")
        if error:
            raise RuntimeError(f"{action}: {error['Code']}: {error['Message']}")
        return answer["Result"]

    def _signed(self, query: str, payload: bytes) -> dict[str, str]:
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        digest = hashlib.sha256(payload).hexdigest()
        headers = {
            "content-type": "application/json",
            "host": self._host,
            "x-content-sha256": digest,
            "x-date": date,
        }
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = f"POST\n/\n{query}\n{lines}\n{names}\n{digest}"
        scope = f"{date[:8]}/{REGION}/{SERVICE}/request"
        to_sign = f"HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = self._secret_key.encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), hashlib.sha256)
        signature = hmac.digest(key, to_sign.encode(), hashlib.sha256).hex()
        credential = f"{self._access_key}/{scope}"
        headers["Authorization"] = (
            f"HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        )
        return headers
