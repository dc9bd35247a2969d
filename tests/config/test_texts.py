from __future__ import annotations

from collections.abc import Callable

import pytest

from airslice.config import Address, Settings, texts
from tests.support.values.minimal_config import KEY, MINIMAL

Load = Callable[..., Settings]
Refused = Callable[..., list[str]]


@pytest.mark.parametrize(
    "address",
    ["", ":", "8080", "host", "host:", ":80", "h:65536", "h:-1", "::1:80", "h:8²", "[x]:1"],
)
def test_an_address_needs_host_and_port(problems: Refused, address: str) -> None:
    [problem] = problems(MINIMAL, {"AIRSLICE_SERVER__HTTP": address})

    assert "server.http" in problem


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:99", "[::1]:99"),
        ("[2001:DB8::1]:0", "[2001:db8::1]:0"),
        ("example.com:65535", "example.com:65535"),
    ],
)
def test_an_address_is_written_as_in_a_url(text: str, written: str) -> None:
    assert str(texts.address(text)) == written


def test_media_is_received_at_an_ip_address() -> None:
    assert texts.media_address("[::]:1") == Address("::", 1)
    with pytest.raises(ValueError, match="expected an IP address"):
        texts.media_address("localhost:1")


@pytest.mark.parametrize(
    ("parse", "text", "meaning"),
    [
        (texts.ip, "2001:DB8::1", "2001:db8::1"),
        (texts.network, "127.0.0.1", "127.0.0.1/32"),
        (texts.http_url, "https://a/b?c", "https://a/b?c"),
        (texts.app_id, "a@b.c", "a@b.c"),
        (texts.master_key, KEY, bytes(range(32))),
    ],
)
def test_a_text_has_a_meaning(parse: Callable[[str], object], text: str, meaning: object) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (texts.ip, "hunter2"),
        (texts.http_url, "ftp://hunter2"),
        (texts.http_url, "http://hunter2:x"),
        (texts.http_url, "http://hunter2:0"),
        (texts.http_url, "http:///hunter2"),
        (texts.app_id, "hunter2/"),
        (texts.master_key, "hunter2"),
        (texts.master_key, "aHVudGVyMg=="),
    ],
)
def test_a_text_without_meaning_is_not_repeated(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        parse(text)

    assert "hunter2" not in str(caught.value)
