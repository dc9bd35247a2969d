from __future__ import annotations

import pytest

from airslice.domain.apps import Account, RtcApp, SliceFormat
from airslice.domain.storage_target import StorageTarget, StorageVendor


@pytest.mark.parametrize(
    ("slice_format", "extension", "content_type"),
    [
        ("wav", "wav", "audio/wav"),
        ("ogg", "ogg", "audio/ogg"),
        ("flac", "flac", "audio/flac"),
        ("mp3", "mp3", "audio/mpeg"),
        ("aac", "m4a", "audio/mp4"),
    ],
)
def test_a_format_has_an_extension_and_a_media_type(
    slice_format: str, extension: str, content_type: str
) -> None:
    assert SliceFormat(slice_format).extension == extension
    assert SliceFormat(slice_format).content_type == content_type


def test_every_format_has_a_media_type() -> None:
    assert all(slice_format.content_type for slice_format in SliceFormat)


@pytest.mark.parametrize(
    "value",
    [
        Account(id="1", access_key="AK", secret_key="hidden"),
        RtcApp(app_id="app", app_key="hidden", account_id="1", callback_secret="hidden"),
        StorageTarget(
            vendor=StorageVendor.S3,
            region=0,
            bucket="bucket",
            access_key="hidden",
            secret_key="hidden",
        ),
    ],
)
def test_secrets_do_not_show_in_logs(value: object) -> None:
    assert "hidden" not in f"{value} {value!r}"
