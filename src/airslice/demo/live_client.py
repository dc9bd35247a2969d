"""A client of the smart live API, as a customer would write one without an SDK."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import aiohttp

ALGORITHM = "SDK-HMAC-SHA256"


class LiveClient:
    """Signs requests of one project with an access key and sends them."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        project_id: str,
        access_key: str,
        secret_key: str,
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._host = base_url.partition("://")[2]
        self._project_id = project_id
        self._access_key = access_key
        self._secret_key = secret_key

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request; return its answer, None where there is none.

        Args:
            method: The HTTP method.
            path: What follows the project's id in the path; it has no query.
            body: What is sent as JSON.

        Raises:
            RuntimeError: the server answered with an error.
        """
        path = f"/v1/{self._project_id}/{path}"
        payload = b"" if body is None else json.dumps(body).encode()
        headers = self._signed(method, path, payload)
        url = f"{self._base_url}{path}"
        async with self._session.request(method, url, data=payload, headers=headers) as response:
            text = await response.text()
            if response.status >= 400:
                raise RuntimeError(f"{path}: {response.status} {text}")
        return json.loads(text) if text else None

    def _signed(self, method: str, path: str, payload: bytes) -> dict[str, str]:
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = {
            "content-type": "application/json",
            "host": self._host,
            "x-project-id": self._project_id,
            "x-sdk-date": date,
        }
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        digest = hashlib.sha256(payload).hexdigest()
        canonical = f"{method}\n{path}/\n\n{lines}\n{names}\n{digest}"
        to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._secret_key.encode(), to_sign.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"{ALGORITHM} Access={self._access_key}, SignedHeaders={names}, Signature={signature}"
        )
        return headers
