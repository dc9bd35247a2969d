"""What an S3-compatible store says to a request, in our words.

Only its status, its error code and its checksums are read. The rest of what it says is shown to
nobody: some stores repeat what they were sent.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from airslice.domain.errors import StoreFailed, StoreRefused

_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")
_MD5_ETAG = re.compile(r'"?([0-9a-fA-F]{32})"?')
_PLAIN_ENCRYPTION = "AES256"
"""With any other server-side encryption an ETag is not the MD5 of the content."""

_MEANINGS = {
    "AccessDenied": "the keys may not write to the bucket",
    "InvalidAccessKeyId": "there is no such access key",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
    "NoSuchBucket": "there is no such bucket",
    "InvalidBucketName": "there can be no such bucket",
    "PermanentRedirect": "the bucket is in another region",
    "AuthorizationHeaderMalformed": "the store is in another region",
    "PathStyleDomainForbidden": "the bucket must be part of the host's name",
}

_PASSING_CODES = frozenset(
    {
        "BadDigest",
        "IncompleteBody",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "XAmzContentSHA256Mismatch",
    }
)
"""Codes of faults that may pass, such as damage on the way or a clock that is off, although the
HTTP status that comes with them says otherwise."""

_PASSING_STATUSES = frozenset(
    {
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a store answered to one request."""

    status: int
    """The HTTP status code."""
    headers: Mapping[str, str]
    """Header values by header names in lower case."""
    body: bytes
    """The beginning of the answer's body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What is to be stored, as far as a store can confirm it."""

    size_bytes: int
    md5: bytes
    sha256: bytes

    @property
    def md5_base64(self) -> str:
        """The MD5 digest as the header Content-MD5 has it."""
        return base64.b64encode(self.md5).decode()

    @property
    def sha256_base64(self) -> str:
        """The SHA-256 digest as the header x-amz-checksum-sha256 has it."""
        return base64.b64encode(self.sha256).decode()


def failure(answer: Answer) -> StoreFailed:
    """Return the error that an unsuccessful answer stands for."""
    found = _CODE.search(answer.body)
    code = found[1].decode() if found else ""
    message = f"the store answered {answer.status} {code}".rstrip()
    if code in _MEANINGS:
        message += f": {_MEANINGS[code]}"
    # Of a PUT, nothing but 200 is known to mean success, and below 300 nothing means refusal.
    passing = (
        (answer.status >= 500 and answer.status != HTTPStatus.NOT_IMPLEMENTED)
        or answer.status < 300
        or answer.status in _PASSING_STATUSES
        or code in _PASSING_CODES
    )
    return StoreFailed(message) if passing else StoreRefused(message)


def is_confirmed(answer: Answer, content: Content) -> bool:
    """Whether the answer to a successful PUT proves that the store holds `content`.

    False means that it proves nothing either way: an ETag need not be a checksum.

    Raises:
        StoreFailed: the answer proves that the store holds something else.
    """
    echoed = answer.headers.get("x-amz-checksum-sha256")
    if echoed is not None:
        if echoed != content.sha256_base64:
            raise StoreFailed("the store holds other bytes, by their SHA-256")
        return True
    etag = _MD5_ETAG.fullmatch(answer.headers.get("etag", ""))
    if etag is None:
        return False
    if etag[1].lower() == content.md5.hex():
        return True
    if any(
        name.endswith("-server-side-encryption") and value != _PLAIN_ENCRYPTION
        for name, value in answer.headers.items()
    ):
        return False
    raise StoreFailed("the store holds other bytes, by their MD5")
