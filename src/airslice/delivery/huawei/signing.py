"""How Huawei MetaStudio signs its calls of an owner's addresses.

Source: the comments on LiveEventCallBackConfig and CustomPlatformAuthConfig in the vendor's SDKs.
The former names the signature, the latter has an example of it, which a test repeats.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from yarl import URL

from airslice.domain.owner_event import CallbackAuth, LiveCallback


def url_signature(url: URL, time: str, *, key: str) -> str:
    """Return the secret that proves where a call comes from, in lower-case hexadecimal.

    Args:
        url: As it is called, without what the signature adds to it.
        time: Of the try, see `hw_time`.
        key: The receiver's.
    """
    query = "&".join(
        sorted(url.raw_query_string.split("&"), key=lambda pair: pair.partition("=")[0])
    )
    place = f"{url.host_port_subcomponent}{url.raw_path}" + (f"?{query}" if query else "")
    return hmac.new(key.encode(), (place + time).encode(), hashlib.sha256).hexdigest()


def hw_time(now_s: int) -> str:
    """Return a time in Unix seconds as receivers get it: lower-case hexadecimal."""
    return f"{now_s:x}"


def authenticated(url: URL, callback: LiveCallback, now_s: int) -> tuple[URL, Mapping[str, str]]:
    """Return the address to call, made of `url`, and the headers that go with it.

    `now_s` is UTC, seconds since the Unix epoch.
    """
    url = url.with_fragment(None)
    if callback.auth not in (CallbackAuth.QUERY, CallbackAuth.HEADERS):
        return url, {}
    time = hw_time(now_s)
    secret = url_signature(url, time, key=callback.key)
    if callback.auth is CallbackAuth.HEADERS:
        return url, {"x-hw-mss-secret": secret, "x-hw-mss-time": time}
    joint = "&" if url.raw_query_string else "?"
    # Not by `extend_query`, which would write the owner's part anew.
    return URL(f"{url}{joint}hwSecret={secret}&hwTime={time}", encoded=True), {}
