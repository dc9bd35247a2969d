"""How calls of an owner's addresses are signed."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from yarl import URL

from airslice.delivery.huawei.signing import hw_time, url_signature

KEY = "GCTbw44s6MPLh4GqgDpnfuFHgy25Enly"
NOW_S = 0x66DF9308


def test_the_signature_is_that_of_the_documented_example() -> None:
    url = URL("https://api.example.com/v1/products?live_id=111&limit=10&offset=0")

    assert hw_time(NOW_S) == "66df9308"
    assert url_signature(url, "66df9308", key=KEY) == (
        "5e7fe8869a12a87ea966d9edbc02e38cd4ce62c73b8b05c638f15835e78902d7"
    )


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://a.example", "a.example/"),
        ("https://a.example:443/x?", "a.example/x"),
        ("https://a.example:8443/x?b=2&a=1&a=0", "a.example:8443/x?a=1&a=0&b=2"),
        ("http://a.example:80/%E4%BD%A0?q=a%20b", "a.example/%E4%BD%A0?q=a%20b"),
    ],
)
def test_what_is_signed_is_the_address_without_its_scheme(url: str, signed: str) -> None:
    expected = hmac.new(b"key", (signed + "ff").encode(), hashlib.sha256).hexdigest()

    assert url_signature(URL(url), "ff", key="key") == expected
