"""Clients of both clouds' APIs, as a customer would write them without an SDK."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp

REGION = "cn-north-1"
SERVICE = "rtc"
API_VERSION = "2023-11-01"
LIVE_ALGORITHM = "SDK-HMAC-SHA256"


class _Client:
    """Signs requests with an access key (HMAC-SHA256) and sends them."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        access_key: str,
        secret_key: str,
        project_id: str = "",  # the slicing API has none
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._host = base_url.partition("://")[2]
        self._access_key = access_key
        self._secret_key = secret_key.encode()
        self._project_id = project_id


class SliceClient(_Client):
    """A client of the slicing API."""

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
        date = _now()
        headers = {
            "content-type": "application/json",
            "host": self._host,
            "x-content-sha256": _sha256(payload),
            "x-date": date,
        }
        names, digest = _canonical(f"POST\n/\n{query}", headers, payload)
        scope = f"{date[:8]}/{REGION}/{SERVICE}/request"
        key = self._secret_key
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        to_sign = f"HMAC-SHA256\n{date}\n{scope}\n{digest}"
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        credential = f"{self._access_key}/{scope}"
        headers["Authorization"] = (
            f"HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        )
        return headers


class LiveClient(_Client):
    """A client of the smart live API, for one project."""

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request; return its answer, None where there is none.

        `path` is what follows the project's id, without a query; `body` is sent as JSON.

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
        date = _now()
        headers = {
            "content-type": "application/json",
            "host": self._host,
            "x-project-id": self._project_id,
            "x-sdk-date": date,
        }
        names, digest = _canonical(f"{method}\n{path}/\n", headers, payload)
        to_sign = f"{LIVE_ALGORITHM}\n{date}\n{digest}"
        signature = hmac.digest(self._secret_key, to_sign.encode(), "sha256").hex()
        access = f"Access={self._access_key}, SignedHeaders={names}, Signature={signature}"
        headers["Authorization"] = f"{LIVE_ALGORITHM} {access}"
        return headers


def _canonical(request: str, headers: Mapping[str, str], payload: bytes) -> tuple[str, str]:
    """Return the names of all headers, and the digest of the canonical request with them.

    `request` has the method, the path and the query, a line each.
    """
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    return names, _sha256(f"{request}\n{lines}\n{names}\n{_sha256(payload)}".encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _now() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
