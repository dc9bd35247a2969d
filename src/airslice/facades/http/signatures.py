"""What the HMAC signatures of the two clouds have in common; where they differ is not here."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedRequest:
    """An HTTP request as signatures see it."""

    method: str
    path: bytes
    """Path, percent-decoded."""
    query: Sequence[tuple[str, str]]
    """Decoded names and values, in the order received."""
    headers: Mapping[str, str]
    """Headers by name in lower case; values of a repeated header are joined by a comma."""
    body: bytes = field(repr=False)


def canonical_path(path: bytes) -> str:
    """Percent-encode a path, but for its slashes and RFC 3986's unreserved characters."""
    return quote(path, safe="/")


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Percent-encode all but RFC 3986's unreserved characters, sort the pairs, and join them."""
    escaped = sorted((_escape(name), _escape(value)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in escaped)


def signature(key: bytes, text: str) -> str:
    """Return the HMAC-SHA256 of `text`: hexadecimal, lower case."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def parse_timestamp(text: str) -> int | None:
    """Return the seconds since the Unix epoch of YYYYMMDDTHHMMSSZ; None if it is not that."""
    if _TIMESTAMP.fullmatch(text) is None:
        return None
    try:
        return int(datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC).timestamp())
    except ValueError:  # such as the 30th of February
        return None


def format_timestamp(utc_s: int) -> str:
    """Write seconds since the Unix epoch as YYYYMMDDTHHMMSSZ."""
    return datetime.fromtimestamp(utc_s, UTC).strftime(TIME_FORMAT)


def _escape(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")
