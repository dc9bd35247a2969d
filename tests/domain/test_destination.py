from __future__ import annotations

import pytest

from airslice.domain.destination import AddressRule, is_http_url

PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",  # carriers' own
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",  # cloud metadata
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # IPv4-compatible
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_permitted(address: str) -> None:
    assert AddressRule().permits(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_special_network_is_not(address: str) -> None:
    assert not AddressRule().permits(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "8.8.8.8/8"]
)
def test_what_is_no_address_is_not_permitted(text: str) -> None:
    assert not AddressRule(["0.0.0.0/0", "::/0"]).permits(text)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "fd00::5"])
def test_a_listed_network_is_permitted(address: str) -> None:
    assert AddressRule(["127.0.0.0/8", "fd00::/64"]).permits(address)


def test_other_networks_stay_closed_beside_a_listed_one() -> None:
    rule = AddressRule(["127.0.0.0/8"])

    assert not rule.permits("10.0.0.1")
    assert not rule.permits("::1")


@pytest.mark.parametrize("network", ["127.0.0.1/8", "private", ""])
def test_a_network_that_is_none_is_refused(network: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        AddressRule([network])


@pytest.mark.parametrize("url", ["http://a", "https://a.b:1/c?d", "HTTP://[::1]:8080"])
def test_a_url_names_a_host(url: str) -> None:
    assert is_http_url(url)


@pytest.mark.parametrize(
    "url", ["", "a", "a:1", "ftp://a", "http:", "http:///a", "http://a:0", "http://a:x", "http://["]
)
def test_a_text_that_names_no_host_is_no_url(url: str) -> None:
    assert not is_http_url(url)
