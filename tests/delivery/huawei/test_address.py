"""Where an owner's addresses may lead."""

from __future__ import annotations

import pytest

from airslice.delivery.destination import DestinationRefused
from airslice.delivery.huawei.address import validate_live_url
from airslice.domain.destination import AddressRule


@pytest.mark.parametrize(
    ("url", "is_valid"),
    [
        ("https://public.example/x", True),
        ("https://8.8.8.8/", True),
        ("http://8.8.8.8/", False),
        ("http://10.0.0.1/", True),
        ("https://10.0.0.1/", True),
        ("https://192.168.0.1/", False),
        ("ftp://public.example/", False),
        ("https://user:password@public.example/", False),
        ("no url", False),
    ],
)
def test_an_address_is_judged_when_a_job_is_started(url: str, is_valid: bool) -> None:
    rule = AddressRule(["10.0.0.0/8"])

    if is_valid:
        assert validate_live_url(url, rule)
    else:
        with pytest.raises(DestinationRefused):
            validate_live_url(url, rule)
