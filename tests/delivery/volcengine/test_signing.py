from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from airslice.delivery.volcengine.signing import vendor_signature, webhook_headers


def test_the_vendors_example_is_reproduced() -> None:
    """Source: https://www.volcengine.com/docs/6348/69820"""
    fields = [
        "RoomCreate",
        '{"RoomId":"room1","Timestamp":1679383924691}',
        "2023-03-21T15:32:04+08:00",
        "123456",
        "appId",
        "2020-12-01",
        "aaBc",
    ]

    signature = vendor_signature(fields, secret="1234")

    assert signature == "1c7200723842eff514b65fc3f065597432bbb4249e10d33db79b3853d05f3691"


def test_the_standards_example_is_reproduced() -> None:
    """Source: https://github.com/standard-webhooks/standard-webhooks, the test of its libraries"""
    headers = webhook_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        timestamp_s=1_614_265_330,
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secret", ["plain secret", "whsec_not base64", "whsec_é", ""])
def test_any_other_secret_is_the_key_itself(secret: str) -> None:
    headers = webhook_headers("id", b"body", timestamp_s=5, secret=secret)

    expected = hmac.new(secret.encode(), b"id.5.body", hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
