"""A client that signs as the documentation says, written without the code under test."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import httpx

from tests.support.clock import HandClock
from tests.support.stages.smart_live_stage import PROJECT

KEYS = ("AKTEST", "SKTEST")
USER = {"name": "operator", "password": "hush", "domain": {"name": PROJECT.account_id}}
"""Who may have a token for the project `PROJECT`."""


def authorization(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    keys: tuple[str, str],
) -> str:
    """Sign all of `headers`; `query` is sorted and escaped already."""
    signed = {name.lower(): value.strip() for name, value in headers.items()}
    names = sorted(signed)
    decoded = quote(unquote(path), safe="/~")
    canonical = "\n".join(
        [
            method,
            decoded if decoded.endswith("/") else decoded + "/",
            query,
            *(f"{name}:{signed[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"SDK-HMAC-SHA256\n{signed['x-sdk-date']}\n{digest}"
    mac = hmac.new(keys[1].encode(), text.encode(), hashlib.sha256).hexdigest()
    listed = ";".join(names)
    return f"SDK-HMAC-SHA256 Access={keys[0]}, SignedHeaders={listed}, Signature={mac}"


@dataclass
class HuaweiClient:
    """Sends signed requests to a façade in this process."""

    http: httpx.AsyncClient
    clock: HandClock
    project_id: str = PROJECT.project_id
    keys: tuple[str, str] = KEYS

    async def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> httpx.Response:
        """Send a request to a whole path."""
        now = datetime.fromtimestamp(self.clock.utc_ms / 1e3, UTC)
        pairs = sorted((name, quote(str(value), safe="~")) for name, value in query.items())
        text = "&".join(f"{name}={value}" for name, value in pairs)
        signed = {
            "Host": "server",
            "Content-Type": "application/json",
            "X-Sdk-Date": f"{now:%Y%m%dT%H%M%SZ}",
            **(headers or {}),
        }
        signed["Authorization"] = authorization(method, path, text, signed, body, self.keys)
        return await self.http.request(
            method, f"http://server{path}?{text}", content=body, headers=signed
        )

    async def call(
        self, method: str, path: str, body: object = None, **query: object
    ) -> httpx.Response:
        """Send a request to a path below the project's."""
        content = b"" if body is None else json.dumps(body).encode()
        return await self.send(
            method,
            f"/v1/{self.project_id}{path}",
            content,
            {"X-Project-Id": self.project_id},
            **query,
        )

    async def fetch_token(self, body: object, query: str = "") -> httpx.Response:
        """Ask IAM for a token; see `token_request`."""
        return await self.http.post(f"http://server/v3/auth/tokens{query}", json=body)

    async def with_token(self, token: str, path: str = "") -> httpx.Response:
        """Get a whole path with a token in place of a signature; without a path, live rooms."""
        path = path or f"/v1/{self.project_id}/smart-live-rooms"
        return await self.http.get(f"http://server{path}", headers={"X-Auth-Token": token})

    async def get(self, path: str, **query: object) -> Any:
        """Get JSON, which must be there."""
        return json_of(await self.call("GET", path, **query))

    async def create(self, path: str, body: object, status: int = 200) -> Any:
        """Post a body, which must be taken."""
        return json_of(await self.call("POST", path, body), status)

    async def refused(
        self, method: str, path: str, body: object = None, **query: object
    ) -> tuple[str, str]:
        """Code and message with which a request is refused, with status 400."""
        status, code, message = error_of(await self.call(method, path, body, **query))
        assert status == 400, message
        return code, message


def token_request(
    user: object = USER, scope: object = {"project": {"name": "cn-north-4"}}
) -> dict[str, Any]:
    """Body of a request for a token of a user for a project."""
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, "scope": scope}}


def json_of(response: httpx.Response, status: int = 200) -> Any:
    """Body of a success."""
    assert response.status_code == status, response.text
    assert len(response.headers["X-Request-Id"]) == 32
    return response.json() if response.content else None


def error_of(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of a failure."""
    body: dict[str, Any] = response.json()
    is_gateways = body["error_code"].startswith("APIGW.")
    assert len(response.headers["X-Request-Id"]) == 32
    assert body.get("request_id") == (response.headers["X-Request-Id"] if is_gateways else None)
    return response.status_code, body["error_code"], body["error_msg"]
