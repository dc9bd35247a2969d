"""What the wire structs share: times, windows, and fields that are only kept."""

from __future__ import annotations

import pytest

from airslice.application.ports.live import Window
from airslice.domain.errors import InvalidInput
from airslice.facades.huawei.fields import (
    WindowQuery,
    Wire,
    extras_of,
    parse_rfc3339,
    rfc3339,
    since_ms,
    until_ms,
)


@pytest.mark.parametrize(
    ("text", "utc_ms"),
    [
        ("2021-01-10T08:43:17Z", 1_610_268_197_000),
        ("2021-01-10t08:43:17.9z", 1_610_268_197_900),
        ("2021-01-10T16:43:17+08:00", 1_610_268_197_000),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_times_are_read(text: str, utc_ms: int) -> None:
    assert parse_rfc3339("f", text) == utc_ms


@pytest.mark.parametrize(
    "text",
    ["", "2021-01-10", "2021-02-30T00:00:00Z", "2021-01-10T08:43:17", "1969-12-31T23:59:59Z"],
)
def test_anything_else_is_named(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"create_since.*2021-01-10T08:43:17Z"):
        since_ms("create_since", text)


def test_times_are_written_in_whole_seconds_and_zero_is_none() -> None:
    assert rfc3339(1_610_268_197_999) == "2021-01-10T08:43:17Z"
    assert rfc3339(0) is None


def test_bounds_of_a_list_are_those_of_the_seconds_that_are_shown() -> None:
    assert since_ms("f", "2021-01-10T08:43:17.001Z") == 1_610_268_198_000
    assert until_ms("f", "2021-01-10T08:43:17.001Z") == 1_610_268_197_999
    assert since_ms("f", None) is until_ms("f", None) is None


def test_a_window_is_what_was_asked_for() -> None:
    query = WindowQuery(offset=20, limit=5)

    assert query.window() == Window(offset=20, limit=5)
    assert query.window("2021-01-10T08:43:17Z", "2021-01-10T08:43:18Z") == Window(
        offset=20, limit=5, created_since_ms=1_610_268_197_000, created_until_ms=1_610_268_198_999
    )


class Pair(Wire, frozen=True, kw_only=True):
    kept: WindowQuery | None = None
    other: int | None = None


def test_extras_are_the_given_ones_of_the_named_fields_as_json() -> None:
    given = Pair(kept=WindowQuery(limit=7), other=1)

    assert extras_of(given, "kept") == {"kept": {"limit": 7}}
    assert extras_of(Pair(other=1), "kept") == {}
