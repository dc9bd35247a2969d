"""Objects in buckets of S3, and of all stores that speak its protocol.

How requests are signed and sent is in `s3_requests`, what answers mean in `s3_answers`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import aiohttp

from airslice.application.ports.clock import Clock
from airslice.application.ports.storage import NO_METADATA
from airslice.domain.errors import StoreFailed
from airslice.domain.storage_endpoints import (
    BucketAccess,
    StorageOverride,
    bucket_access,
    find_override,
)
from airslice.domain.storage_target import StorageTarget
from airslice.storage.s3_answers import Answer, Content, failure, is_confirmed
from airslice.storage.s3_requests import ObjectRequest, S3Requests

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 30.0
TOTAL_TIMEOUT_S = 120.0
"""The three limits of a request: to connect; to wait for the answer, and between its parts; and for
everything together, which is enough for 60 MB, the largest slice, at 4 Mbit/s."""

PROBE_KEY = "airslice-probe"
"""Key of the empty object by which `check` finds out whether a bucket can be written to."""

PROBE_TIMEOUT_S = 5.0
PROBE_MEMORY_NS = 600 * 10**9
MAX_REMEMBERED_PROBES = 1_024
"""How many targets that passed the probe are remembered; each is for `PROBE_MEMORY_NS` nanoseconds.
So a burst of new tasks asks once."""

_READ_BYTES = 1 << 18


class S3ObjectStore:
    """An ObjectStore and StorageProbe of whatever can be reached by S3's protocol.

    Each call makes one try; when to make the next is its caller's business. Make it on the event
    loop that it serves.

    Args:
        clock: Ages what is remembered of probes.
        overrides: Servers that take the place of a vendor's own; the first that matches wins.
        timeout_s: Shortens all time-outs to at most this.
    """

    def __init__(
        self,
        clock: Clock,
        overrides: Sequence[StorageOverride] = (),
        *,
        timeout_s: float = TOTAL_TIMEOUT_S,
    ) -> None:
        self._clock = clock
        self._overrides = overrides
        self._requests = S3Requests()
        self._limits = aiohttp.ClientTimeout(
            total=timeout_s,
            sock_connect=min(CONNECT_TIMEOUT_S, timeout_s),
            sock_read=min(ANSWER_TIMEOUT_S, timeout_s),
        )
        self._probe_limits = aiohttp.ClientTimeout(total=min(PROBE_TIMEOUT_S, timeout_s))
        self._passed_at_ns: dict[StorageTarget, int] = {}

    async def close(self) -> None:
        """Close the connections. The store cannot be used afterwards."""
        await self._requests.close()

    async def put(
        self,
        target: StorageTarget,
        key: str,
        source: Path,
        *,
        content_type: str,
        sha256: str,
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> None:
        """Stream the file `source` to the store; return when that has confirmed its content.

        The store is sent MD5 and SHA-256, to check what arrives. What it answers is checked in
        turn; where its answer holds no checksum, and the keys may read, the stored size is.

        Raises:
            StoreRefused: the bucket or the keys are wrong.
            StoreFailed: the file cannot be read or is not what `sha256` says, or the store failed.
        """
        with _named(f"{key} in bucket {target.bucket!r}"):
            access = self._access(target)
            try:
                file, content = await asyncio.to_thread(_opened, source)
            except OSError as error:
                raise StoreFailed(error.strerror or "the file cannot be read") from None
            with file:
                if content.sha256.hex() != sha256:
                    raise StoreFailed("the file differs from the slice")
                request = _put_request(access, key, content, file)
                headers = {"Content-Type": content_type, **_metadata_headers(metadata)}
                request = replace(request, headers={**request.headers, **headers})
                answer = await self._accepted(request, self._limits)
            if not is_confirmed(answer, content):
                await self._confirm_size(access, key, content)

    async def check(self, target: StorageTarget) -> None:
        """Write an empty object, and remove it where the keys allow that.

        Raises:
            StoreRefused: the bucket or the keys are wrong.
            StoreFailed: the store cannot be reached, or is out of order.
        """
        now_ns = self._clock.monotonic_ns()
        passed_at_ns = self._passed_at_ns.pop(target, None)
        if passed_at_ns is None or now_ns - passed_at_ns >= PROBE_MEMORY_NS:
            with _named(f"bucket {target.bucket!r}"):
                await self._probe(self._access(target))
            passed_at_ns = now_ns
        while len(self._passed_at_ns) >= MAX_REMEMBERED_PROBES:
            del self._passed_at_ns[next(iter(self._passed_at_ns))]
        self._passed_at_ns[target] = passed_at_ns

    async def _probe(self, access: BucketAccess) -> None:
        nothing = Content(size_bytes=0, md5=_md5().digest(), sha256=hashlib.sha256().digest())
        await self._accepted(_put_request(access, PROBE_KEY, nothing), self._probe_limits)
        removal = ObjectRequest(method="DELETE", access=access, key=PROBE_KEY)
        with suppress(StoreFailed):  # nobody need give permission to delete
            await self._requests.send(removal, self._probe_limits)

    def _access(self, target: StorageTarget) -> BucketAccess:
        return bucket_access(target, find_override(target, self._overrides))

    async def _accepted(self, request: ObjectRequest, limits: aiohttp.ClientTimeout) -> Answer:
        answer = await self._requests.send(request, limits)
        if answer.status != HTTPStatus.OK:
            raise failure(answer)
        return answer

    async def _confirm_size(self, access: BucketAccess, key: str, content: Content) -> None:
        """Ask for the stored size, as the store's first answer proved nothing.

        Keys that may only write are told nothing. That is no failure: the store had two checksums
        to check before it said that it had stored the object.
        """
        question = ObjectRequest(method="HEAD", access=access, key=key)
        answer = await self._requests.send(question, self._limits)
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return
        if answer.status == HTTPStatus.NOT_FOUND:
            raise StoreFailed("the store does not have it")
        if answer.status != HTTPStatus.OK:
            raise failure(answer)
        if answer.headers.get("content-length") != str(content.size_bytes):
            raise StoreFailed("the store holds another number of bytes")


@contextmanager
def _named(subject: str) -> Iterator[None]:
    """Begin the message of an error with what it is about."""
    try:
        yield
    except StoreFailed as error:
        raise type(error)(f"{subject}: {error}") from None


def _put_request(
    access: BucketAccess, key: str, content: Content, file: BinaryIO | None = None
) -> ObjectRequest:
    headers = {"Content-MD5": content.md5_base64}
    if access.takes_sha256:
        headers["x-amz-checksum-sha256"] = content.sha256_base64
    return ObjectRequest(
        method="PUT",
        access=access,
        key=key,
        headers=headers,
        body=file,
        sha256=content.sha256.hex(),
    )


def _metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return user metadata as headers; what is not plain ASCII is percent-encoded."""
    return {f"x-amz-meta-{name}": quote(value, safe="@") for name, value in metadata.items()}


def _opened(source: Path) -> tuple[BinaryIO, Content]:
    """Return a file at its beginning, and what is in it."""
    with ExitStack() as stack:
        file = stack.enter_context(source.open("rb"))
        md5, sha256 = _md5(), hashlib.sha256()
        while block := file.read(_READ_BYTES):
            md5.update(block)
            sha256.update(block)
        size_bytes = file.tell()
        file.seek(0)
        stack.pop_all()  # all went well: the file stays open
    return file, Content(size_bytes=size_bytes, md5=md5.digest(), sha256=sha256.digest())


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
