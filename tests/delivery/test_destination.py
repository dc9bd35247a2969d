from __future__ import annotations

import pytest

from airslice.delivery.destination import DestinationRefused, PermittedResolver, validate_url
from airslice.domain.destination import AddressRule
from tests.support.stages.fixed_names import FixedNames

OPEN = AddressRule(["127.0.0.0/8"])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com/callback?token=1",
        "HTTPS://EXAMPLE.com:8443/",
        "http://8.8.8.8/",
        "http://[2606:4700:4700::1111]/",
        "http://127.0.0.1:9000/callback",
    ],
)
def test_an_http_url_is_accepted(url: str) -> None:
    validate_url(url, OPEN)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/callback",
        "/callback",
        "//example.com/",
        "http://",
        "http:///callback",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://user@example.com/",
        "http://user:password@example.com/",
        "http://:password@example.com/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://[::1/",
        "http://[::1]:@",
        "http://example.com:99999/",
        "http://example.com:port/",
        "http://example.com/" + "a" * 2_048,
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(DestinationRefused):
        validate_url(url, OPEN)


async def test_only_permitted_addresses_of_a_name_are_dialled() -> None:
    names = FixedNames(["10.0.0.1", "8.8.8.8", "::1", "127.0.0.1"])

    found = await PermittedResolver(names, OPEN).resolve("example.com", 443)

    assert [result["host"] for result in found] == ["8.8.8.8", "127.0.0.1"]


async def test_a_name_without_a_permitted_address_is_refused() -> None:
    names = FixedNames(["10.0.0.1", "::1"])

    with pytest.raises(DestinationRefused, match=r"example\.com"):
        await PermittedResolver(names, OPEN).resolve("example.com", 443)
