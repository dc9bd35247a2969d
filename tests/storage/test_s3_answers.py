"""What a store's answer means; how it is asked is tested with the store."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import pytest

from airslice.domain.errors import StoreFailed, StoreRefused
from airslice.storage.s3_answers import Answer, Content, failure, is_confirmed

BODY = b"audio"
CONTENT = Content(
    size_bytes=len(BODY), md5=hashlib.md5(BODY).digest(), sha256=hashlib.sha256(BODY).digest()
)
OTHER_MD5 = hashlib.md5(b"other").hexdigest()


def answer(
    status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    return Answer(status=status, headers=headers or {}, body=body)


@pytest.mark.parametrize("status", [200, 204, 307, 408, 409, 425, 429, 500, 502, 503])
def test_what_may_pass_is_a_failure(status: int) -> None:
    assert type(failure(answer(status))) is StoreFailed


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 411, 501])
def test_what_somebody_must_mend_is_a_refusal(status: int) -> None:
    assert type(failure(answer(status))) is StoreRefused


def test_a_known_code_is_explained_and_an_unknown_one_is_told() -> None:
    known = failure(answer(404, b"<Error><Code>NoSuchBucket</Code></Error>"))
    unknown = failure(answer(418, b"<Code>ImATeapot</Code>"))

    assert str(known) == "the store answered 404 NoSuchBucket: there is no such bucket"
    assert str(unknown) == "the store answered 418 ImATeapot"


def test_a_code_of_the_moment_goes_before_its_status() -> None:
    assert type(failure(answer(403, b"<Code>RequestTimeTooSkewed</Code>"))) is StoreFailed


def test_nothing_else_that_a_store_says_is_repeated() -> None:
    told = failure(answer(403, b"<Code>a b</Code><Message>hunter2</Message>"))

    assert str(told) == "the store answered 403"


def test_checksums_are_encoded_as_in_headers() -> None:
    assert base64.b64decode(CONTENT.md5_base64) == CONTENT.md5
    assert base64.b64decode(CONTENT.sha256_base64) == CONTENT.sha256


@pytest.mark.parametrize(
    ("headers", "confirmed"),
    [
        ({"x-amz-checksum-sha256": CONTENT.sha256_base64, "etag": OTHER_MD5}, True),
        ({"etag": f'"{CONTENT.md5.hex()}"'}, True),
        ({"etag": CONTENT.md5.hex().upper()}, True),
        ({}, False),
        ({"etag": f'"{CONTENT.md5.hex()}-1"'}, False),
        ({"etag": OTHER_MD5, "x-amz-server-side-encryption": "aws:kms"}, False),
    ],
)
def test_a_checksum_confirms(headers: dict[str, str], confirmed: bool) -> None:
    assert is_confirmed(answer(headers=headers), CONTENT) is confirmed


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-sha256": "AAAA", "etag": CONTENT.md5.hex()},
        {"etag": OTHER_MD5},
        {"etag": OTHER_MD5, "x-amz-server-side-encryption": "AES256"},
    ],
)
def test_a_wrong_checksum_is_a_failure(headers: dict[str, str]) -> None:
    with pytest.raises(StoreFailed, match="other bytes"):
        is_confirmed(answer(headers=headers), CONTENT)
