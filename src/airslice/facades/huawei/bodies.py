"""Turn JSON and query parameters into wire structs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec

from airslice.domain.errors import InvalidInput
from airslice.facades.http.bodies import invalid_input
from airslice.facades.http.refusals import Refusal
from airslice.facades.huawei import errors

MAX_PARAMETERS = 64
"""How many parameters a query may have; the largest operation has 13."""

T = TypeVar("T")
Wire = TypeVar("Wire", bound=msgspec.Struct)


def parse_query(query: bytes) -> list[tuple[str, str]]:
    """Decode a query into pairs, in order; a `+` stands for itself, not for a space.

    Raises:
        Refusal: it has over `MAX_PARAMETERS` parameters.
    """
    parts = [part for part in query.decode(errors="surrogateescape").split("&") if part]
    if len(parts) > MAX_PARAMETERS:
        raise Refusal(errors.INVALID_PARAMETER, f"over {MAX_PARAMETERS} query parameters")
    pairs = (part.partition("=") for part in parts)
    return [(_decode(name), _decode(value)) for name, _, value in pairs]


def from_query(query: Sequence[tuple[str, str]], shape: type[Wire]) -> Wire:
    """Read a struct from query parameters; an empty parameter counts as absent.

    Raises:
        InvalidInput: a parameter is missing, has the wrong type or is out of range.
    """
    given = {name: value for name, value in query if value}
    for name, value in given.items():
        if not is_text(value):
            raise InvalidInput(name, "must be UTF-8")
    return from_json(given, shape, strict=False)


def from_body(body: bytes, shape: type[Wire]) -> Wire:
    """Read a struct from a JSON body; an empty body counts as an empty object.

    Raises:
        Refusal: it is no JSON object.
        InvalidInput: a field is missing, has the wrong type or is out of range.
    """
    try:
        given = msgspec.json.decode(body) if body.strip() else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(errors.INVALID_BODY, str(error)) from None
    if not isinstance(given, dict):
        raise Refusal(errors.INVALID_BODY, "expected a JSON object")
    return from_json(given, shape)


def from_json(given: Mapping[str, Any], shape: type[Wire], *, strict: bool = True) -> Wire:
    """Read a struct from a JSON object. Unknown fields are ignored.

    Args:
        given: The object.
        shape: What it should be.
        strict: Whether numbers and booleans may not be texts.

    Raises:
        InvalidInput: a field is missing, has the wrong type or is out of range.
    """
    try:
        return msgspec.convert(given, shape, strict=strict)
    except msgspec.ValidationError as error:
        raise invalid_input(str(error)) from None


def split_list(text: str | None) -> list[str]:
    """Split a list of words at its commas."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def known(field: str, word: str, words: Mapping[str, T]) -> T:
    """Return what a word of this wire means.

    Raises:
        InvalidInput: it is none of `words`.
    """
    if word not in words:
        raise InvalidInput(field, f"must be of {', '.join(words)}")
    return words[word]


def is_text(text: str) -> bool:
    """Whether a decoded text was UTF-8, as everything that is kept has to be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decode(text: str) -> str:
    return unquote(text, errors="surrogateescape")
