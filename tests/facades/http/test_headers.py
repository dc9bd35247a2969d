"""Headers, as façades read them."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from airslice.facades.http.headers import joined_headers, media_type


def request(*headers: tuple[bytes, bytes]) -> Request:
    return Request({"type": "http", "headers": headers})


def test_a_repeated_header_is_joined_in_the_order_received() -> None:
    given = request((b"X-A", b"1"), (b"b", b"2"), (b"x-a", b"3"))

    assert joined_headers(given) == {"x-a": "1,3", "b": "2"}


@pytest.mark.parametrize(
    ("encoding", "text"), [("latin-1", "\u00c3\u00a9\u00ff"), ("utf-8", "\u00e9\udcff")]
)
def test_values_are_in_the_encoding_that_is_asked_for(encoding: str, text: str) -> None:
    assert joined_headers(request((b"a", b"\xc3\xa9\xff")), encoding=encoding) == {"a": text}


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (b"application/json", "application/json"),
        (b" Application/SDP ; charset=utf-8", "Application/SDP"),
        (b"", ""),
    ],
)
def test_a_media_type_has_no_parameters(written: bytes, kind: str) -> None:
    assert media_type(request((b"content-type", written))) == kind


def test_without_a_content_type_there_is_no_media_type() -> None:
    assert media_type(request()) == ""
