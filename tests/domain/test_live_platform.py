"""Where a live platform takes calls."""

from __future__ import annotations

from dataclasses import replace

from airslice.domain.live_platform import PlatformApi, PlatformCallback
from tests.support.values.live_values import a_platform


def test_each_kind_of_call_has_an_address_of_its_own_or_none() -> None:
    asked = PlatformCallback(api=PlatformApi.PRODUCT_QUERY, url="https://a/")
    platform = replace(a_platform(), callbacks=(asked,))

    assert platform.url(PlatformApi.PRODUCT_QUERY) == "https://a/"
    assert platform.url(PlatformApi.LIVE_EVENT_CALLBACK) is None
