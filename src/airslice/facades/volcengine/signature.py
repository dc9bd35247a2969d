"""Verify HMAC-SHA256 request signatures, in the Authorization header or in the query.

Sans-IO: takes a request as plain values and the time; owns no socket and no clock. It follows
the request's own list of signed names, because no two SDKs sign the same set.

Source: https://www.volcengine.com/docs/6348/69859; volcengine-python-sdk 5.0.54 `signv4.py`;
@volcengine/openapi 1.36.2 `lib/base/sign.js`; volc-sdk-golang 1.0.253 `base/sign.go`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airslice.facades.http.refusals import Refusal
from airslice.facades.http.signatures import (
    SignedRequest,
    canonical_path,
    canonical_query,
    format_timestamp,
    parse_timestamp,
    signature,
)
from airslice.facades.volcengine import errors

ALGORITHM = "HMAC-SHA256"
SERVICE = "rtc"

VALID_S = 900
"""Seconds that a signature is valid, before and after its X-Date (docs/6469/1126803)."""

MAX_EXPIRES_S = 86_400
"""Longest validity that X-Expires can ask for, in seconds."""

UNSIGNED_QUERIES = frozenset({"X-Signature", "X-SignedQueries", "X-Security-Token"})
"""Query parameters that SDKs add after they have decided what to sign."""

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=([^,\s]+), *SignedHeaders=([^,\s]*), *Signature=([^,\s]*)"
)
_DEFAULT_PORT = re.compile(r":(80|443)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a signing key is good for."""

    date: str
    """Day in UTC, as YYYYMMDD."""
    region: str
    service: str = SERVICE

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/request"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """The owner of a signature, and the region that it is for."""

    access_key: str
    region: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Claim:
    """A signature as the request presents it."""

    credential: str
    timestamp: str
    signed_headers: tuple[str, ...]
    signed_query: Sequence[tuple[str, str]]
    signature: str
    valid_s: int = VALID_S


def verify(request: SignedRequest, *, secret_keys: Mapping[str, str], now_s: int) -> Caller:
    """Return who signed `request`.

    Args:
        request: As received, with its whole body.
        secret_keys: Access key to secret key.
        now_s: UTC, seconds since the Unix epoch.

    Raises:
        Refusal: the signature is missing, malformed, expired or wrong.
    """
    claim = _header_claim(request) if "authorization" in request.headers else _query_claim(request)
    access_key, scope = _parse_credential(claim)
    _check_time(claim, now_s)
    secret_key = secret_keys.get(access_key)
    if secret_key is None:
        raise Refusal(errors.INVALID_ACCESS_KEY, access_key)
    body_hash = hashlib.sha256(request.body).hexdigest()
    if request.headers.get("x-content-sha256", body_hash) != body_hash:
        raise Refusal(errors.SIGNATURE_DOES_NOT_MATCH)
    canonical = canonical_request(request, claim.signed_query, claim.signed_headers)
    expected = signature(
        signing_key(secret_key, scope), string_to_sign(canonical, claim.timestamp, scope)
    )
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise Refusal(errors.SIGNATURE_DOES_NOT_MATCH)
    return Caller(access_key=access_key, region=scope.region)


def canonical_request(
    request: SignedRequest, query: Sequence[tuple[str, str]], signed_headers: Sequence[str]
) -> str:
    """Return the text that stands for the request in its signature.

    Args:
        request: The request; its body is hashed as it is.
        query: The signed pairs.
        signed_headers: Names in lower case, sorted.

    Raises:
        Refusal: a signed header is not in the request.
    """
    lines = [f"{name}:{_header_value(request, name)}" for name in signed_headers]
    return "\n".join(
        (
            request.method,
            canonical_path(request.path),
            canonical_query(query),
            # The SDKs end each header with a line feed, so that the join leaves an empty line;
            # with no header at all there are two.
            "\n".join(lines) + "\n",
            ";".join(signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def string_to_sign(canonical: str, timestamp: str, scope: Scope) -> str:
    """Return the text that is signed: the hash of the canonical request, its time and its scope."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return "\n".join((ALGORITHM, timestamp, str(scope), digest))


def signing_key(secret_key: str, scope: Scope) -> bytes:
    """Derive the key for one day, region and service from a secret key."""
    key = secret_key.encode()
    for part in (scope.date, scope.region, scope.service, "request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _header_claim(request: SignedRequest) -> _Claim:
    match = _AUTHORIZATION.fullmatch(request.headers["authorization"].strip())
    if match is None:
        raise Refusal(
            errors.INVALID_AUTHORIZATION,
            f"Expected '{ALGORITHM} Credential=…, SignedHeaders=…, Signature=…'.",
        )
    credential, names, presented = match.groups()
    if not presented:
        raise Refusal(errors.MISSING_SIGNATURE)
    if "x-date" not in request.headers:
        raise Refusal(errors.MISSING_REQUEST_INFO, "X-Date")
    signed_headers = _names(names.lower())
    if "x-date" not in signed_headers:
        raise Refusal(errors.INVALID_AUTHORIZATION, "SignedHeaders must name x-date.")
    return _Claim(
        credential=credential,
        timestamp=request.headers["x-date"],
        signed_headers=signed_headers,
        signed_query=request.query,
        signature=presented,
    )


def _query_claim(request: SignedRequest) -> _Claim:
    query = dict(request.query)
    if "X-Credential" not in query:
        raise Refusal(errors.MISSING_AUTHENTICATION_TOKEN)
    if not query.get("X-Signature"):
        raise Refusal(errors.MISSING_SIGNATURE)
    if query.get("X-Algorithm") != ALGORITHM:
        raise Refusal(errors.INVALID_AUTHORIZATION, f"X-Algorithm must be {ALGORITHM}.")
    if "X-Date" not in query:
        raise Refusal(errors.MISSING_REQUEST_INFO, "X-Date")
    signed_names = frozenset(_names(query.get("X-SignedQueries", "")))
    # An unsigned parameter could be put in by anybody who sees the address.
    if not query.keys() <= signed_names | UNSIGNED_QUERIES:
        raise Refusal(errors.SIGNATURE_DOES_NOT_MATCH)
    return _Claim(
        credential=query["X-Credential"],
        timestamp=query["X-Date"],
        signed_headers=_names(query.get("X-SignedHeaders", "").lower()),
        signed_query=[pair for pair in request.query if pair[0] in signed_names],
        signature=query["X-Signature"],
        valid_s=_parse_expires(query.get("X-Expires", str(VALID_S))),
    )


def _parse_credential(claim: _Claim) -> tuple[str, Scope]:
    """Split `AccessKey/YYYYMMDD/region/service/request`."""
    parts = claim.credential.split("/")
    if len(parts) != 5 or parts[4] != "request" or not parts[2]:
        raise Refusal(
            errors.INVALID_CREDENTIAL, "Expected AccessKey/YYYYMMDD/region/service/request."
        )
    access_key, date, region, service, _ = parts
    if service != SERVICE:
        raise Refusal(errors.INVALID_CREDENTIAL, f"The service must be {SERVICE}.")
    if date != claim.timestamp[:8]:
        raise Refusal(errors.INVALID_CREDENTIAL, "Its date must be that of X-Date.")
    return access_key, Scope(date=date, region=region)


def _parse_expires(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) is None:
        raise Refusal(errors.INVALID_TIMESTAMP, "X-Expires must be a number of seconds.")
    return min(int(text), MAX_EXPIRES_S)


def _check_time(claim: _Claim, now_s: int) -> None:
    signed_at_s = parse_timestamp(claim.timestamp)
    if signed_at_s is None:
        raise Refusal(errors.INVALID_TIMESTAMP, "X-Date must look like 20060102T150405Z.")
    if not -VALID_S <= now_s - signed_at_s <= claim.valid_s:
        now = format_timestamp(now_s)
        raise Refusal(errors.INVALID_TIMESTAMP, f"The server's time is {now}.")


def _header_value(request: SignedRequest, name: str) -> str:
    value = request.headers.get(name)
    if value is None:
        raise Refusal(errors.SIGNATURE_DOES_NOT_MATCH)
    return _DEFAULT_PORT.sub("", value.strip()) if name == "host" else value.strip()


def _names(text: str) -> tuple[str, ...]:
    """Split a `;` list of names and sort it; empty text is an empty list."""
    return tuple(sorted(text.split(";"))) if text else ()
