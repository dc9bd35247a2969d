"""Signed requests to buckets, over HTTP.

What is asked for is decided in `s3`; what the answers mean is in `s3_answers`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import quote

import aiohttp
from aiohttp.payload import BufferedReaderPayload
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

from airslice.domain.errors import StoreFailed
from airslice.domain.storage_endpoints import BucketAccess
from airslice.storage.s3_answers import Answer

MAX_CONNECTIONS = 64
MAX_ANSWER_BYTES = 8_192
"""How many bytes of an answer's body are read; the rest is not looked at."""

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectRequest:
    """A request to store, look at or remove one object."""

    method: str
    access: BucketAccess
    key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers in addition to those that a signature needs. All of them are signed."""
    body: BinaryIO | None = None
    """A file, open at its beginning, that is streamed; None for a request without a body."""
    sha256: str = EMPTY_SHA256
    """Digest of the body in lower-case hexadecimal. It is signed, so no other body is accepted."""

    @property
    def url(self) -> str:
        """URL of the object. All but unreserved characters are percent-encoded, as it is signed."""
        return f"{self.access.url}/{quote(self.key, safe='/-._~')}"


class S3Requests:
    """Sends requests to stores over connections that it keeps.

    A request whose connection breaks is repeated once, on another; all requests are idempotent.
    Redirects are not followed, certificates are verified, and neither proxies nor keys are taken
    from the environment. Make it on the event loop that it serves.
    """

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
            headers={"User-Agent": "airslice"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections. Nothing can be sent afterwards."""
        await self._session.close()

    async def send(self, request: ObjectRequest, limits: aiohttp.ClientTimeout) -> Answer:
        """Return what the store answers.

        Raises:
            StoreFailed: nothing answered. The message holds neither URL nor header.
        """
        body = None
        if request.body is not None:
            # Its name is that of the file in the spool, which is nobody's business.
            body = BufferedReaderPayload(request.body, filename=None)
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                data=body,
                headers=_signed_headers(request),
                allow_redirects=False,
                timeout=limits,
                skip_auto_headers=("Content-Type",),
            ) as response:
                start = await response.content.read(MAX_ANSWER_BYTES)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(status=response.status, headers=headers, body=start)
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            raise StoreFailed(_reason(error)) from None


def _reason(error: Exception) -> str:
    """Say what is wrong without the error's own words, which may hold addresses and URLs."""
    match error:
        case TimeoutError():
            return "the store did not answer in time"
        case aiohttp.ClientConnectorDNSError() | UnicodeError():  # the latter from IDNA
            return "the store cannot be reached: its name cannot be resolved"
        case aiohttp.ClientSSLError():
            return "the store cannot be reached: TLS failed, or its certificate is not valid"
        case aiohttp.ClientConnectorError() if error.os_error.errno:
            return f"the store cannot be reached: {os.strerror(error.os_error.errno)}"
    return f"the connection to the store broke: {type(error).__name__}"


class _SignerOfKnownBodies(S3SigV4Auth):  # type: ignore[misc]  # botocore ships no types
    """Signs the digest it is given, instead of reading the body to find it."""

    def __init__(self, access: BucketAccess, sha256: str) -> None:
        super().__init__(Credentials(access.access_key, access.secret_key), "s3", access.region)
        self._sha256 = sha256

    def payload(self, request: AWSRequest) -> str:
        return self._sha256


def _signed_headers(request: ObjectRequest) -> dict[str, str]:
    """Return the request's headers, and those that sign it.

    The signature is dated by the machine's clock, not by a Clock: it is another machine that
    compares the date with its own.
    """
    signed = AWSRequest(request.method, request.url, headers=dict(request.headers))
    _SignerOfKnownBodies(request.access, request.sha256).add_auth(signed)
    return dict(signed.headers.items())
