from __future__ import annotations

import pytest

from airslice.domain.storage_target import (
    BUCKET_PATTERN,
    KEY_PATTERN,
    StorageTarget,
    StorageVendor,
)


@pytest.mark.parametrize("name", ["b", "my-bucket.1", "A_b", "...", ".b", "b" * 255])
def test_a_bucket_name_is_taken(name: str) -> None:
    assert BUCKET_PATTERN.fullmatch(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "ü", "b\n", "b" * 256])
def test_a_name_that_could_leave_its_directory_is_not_taken(name: str) -> None:
    assert BUCKET_PATTERN.fullmatch(name) is None


@pytest.mark.parametrize("key", ["a", "s/k+==", "k" * 1024])
def test_a_key_is_taken(key: str) -> None:
    assert KEY_PATTERN.fullmatch(key)


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "a\n", "密", "k" * 1025])
def test_a_key_that_cannot_be_in_a_header_is_not_taken(key: str) -> None:
    assert KEY_PATTERN.fullmatch(key) is None


def test_keys_are_not_shown() -> None:
    target = StorageTarget(
        vendor=StorageVendor.S3, region=0, bucket="b", access_key="AKxx", secret_key="SKxx"
    )

    assert "xx" not in repr(target)
    assert "'b'" in repr(target)
