"""A client that signs as the documentation says, written without the code under test."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from tests.support.clock import HandClock


def authorization(
    *,
    method: str,
    query: Mapping[str, str] | Sequence[tuple[str, str]],
    date: str,
    body: bytes,
    keys: tuple[str, str],
) -> str:
    """Sign the query, the date and the body, as @volcengine/openapi does."""
    scope = f"{date[:8]}/cn-north-1/rtc/request"
    given = query.items() if isinstance(query, Mapping) else query
    escaped = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in given)
    pairs = "&".join(f"{name}={value}" for name, value in escaped)
    canonical = f"{method}\n/\n{pairs}\nx-date:{date}\n\nx-date\n{hashlib.sha256(body).hexdigest()}"
    text = f"HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = keys[1].encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signed = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"HMAC-SHA256 Credential={keys[0]}/{scope}, SignedHeaders=x-date, Signature={signed}"


@dataclass
class WireClient:
    """Sends signed requests to a façade in this process."""

    http: httpx.AsyncClient
    clock: HandClock
    keys: tuple[str, str] = ("AKTEST", "SKTEST")

    async def send(
        self,
        method: str,
        query: Mapping[str, str],
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        now = datetime.fromtimestamp(self.clock.utc_ns() / 1e9, UTC)
        date = f"{now:%Y%m%dT%H%M%SZ}"
        signed = authorization(method=method, query=query, date=date, body=body, keys=self.keys)
        return await self.http.request(
            method,
            f"http://server/?{urlencode(query)}",
            content=body,
            headers={"X-Date": date, "Authorization": signed, **(headers or {})},
        )

    async def post(self, action: str, version: str, body: object) -> httpx.Response:
        return await self.send(
            "POST",
            {"Action": action, "Version": version},
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )

    async def refused(self, body: object, action: str = "StartSegment") -> tuple[str, str]:
        """Code and message with which a body of 2023-11-01 is refused, with status 400."""
        status, code, message = error_of(await self.post(action, "2023-11-01", body))
        assert status == 400
        return code, message

    async def get(self, version: str = "2023-11-01", **params: str) -> httpx.Response:
        return await self.send("GET", {"Action": "GetSegmentTask", "Version": version, **params})


def error_of(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of a failure."""
    body: dict[str, Any] = response.json()
    assert "Result" not in body
    error = body["ResponseMetadata"]["Error"]
    return response.status_code, error["Code"], error["Message"]
