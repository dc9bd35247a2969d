"""Turn the parameters of a request into a wire struct."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from airslice.facades.http.bodies import invalid_input
from airslice.facades.http.refusals import Refusal
from airslice.facades.volcengine import errors

MAX_FIELDS = 256
"""How many parameters a query or form may have; the largest request has under 90."""

MAX_FORM_BYTES = 65_536
"""Undoing its percent signs takes 200 times the memory of a form; the longest request has 8 KiB."""

MAX_DEPTH = 16
"""How many names a name in a form may be made of; the longest of a request has five."""

_FORM = "application/x-www-form-urlencoded"
_LIST_INDEX = re.compile(r"[0-9]{1,4}")

Wire = TypeVar("Wire", bound=msgspec.Struct)
Tree = dict[str, "Tree | str"]


def parse_query(text: str) -> list[tuple[str, str]]:
    """Decode a query or form into pairs, in order; `+` and `%20` are both a space.

    Raises:
        Refusal: it has over `MAX_FIELDS` parameters.
    """
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refusal(
            errors.INVALID_PARAMETER, f"The request has over {MAX_FIELDS} parameters."
        ) from None


def from_query(query: Mapping[str, str], shape: type[Wire]) -> Wire:
    """Read a struct of texts from query parameters."""
    return msgspec.convert(query, shape)


def from_body(body: bytes, content_type: str, shape: type[Wire]) -> Wire:
    """Read a struct from a request body. Unknown fields are ignored.

    Whatever the content type, text that begins like JSON is JSON: several HTTP clients call
    every body a form unless told otherwise.

    Raises:
        Refusal: the body is empty or cannot be parsed.
        InvalidInput: a field has the wrong type.
    """
    text = body.strip()
    if not text:
        raise Refusal(errors.BODY_IS_EMPTY)
    try:
        if content_type.lower().startswith(_FORM) and not text.startswith((b"{", b"[")):
            if len(text) > MAX_FORM_BYTES:
                raise Refusal(errors.SIZE_OVER_LIMIT, str(MAX_FORM_BYTES))
            return msgspec.convert(_nest(text), shape, strict=False)
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError as error:
        raise invalid_input(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(errors.UNMARSHAL, f"The request body is not JSON: {error}") from None


def _nest(form: bytes) -> object:
    """Undo the flattening of volcengine-python-sdk: `A.B.1=x` is `{"A": {"B": ["x"]}}`.

    Source: volcengine-python-sdk 5.0.54, `flatten.py`.
    """
    tree: Tree = {}
    for name, value in parse_query(form.decode()):
        if value in ("{}", "[]"):
            continue  # an empty object or list, which is the same as none
        *parents, leaf = name.split(".", MAX_DEPTH)
        if "." in leaf:
            raise Refusal(errors.UNMARSHAL, f"{name[:40]}… is nested too deep.")
        branch = tree
        for parent in parents:
            below = branch.setdefault(parent, {})
            if isinstance(below, str):
                raise Refusal(errors.UNMARSHAL, f"{name} is both a value and an object.")
            branch = below
        branch[leaf] = value
    return _with_lists(tree)


def _with_lists(node: Tree | str) -> object:
    """Turn objects whose names are all numbers into lists, in the order of the numbers."""
    if isinstance(node, str):
        return node
    if node and all(_LIST_INDEX.fullmatch(name) for name in node):
        return [_with_lists(node[name]) for name in sorted(node, key=int)]
    return {name: _with_lists(below) for name, below in node.items()}
