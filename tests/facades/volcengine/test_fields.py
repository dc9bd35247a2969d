"""Checks that many requests share."""

from __future__ import annotations

import pytest

from airslice.domain.errors import InvalidInput
from airslice.facades.http.refusals import Refusal
from airslice.facades.volcengine import errors
from airslice.facades.volcengine.fields import (
    in_range,
    optional_id,
    required_app_id,
    required_id,
    required_room_id,
)

LONGEST = "a" * 128


@pytest.mark.parametrize("text", ["a", "A_z@0-9.", LONGEST])
def test_ids_are_returned_as_they_are(text: str) -> None:
    assert required_id("TaskId", text) == optional_id("TaskId", text) == text


@pytest.mark.parametrize("text", ["a b", "a/b", "é", LONGEST + "a", "a\n"])
def test_what_is_no_id_is_named(text: str) -> None:
    with pytest.raises(Refusal, match=r"^TaskId: must match") as refused:
        required_id("TaskId", text)
    assert refused.value.error is errors.INVALID_PARAMETER
    with pytest.raises(InvalidInput, match="TaskId"):
        optional_id("TaskId", text)


@pytest.mark.parametrize("text", [None, ""])
def test_null_is_as_good_as_empty(text: str | None) -> None:
    assert optional_id("TaskId", text) is None
    with pytest.raises(Refusal) as refused:
        required_id("TaskId", text)
    assert refused.value.error is errors.MISSING_PARAMETER


def test_applications_and_rooms_have_codes_of_their_own() -> None:
    codes = []
    for text in ("", "/"):
        for check in (required_app_id, required_room_id):
            with pytest.raises(Refusal) as refused:
                check(text)
            codes.append(refused.value.error)

    assert codes == [
        errors.NO_APP_ID,
        errors.NO_ROOM_ID,
        errors.ILLEGAL_APP_ID,
        errors.ILLEGAL_ROOM_ID,
    ]


def test_both_ends_of_a_range_are_in_it() -> None:
    allowed = range(5, 601)

    assert [in_range("Duration", value, allowed) for value in (5, 600)] == [5, 600]
    for value in (4, 601):
        with pytest.raises(InvalidInput, match="from 5 to 600"):
            in_range("Duration", value, allowed)
