from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.storage.signed_url import UrlSigner

SIGNER = UrlSigner(bytes(range(32)))
EXPIRES_AT_S = 1_700_000_600


def is_valid(url: str, *, now_s: float = EXPIRES_AT_S - 1, signer: UrlSigner = SIGNER) -> bool:
    """Take a URL apart as a web framework does."""
    parts = urlsplit(url)
    _root, _objects, bucket, key = (unquote(step) for step in parts.path.split("/"))
    query = parse_qs(parts.query)
    return signer.is_valid(
        bucket, key, expires=query["expires"][0], signature=query["signature"][0], now_s=now_s
    )


@given(bucket=st.text(), key=st.text())
def test_any_name_survives_its_url(bucket: str, key: str) -> None:
    assert is_valid(SIGNER.sign(bucket, key, expires_at_s=EXPIRES_AT_S))


def test_a_url_works_until_it_expires() -> None:
    url = SIGNER.sign("bucket", "a_b@c-d.wav", expires_at_s=EXPIRES_AT_S)

    assert is_valid(url, now_s=EXPIRES_AT_S)
    assert not is_valid(url, now_s=EXPIRES_AT_S + 0.1)


@pytest.mark.parametrize(
    ("genuine", "forged"),
    [
        ("/bucket/", "/Bucket/"),
        ("key.wav", "key2.wav"),
        (f"expires={EXPIRES_AT_S}", f"expires={EXPIRES_AT_S + 1}"),
        (f"expires={EXPIRES_AT_S}", f"expires=0{EXPIRES_AT_S}"),
        (f"expires={EXPIRES_AT_S}", "expires=9999999999999999"),
        (f"expires={EXPIRES_AT_S}", "expires=-1"),
        (f"expires={EXPIRES_AT_S}", "expires=soon"),
        ("signature=", "signature=0"),
        ("signature=", "signature=%C3%A9"),
    ],
)
def test_a_changed_url_is_invalid(genuine: str, forged: str) -> None:
    url = SIGNER.sign("bucket", "key.wav", expires_at_s=EXPIRES_AT_S)
    assert genuine in url

    assert not is_valid(url.replace(genuine, forged))


def test_a_slash_cannot_move_between_bucket_and_key() -> None:
    url = SIGNER.sign("a", "b/c", expires_at_s=EXPIRES_AT_S)

    assert not is_valid(url.replace("/a/b%2Fc", "/a%2Fb/c"))


def test_another_master_key_signs_differently() -> None:
    url = SIGNER.sign("bucket", "key", expires_at_s=EXPIRES_AT_S)

    assert not is_valid(url, signer=UrlSigner(bytes(32)))
