"""What a slice file holds follows from its application's format."""

from __future__ import annotations

import pytest

from airslice.domain.apps import RtcApp, SliceFormat
from airslice.domain.file_kind import FileKind


def app(slice_format: SliceFormat) -> RtcApp:
    return RtcApp(
        app_id="app",
        app_key="key",
        account_id="account",
        slice_format=slice_format,
        sample_rate_hz=24_000,
    )


def test_the_publishers_packets_are_kept_as_they_are_in_ogg() -> None:
    kind = FileKind.of_streams(app(SliceFormat.OGG))

    assert kind == FileKind(slice_format=SliceFormat.OGG, sample_rate_hz=48_000, passthrough=True)
    assert kind.grain_samples == 120  # 2.5 ms, the shortest Opus frame (RFC 6716 section 2.1.4)


@pytest.mark.parametrize("slice_format", [f for f in SliceFormat if f is not SliceFormat.OGG])
def test_other_formats_are_encoded_from_decoded_audio(slice_format: SliceFormat) -> None:
    kind = FileKind.of_streams(app(slice_format))

    assert kind == FileKind(slice_format=slice_format, sample_rate_hz=24_000, passthrough=False)
    assert kind.grain_samples == 1


def test_a_mix_is_never_of_packets() -> None:
    assert FileKind.of_mixes(app(SliceFormat.OGG)) == FileKind(
        slice_format=SliceFormat.OGG, sample_rate_hz=24_000, passthrough=False
    )


def test_only_ogg_takes_packets() -> None:
    with pytest.raises(ValueError, match="wav"):
        FileKind(slice_format=SliceFormat.WAV, sample_rate_hz=48_000, passthrough=True)
