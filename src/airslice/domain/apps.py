"""Accounts, the RTC applications that they own, and what the slices of these look like."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from airslice.domain.callback import SEGMENT_EVENT
from airslice.domain.storage_target import StorageTarget


class SliceFormat(StrEnum):
    """File format that the slices of an application have."""

    WAV = "wav"
    OGG = "ogg"
    """Ogg Opus with the publisher's own packets, which are not decoded."""
    FLAC = "flac"
    MP3 = "mp3"
    AAC = "aac"
    """AAC-LC in an MPEG-4 container."""

    @classmethod
    def of_file(cls, name: str) -> SliceFormat:
        """Return the format that a slice's file name tells by its extension.

        Raises:
            ValueError: it is not the name of a slice.
        """
        extension = name.rpartition(".")[2]
        for slice_format in cls:
            if slice_format.extension == extension:
                return slice_format
        raise ValueError(f"{name} is not the name of a slice")

    @property
    def extension(self) -> str:
        """Extension of file names, without the dot."""
        return "m4a" if self is SliceFormat.AAC else self.value

    @property
    def content_type(self) -> str:
        """Media type of the files, as HTTP headers have it."""
        return _CONTENT_TYPES[self]


_CONTENT_TYPES = {
    SliceFormat.WAV: "audio/wav",
    SliceFormat.OGG: "audio/ogg",
    SliceFormat.FLAC: "audio/flac",
    SliceFormat.MP3: "audio/mpeg",
    SliceFormat.AAC: "audio/mp4",
}

SAMPLE_RATES_HZ = (8_000, 16_000, 24_000, 48_000)
"""Rates that slices may have; Opus decodes to each of them directly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """An account, and the pair of keys with which its requests are signed."""

    id: str
    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoSlice:
    """How every publishing user of an application is sliced without a request."""

    duration_s: int
    storage: StorageTarget


@dataclass(frozen=True, kw_only=True, slots=True)
class RtcApp:
    """An RTC application: whose it is, how its tokens are signed, what its slices look like."""

    app_id: str
    app_key: str = field(repr=False)
    account_id: str
    callback_url: str | None = None
    callback_secret: str = field(default="", repr=False)
    callback_events: tuple[str, ...] = (SEGMENT_EVENT,)
    """EventTypes that are posted to `callback_url`."""
    slice_format: SliceFormat = SliceFormat.WAV
    sample_rate_hz: int = 16_000
    auto_slice: AutoSlice | None = None
