"""What the wire structs share: their base, ranges of fields, times.

Structs bear the names of Huawei's model classes. Ranges are those of the official tables and of
the Java SDK's annotations (huaweicloud-sdk-java-v3 3.1.212).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from airslice.application.ports.live import Window
from airslice.domain.errors import InvalidInput
from airslice.domain.script import JsonObject

INT32_MAX = 2**31 - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Id = Annotated[str, msgspec.Meta(max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Text256 = Annotated[str, msgspec.Meta(max_length=256)]
Text1024 = Annotated[str, msgspec.Meta(max_length=1_024)]
Url = Annotated[str, msgspec.Meta(max_length=2_048)]
RequiredUrl = Annotated[str, msgspec.Meta(min_length=1, max_length=2_048)]
HttpUrl = Annotated[str, msgspec.Meta(max_length=2_048, pattern="^(https?://|$)")]
"""Address to which the server will send something; empty text stands for none."""
Rgb = Annotated[str, msgspec.Meta(max_length=16)]
Count = Annotated[int, msgspec.Meta(ge=0, le=INT32_MAX)]
Ids = Annotated[list[Id], msgspec.Meta(max_length=100)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=3_600)]

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all structs of this wire.

    Null is as good as missing in requests; in responses a field without a value is left out, as
    in the official examples.
    """


class NoBody(Wire, frozen=True, kw_only=True):
    """Body of requests and responses that have none."""


class NoQuery(Wire, frozen=True, kw_only=True):
    """Query of requests that have no parameters."""


class WindowQuery(Wire, frozen=True, kw_only=True):
    """Which part of a list is asked for."""

    offset: Count = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10

    def window(self, created_since: str | None = None, created_until: str | None = None) -> Window:
        """Return the part that is asked for, of what was created between two times.

        Raises:
            InvalidInput: a time is none.
        """
        return Window(
            offset=self.offset,
            limit=self.limit,
            created_since_ms=since_ms("create_since", created_since),
            created_until_ms=until_ms("create_until", created_until),
        )


def extras_of(given: Wire, *names: str) -> JsonObject:
    """Return those of the named fields that are given, as JSON, under their names."""
    values: dict[str, Any] = {name: getattr(given, name) for name in names}
    return {name: msgspec.to_builtins(value) for name, value in values.items() if value is not None}


def rfc3339(utc_ms: int) -> str | None:
    """Write a time as ``2021-01-10T08:43:17Z``; 0 stands for no time, and returns None."""
    if not utc_ms:
        return None
    return f"{datetime.fromtimestamp(utc_ms // 1_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def parse_rfc3339(field: str, text: str) -> int:
    """Read a time; return milliseconds since the Unix epoch.

    Raises:
        InvalidInput: it is none.
    """
    try:
        time = datetime.fromisoformat(text.upper()) if _RFC_3339.fullmatch(text) else None
    except ValueError:  # such as the 30th of February
        time = None
    if time is None or time < _EPOCH:
        raise InvalidInput(field, "must be a time like 2021-01-10T08:43:17Z")
    return (time - _EPOCH) // timedelta(milliseconds=1)


def since_ms(field: str, text: str | None) -> int | None:
    """Read the earliest time that is asked for, in the whole seconds that the wire shows."""
    return None if text is None else -(-parse_rfc3339(field, text) // 1_000) * 1_000


def until_ms(field: str, text: str | None) -> int | None:
    """Read the latest time that is asked for, in the whole seconds that the wire shows."""
    return None if text is None else parse_rfc3339(field, text) // 1_000 * 1_000 + 999
