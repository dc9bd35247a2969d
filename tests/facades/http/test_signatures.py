"""The steps that both clouds' signatures have; whole signatures are tested with each cloud."""

from __future__ import annotations

import pytest

from airslice.facades.http.signatures import (
    canonical_path,
    canonical_query,
    format_timestamp,
    parse_timestamp,
    signature,
)


def test_all_but_the_unreserved_characters_are_escaped() -> None:
    assert canonical_path("/a-._~/é b%".encode()) == "/a-._~/%C3%A9%20b%25"
    assert canonical_query([("a/", "b c"), ("A~", "é"), ("a", "\udcff")]) == (
        "A~=%C3%A9&a=%FF&a%2F=b%20c"
    )


def test_pairs_of_one_name_are_sorted_by_their_values() -> None:
    assert canonical_query([("a", "2"), ("a", "10"), ("a", "")]) == "a=&a=10&a=2"


def test_a_signature_is_that_of_rfc_4231() -> None:
    assert signature(b"Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_timestamp_is_read_as_it_is_written() -> None:
    assert parse_timestamp("20060102T150405Z") == 1_136_214_245
    assert format_timestamp(1_136_214_245) == "20060102T150405Z"


@pytest.mark.parametrize(
    "text",
    ["", "20060102T150405", "20060230T150405Z", "2006010\u0662T150405Z", "20060102T150405Z "],
)
def test_anything_else_is_no_timestamp(text: str) -> None:
    assert parse_timestamp(text) is None
