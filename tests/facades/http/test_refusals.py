"""What callers are told of an error, and what they are not."""

from __future__ import annotations

import pytest

from airslice.domain.errors import AppNotFound, StoreFailed, TaskNotFound, TooManyTasks
from airslice.facades.http.refusals import Refusal, WireError, refusal_of

MISSING = WireError("missing", 404)
FULL = WireError("full", 429, "the server is full")
INTERNAL = WireError("internal", 500, "the server failed")
TABLE = {AppNotFound: MISSING, TooManyTasks: FULL, StoreFailed: INTERNAL}


def test_details_go_where_the_message_wants_them() -> None:
    refusal = Refusal(WireError("c", 400, "%s is no %s"), "100 %", "number")

    assert str(refusal) == "100 % is no number"
    assert refusal.headers == {}


def test_a_refusal_is_told_as_it_is() -> None:
    refusal = Refusal(MISSING, "x", headers={"Retry-After": "1"})

    assert refusal_of(refusal, {}, {}) is refusal


def test_an_error_of_ours_is_told_in_the_words_of_the_wire() -> None:
    told = refusal_of(AppNotFound("100 % gone"), TABLE, {})
    fixed = refusal_of(TooManyTasks("by ten"), TABLE, {})

    assert told is not None
    assert (told.error, str(told)) == (MISSING, "100 % gone")
    assert fixed is not None
    assert str(fixed) == "the server is full"


@pytest.mark.parametrize("error", [StoreFailed("disk"), TaskNotFound("t"), RuntimeError("bug")])
def test_the_servers_own_faults_are_not_told(error: Exception) -> None:
    assert refusal_of(error, TABLE, {}) is None
