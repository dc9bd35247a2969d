"""Verify SDK-HMAC-SHA256 request signatures.

Sans-IO: takes a request as plain values and the time; owns no socket and no clock. It follows
the request's own list of signed headers, because no two SDKs sign the same set.

Source: https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html;
huaweicloudsdkcore 3.1.219 `signer/signer.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from airslice.facades.http.refusals import Refusal
from airslice.facades.http.signatures import (
    SignedRequest,
    canonical_path,
    canonical_query,
    format_timestamp,
    parse_timestamp,
    signature,
)
from airslice.facades.huawei import errors

ALGORITHM = "SDK-HMAC-SHA256"

VALID_S = 900
"""Seconds that a signature is valid, before and after its X-Sdk-Date."""

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
"""What stands for the body's hash where the SDKs do not sign the body."""

MAX_SHOWN_CHARS = 2_000
"""How much of a canonical request a refusal quotes."""

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Access=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{{64}})"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A signature as the request presents it."""

    access_key: str
    secret_key: str = field(repr=False)
    timestamp: str
    signed_headers: tuple[str, ...]
    """Names of the signed headers, in lower case and sorted."""
    signature: str


def claim_of(headers: Mapping[str, str], *, secret_keys: Mapping[str, str], now_s: int) -> Claim:
    """Return the signature that a request presents, before its body is read.

    Args:
        headers: Those of the request, names in lower case.
        secret_keys: Access key to secret key.
        now_s: UTC, seconds since the Unix epoch.

    Raises:
        Refusal: it is missing, malformed or expired, or nobody has its access key.
    """
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", "").strip())
    if match is None:
        raise Refusal(
            errors.UNAUTHENTICATED, f"expected '{ALGORITHM} Access=…, SignedHeaders=…, Signature=…'"
        )
    access_key, names, presented = match.groups()
    signed_headers = tuple(sorted(names.lower().split(";")))
    timestamp = headers.get("x-sdk-date", "")
    if "x-sdk-date" not in signed_headers:
        raise Refusal(errors.UNAUTHENTICATED, "x-sdk-date is not signed")
    _check_time(timestamp, now_s)
    secret_key = secret_keys.get(access_key)
    if secret_key is None:
        raise Refusal(errors.UNAUTHENTICATED, "Get secretKey failed")
    return Claim(
        access_key=access_key,
        secret_key=secret_key,
        timestamp=timestamp,
        signed_headers=signed_headers,
        signature=presented,
    )


def check(claim: Claim, request: SignedRequest) -> None:
    """Check that `claim` is the signature of `request`.

    Raises:
        Refusal: it is not.
    """
    canonical = canonical_request(request, claim.signed_headers)
    expected = signature(claim.secret_key.encode(), string_to_sign(canonical, claim.timestamp))
    if not hmac.compare_digest(expected, claim.signature):
        shown = canonical[:MAX_SHOWN_CHARS].replace("\n", "|")
        raise Refusal(
            errors.UNAUTHENTICATED, f"verify aksk signature fail, canonicalRequest:{shown}"
        )


def canonical_request(request: SignedRequest, signed_headers: Sequence[str]) -> str:
    """Return the text that stands for the request in its signature.

    Args:
        request: The request, with its whole body.
        signed_headers: Names in lower case, sorted.

    Raises:
        Refusal: a signed header is not in the request, or its hash of the body is wrong.
    """
    path = canonical_path(request.path)
    lines = [f"{name}:{_header_value(request, name)}" for name in signed_headers]
    return "\n".join(
        (
            request.method.upper(),
            path if path.endswith("/") else f"{path}/",
            canonical_query(request.query),
            *lines,
            "",
            ";".join(signed_headers),
            _body_hash(request),
        )
    )


def string_to_sign(canonical: str, timestamp: str) -> str:
    """Put the hash of the canonical request together with its time."""
    digest = hashlib.sha256(canonical.encode(errors="surrogateescape")).hexdigest()
    return "\n".join((ALGORITHM, timestamp, digest))


def _check_time(timestamp: str, now_s: int) -> None:
    signed_at_s = parse_timestamp(timestamp)
    if signed_at_s is None:
        raise Refusal(errors.UNAUTHENTICATED, "X-Sdk-Date must look like 20060102T150405Z")
    if abs(now_s - signed_at_s) > VALID_S:
        now = format_timestamp(now_s)
        raise Refusal(
            errors.UNAUTHENTICATED,
            f"X-Sdk-Date is over {VALID_S} s off, the server's time is {now}",
        )


def _body_hash(request: SignedRequest) -> str:
    digest = hashlib.sha256(request.body).hexdigest()
    given = request.headers.get("x-sdk-content-sha256", digest)
    if not request.body:
        return digest  # whatever the header says, as the SDKs do
    if given not in (digest, UNSIGNED_PAYLOAD):
        raise Refusal(errors.UNAUTHENTICATED, "X-Sdk-Content-Sha256 is not that of the body")
    return given


def _header_value(request: SignedRequest, name: str) -> str:
    value = request.headers.get(name)
    if value is None:
        raise Refusal(errors.UNAUTHENTICATED, f"the signed header {name} is missing")
    return value.strip()
