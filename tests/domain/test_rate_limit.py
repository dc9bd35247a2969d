"""How often an account may ask."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.domain.rate_limit import WINDOW_NS, RateLimit


def test_so_many_a_second_are_allowed_and_no_more() -> None:
    limit = RateLimit(60)

    assert [limit.take(0) for _ in range(61)] == [True] * 60 + [False]


def test_a_second_later_there_is_room_again() -> None:
    limit = RateLimit(1)
    limit.take(0)

    assert not limit.take(WINDOW_NS - 1)
    assert limit.take(WINDOW_NS)


def test_what_was_not_allowed_does_not_count() -> None:
    limit = RateLimit(1)
    limit.take(0)
    limit.take(WINDOW_NS // 2)

    assert limit.take(WINDOW_NS)


@given(
    per_second=st.integers(1, 5),
    gaps_ns=st.lists(st.integers(0, WINDOW_NS // 2), max_size=60),
)
def test_no_second_has_more_than_the_limit_and_none_is_refused_in_vain(
    per_second: int, gaps_ns: list[int]
) -> None:
    limit = RateLimit(per_second)
    allowed: list[int] = []
    now_ns = 0

    for gap_ns in gaps_ns:
        now_ns += gap_ns
        in_the_last_second = sum(now_ns - WINDOW_NS < at_ns for at_ns in allowed)
        assert limit.take(now_ns) == (in_the_last_second < per_second)
        if in_the_last_second < per_second:
            allowed.append(now_ns)


def test_a_limit_that_allows_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="below one"):
        RateLimit(0)
