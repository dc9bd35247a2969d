"""Where slices go: StorageConfig, and the TosConfig of the oldest version.

Source: https://www.volcengine.com/docs/6348/1188212 (field StorageConfig) and /70471 (2020-12-01).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, cast

import msgspec

from airslice.domain.errors import InvalidInput
from airslice.domain.room import ID_PATTERN
from airslice.domain.storage_regions import REGIONS, region_number
from airslice.domain.storage_target import BUCKET_PATTERN, KEY_PATTERN, StorageTarget, StorageVendor
from airslice.facades.http.refusals import Refusal
from airslice.facades.volcengine.errors import MISSING_PARAMETER
from airslice.facades.volcengine.fields import ID_RULE, REQUIRED, Int32, RequiredId, documented

TYPE_TOS = 0
TYPE_CUSTOM = 2
SUPPORTED_TYPES = (TYPE_TOS, TYPE_CUSTOM)
UNSUPPORTED_TYPES: Mapping[int, str] = {1: "VOD", 3: "VeImageX"}

VENDORS: Mapping[int, StorageVendor] = {
    0: StorageVendor.S3,
    1: StorageVendor.OSS,
    2: StorageVendor.OBS,
    3: StorageVendor.COS,
    4: StorageVendor.KODO,
}
"""Vendors by their numbers in the field Vendor of CustomConfig."""

_REGION_NAME = re.compile(r"[a-z0-9\-]{1,64}")
_ENDPOINT = re.compile(r"(https?://)?[a-zA-Z0-9.\-]{1,253}(:[0-9]{1,5})?/?")
_KEY_RULE = "must be printable ASCII without spaces"
_TYPES = "0 (TOS) or 2 (third party)"

MISSING = "is missing"
Problem = tuple[str, str]
"""Path of a field below the struct, and what is wrong with it; `MISSING` if that is all."""


def _matching(pattern: re.Pattern[str]) -> msgspec.Meta:
    return documented(pattern=f"^{pattern.pattern}$")


Bucket = Annotated[str, _matching(BUCKET_PATTERN), REQUIRED]
Key = Annotated[str, _matching(KEY_PATTERN), REQUIRED]
TosRegion = Annotated[Int32, documented(enum=list(REGIONS[StorageVendor.TOS]), default=0)]
CustomRegion = Annotated[
    Int32,
    documented(
        enum=sorted({number for vendor in VENDORS.values() for number in REGIONS[vendor]}),
        default=0,
        description="".join(
            f"Vendor {number} ({vendor}) has {', '.join(map(str, REGIONS[vendor]))}. "
            for number, vendor in VENDORS.items()
        ).rstrip(),
    ),
]


class TosConfig(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """A bucket of Volcengine TOS."""

    account_id: RequiredId | None = None
    region: TosRegion | None = None
    bucket: Bucket | None = None

    def wrong_fields(self) -> Iterator[Problem]:
        """Yield each field that is missing or malformed, and what is wrong with it."""
        yield from _text("AccountId", self.account_id, ID_PATTERN, ID_RULE)
        yield from _region(StorageVendor.TOS, self.region)
        yield from _bucket(self.bucket)

    def target(self) -> StorageTarget:
        """Return the bucket that this names; there must be no problems."""
        return StorageTarget(
            vendor=StorageVendor.TOS,
            account_id=self.account_id or "",
            region=self.region or 0,
            bucket=self.bucket or "",
        )


class CustomConfig(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """A bucket of another vendor."""

    vendor: Annotated[Int32, documented(enum=list(VENDORS), default=0)] | None = None
    region: CustomRegion | None = None
    bucket: Bucket | None = None
    access_key: Key | None = None
    secret_key: Key | None = None

    def __repr__(self) -> str:
        return f"CustomConfig(vendor={self.vendor}, region={self.region}, bucket={self.bucket!r})"

    def wrong_fields(self) -> Iterator[Problem]:
        """Yield each field that is missing or malformed, and what is wrong with it."""
        vendor = VENDORS.get(self.vendor or 0)
        if vendor is None:
            yield "Vendor", f"must be from 0 to {max(VENDORS)}"
        else:
            yield from _region(vendor, self.region)
        yield from _bucket(self.bucket)
        yield from _text("AccessKey", self.access_key, KEY_PATTERN, _KEY_RULE)
        yield from _text("SecretKey", self.secret_key, KEY_PATTERN, _KEY_RULE)

    def target(self) -> StorageTarget:
        """Return the bucket that this names, with its keys; there must be no problems."""
        return StorageTarget(
            vendor=VENDORS[self.vendor or 0],
            region=self.region or 0,
            bucket=self.bucket or "",
            access_key=self.access_key or "",
            secret_key=self.secret_key or "",
        )


class ChosenStorage(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """A bucket of the platform that Type selects; what is said of the other is not looked at.

    StartSegment and the configuration file read it alike. VodConfig and VeImageXConfig cannot be
    chosen and are not read.
    """

    type: Annotated[Int32, documented(enum=SUPPORTED_TYPES, default=0)] | None = None
    tos_config: TosConfig | None = None
    custom_config: CustomConfig | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield each field that is missing or malformed, by its path, and what is wrong with it."""
        number = self.type or TYPE_TOS
        if number in UNSUPPORTED_TYPES:
            yield "Type", f"{number} ({UNSUPPORTED_TYPES[number]}) cannot take slices; use {_TYPES}"
        elif number not in SUPPORTED_TYPES:
            yield "Type", f"must be {_TYPES}"
        elif (chosen := self._chosen) is None:
            yield "TosConfig" if number == TYPE_TOS else "CustomConfig", MISSING
        else:
            path = type(chosen).__name__
            yield from ((f"{path}.{field}", problem) for field, problem in chosen.wrong_fields())

    def target(self) -> StorageTarget:
        """Return the bucket that this names.

        Raises:
            Refusal: the sub-config that Type selects is missing, or one of its fields is.
            InvalidInput: slices cannot go to that type, or a field of the sub-config is malformed.
        """
        _refuse_first("StorageConfig", self.problems())
        return cast("TosConfig | CustomConfig", self._chosen).target()  # there is no problem

    @property
    def _chosen(self) -> TosConfig | CustomConfig | None:
        return self.custom_config if self.type == TYPE_CUSTOM else self.tos_config


class UserTosConfig(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """TosConfig of 2020-12-01: the region by name, and the endpoint spelt out."""

    user_account_id: RequiredId | None = None
    region: Annotated[str, _matching(_REGION_NAME), REQUIRED] | None = None
    end_point: Annotated[str, _matching(_ENDPOINT), REQUIRED] | None = None
    bucket: Bucket | None = None

    def target(self) -> StorageTarget:
        """Return the bucket that this names.

        Raises:
            Refusal: a field is missing.
            InvalidInput: a field is malformed.
        """
        region_rule = "must be a region of TOS, such as cn-beijing"
        endpoint_rule = "must be a host, such as tos-s3-cn-beijing.volces.com"
        wrong_fields = chain(
            _text("Region", self.region, _REGION_NAME, region_rule),
            _text("EndPoint", self.end_point, _ENDPOINT, endpoint_rule),
            _text("UserAccountId", self.user_account_id, ID_PATTERN, ID_RULE),
            _bucket(self.bucket),
        )
        _refuse_first("TosConfig", wrong_fields)
        return StorageTarget(
            vendor=StorageVendor.TOS,
            account_id=self.user_account_id or "",
            region=self.region or "",
            endpoint=self.end_point or "",
            bucket=self.bucket or "",
        )


class TosView(msgspec.Struct, rename="pascal", frozen=True, kw_only=True, omit_defaults=True):
    """TosConfig, VodConfig and VeImageXConfig, as GetSegmentTask shows them."""

    account_id: str = ""
    region: int
    bucket: str = ""


class CustomView(msgspec.Struct, rename="pascal", frozen=True, kw_only=True, omit_defaults=True):
    """CustomConfig without its keys."""

    vendor: int
    region: int
    bucket: str = ""


class StorageView(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """StorageConfig, as GetSegmentTask shows it: the unused sub-configs are there, with zeros."""

    type: int
    tos_config: TosView = TosView(region=0)
    vod_config: TosView = TosView(region=0)
    ve_image_x_config: TosView = TosView(region=0)
    custom_config: CustomView = CustomView(vendor=0, region=0)


def storage_view(target: StorageTarget) -> StorageView:
    """Show where a task's slices go, without keys."""
    # A region that was given by a name which is in no table shows as 0, the default.
    region = region_number(target.vendor, target.region) or 0
    if target.vendor is StorageVendor.TOS:
        tos = TosView(account_id=target.account_id, region=region, bucket=target.bucket)
        return StorageView(type=TYPE_TOS, tos_config=tos)
    vendor = next(number for number, name in VENDORS.items() if name is target.vendor)
    custom = CustomView(vendor=vendor, region=region, bucket=target.bucket)
    return StorageView(type=TYPE_CUSTOM, custom_config=custom)


def _region(vendor: StorageVendor, number: int | None) -> Iterator[Problem]:
    known = REGIONS[vendor]
    if (number or 0) not in known:
        yield "Region", f"must be one of {', '.join(map(str, known))} for {vendor}"


def _bucket(text: str | None) -> Iterator[Problem]:
    return _text("Bucket", text, BUCKET_PATTERN, "must be a bucket name")


def _text(field: str, text: str | None, pattern: re.Pattern[str], rule: str) -> Iterator[Problem]:
    if not text:
        yield field, MISSING
    elif pattern.fullmatch(text) is None:
        yield field, rule


def _refuse_first(path: str, problems: Iterator[Problem]) -> None:
    for field, problem in problems:
        if problem == MISSING:
            raise Refusal(MISSING_PARAMETER, f"{path}.{field}")
        raise InvalidInput(f"{path}.{field}", problem)
