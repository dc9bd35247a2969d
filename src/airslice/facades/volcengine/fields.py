"""Checks that the fields of many requests share."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from airslice.domain.errors import InvalidInput
from airslice.domain.room import ID_PATTERN, is_valid_id
from airslice.facades.http.refusals import Refusal, WireError
from airslice.facades.volcengine import errors

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""Every number of this wire (`*int32` in volc-sdk-golang `service/rtc/v20231101/model.go`)."""

REQUIRED = msgspec.Meta(extra={"required": True})
"""Tells the OpenAPI document of a field that must be there. A parser that knew it would refuse
without it in words of its own, so code does, in this wire's."""


def documented(**keywords: Any) -> msgspec.Meta:
    """Tell the OpenAPI document, as JSON Schema, what code checks of a field."""
    return msgspec.Meta(extra_json_schema=keywords)


def within(allowed: range, **keywords: Any) -> msgspec.Meta:
    """Tell the OpenAPI document of the range that `in_range` keeps a field in."""
    return documented(minimum=allowed[0], maximum=allowed[-1], **keywords)


Id = Annotated[str, documented(pattern=f"^{ID_PATTERN.pattern}$")]
RequiredId = Annotated[Id, REQUIRED]
RequiredText = Annotated[str, documented(minLength=1), REQUIRED]

ID_RULE = "must match [a-zA-Z0-9_@\\-\\.]{1,128}"


def required(field: str, text: str | None, missing: WireError = errors.MISSING_PARAMETER) -> str:
    """Return `text`, which must be there.

    Raises:
        Refusal: `text` is empty or null.
    """
    if not text:
        raise Refusal(missing, field)
    return text


def required_id(
    field: str,
    text: str | None,
    *,
    missing: WireError = errors.MISSING_PARAMETER,
    illegal: WireError = errors.INVALID_PARAMETER,
) -> str:
    """Return `text`, which must be there and be an id.

    Raises:
        Refusal: `text` is empty or no id.
    """
    given = required(field, text, missing)
    if not is_valid_id(given):
        raise Refusal(illegal, f"{field}: {ID_RULE}")
    return given


def required_app_id(text: str | None) -> str:
    """Return the field AppId.

    Raises:
        Refusal: it is empty or no id.
    """
    return required_id("AppId", text, missing=errors.NO_APP_ID, illegal=errors.ILLEGAL_APP_ID)


def required_room_id(text: str | None) -> str:
    """Return the field RoomId.

    Raises:
        Refusal: it is empty or no id.
    """
    return required_id("RoomId", text, missing=errors.NO_ROOM_ID, illegal=errors.ILLEGAL_ROOM_ID)


def optional_id(field: str, text: str | None) -> str | None:
    """Return `text`, which must be an id; None if it is empty or not there.

    Raises:
        InvalidInput: `text` is no id.
    """
    if not text:
        return None
    if not is_valid_id(text):
        raise InvalidInput(field, ID_RULE)
    return text


def in_range(field: str, value: int, allowed: range) -> int:
    """Return `value`, which must be in `allowed`.

    Raises:
        InvalidInput: it is not.
    """
    if value not in allowed:
        raise InvalidInput(field, f"must be from {allowed[0]} to {allowed[-1]}")
    return value
