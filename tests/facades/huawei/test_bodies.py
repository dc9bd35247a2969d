"""JSON and queries before their fields are looked at."""

from __future__ import annotations

import pytest

from airslice.domain.errors import InvalidInput
from airslice.facades.http.refusals import Refusal
from airslice.facades.huawei import errors
from airslice.facades.huawei.bodies import (
    MAX_PARAMETERS,
    from_body,
    from_query,
    known,
    parse_query,
    split_list,
)
from airslice.facades.huawei.fields import WindowQuery
from airslice.facades.huawei.live_rooms import ConfirmSmarLiveRoomReq


def test_a_plus_in_a_query_is_a_plus() -> None:
    assert parse_query(b"a=1+2&b=%20&&c&a=%ff") == [
        ("a", "1+2"), ("b", " "), ("c", ""), ("a", "\udcff"),
    ]  # fmt: skip


def test_a_query_has_so_many_parameters_at_most() -> None:
    assert len(parse_query(b"a&" * MAX_PARAMETERS)) == MAX_PARAMETERS
    with pytest.raises(Refusal) as refused:
        parse_query(b"a&" * (MAX_PARAMETERS + 1))
    assert refused.value.error is errors.INVALID_PARAMETER


def test_empty_parameters_count_as_absent() -> None:
    assert from_query([("offset", ""), ("limit", "7"), ("x", "y")], WindowQuery) == WindowQuery(
        limit=7
    )


@pytest.mark.parametrize(
    ("pairs", "field"),
    [([("limit", "101")], "limit"), ([("offset", "x")], "offset"), ([("any", "\udcff")], "any")],
)
def test_a_wrong_parameter_is_named(pairs: list[tuple[str, str]], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_query(pairs, WindowQuery)
    assert caught.value.field == field


def test_no_body_is_an_empty_object() -> None:
    with pytest.raises(InvalidInput, match="action: must be given"):
        from_body(b" ", ConfirmSmarLiveRoomReq)


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 99_999])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        from_body(body, ConfirmSmarLiveRoomReq)
    assert refused.value.error is errors.INVALID_BODY


def test_lists_of_words_are_split_and_looked_up() -> None:
    assert split_list(" a, b,,") == ["a", "b"]
    assert split_list(None) == []
    assert known("f", "a", {"a": 1}) == 1
    with pytest.raises(InvalidInput, match="must be of a, b"):
        known("f", "c", {"a": 1, "b": 2})
