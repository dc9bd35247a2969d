"""Where slices go: StorageConfig, and the TosConfig of the oldest version.

Source: https://www.volcengine.com/docs/6348/1188212 (field StorageConfig) and /70471 (2020-12-01).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec

from airslice.domain.errors import InvalidInput, StorageUnsupported
from airslice.domain.storage_regions import REGIONS, region_number
from airslice.domain.storage_target import BUCKET_PATTERN, StorageTarget, StorageVendor
from airslice.facades.http.refusals import Refusal
from airslice.facades.volcengine.errors import MISSING_PARAMETER
from airslice.facades.volcengine.fields import (
    REQUIRED,
    Int32,
    RequiredId,
    documented,
    required,
    required_id,
)

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
"""CustomConfig.Vendor."""

_REGION_NAME = re.compile(r"[a-z0-9\-]{1,64}")
_ENDPOINT = re.compile(r"(https?://)?[a-zA-Z0-9.\-]{1,253}(:[0-9]{1,5})?/?")
# Keys travel in HTTP headers: no space, no line feed.
_KEY = re.compile(r"[\x21-\x7e]{1,1024}")


def _matching(pattern: re.Pattern[str]) -> msgspec.Meta:
    return documented(pattern=f"^{pattern.pattern}$")


Bucket = Annotated[str, _matching(BUCKET_PATTERN), REQUIRED]
Key = Annotated[str, _matching(_KEY), REQUIRED]
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

    def target(self) -> StorageTarget:
        """Return the bucket that this names."""
        path = "StorageConfig.TosConfig"
        return StorageTarget(
            vendor=StorageVendor.TOS,
            account_id=required_id(f"{path}.AccountId", self.account_id),
            region=_region(path, StorageVendor.TOS, self.region),
            bucket=_bucket(path, self.bucket),
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

    def target(self) -> StorageTarget:
        """Return the bucket that this names, with its keys."""
        path = "StorageConfig.CustomConfig"
        vendor = VENDORS.get(self.vendor or 0)
        if vendor is None:
            raise InvalidInput(f"{path}.Vendor", "must be from 0 to 4")
        return StorageTarget(
            vendor=vendor,
            region=_region(path, vendor, self.region),
            bucket=_bucket(path, self.bucket),
            access_key=_key(f"{path}.AccessKey", self.access_key),
            secret_key=_key(f"{path}.SecretKey", self.secret_key),
        )


class UserTosConfig(msgspec.Struct, rename="pascal", frozen=True, kw_only=True):
    """TosConfig of 2020-12-01: the region by name, and the endpoint spelt out."""

    user_account_id: RequiredId | None = None
    region: Annotated[str, _matching(_REGION_NAME), REQUIRED] | None = None
    end_point: Annotated[str, _matching(_ENDPOINT), REQUIRED] | None = None
    bucket: Bucket | None = None

    def target(self) -> StorageTarget:
        """Return the bucket that this names."""
        region = required("TosConfig.Region", self.region)
        if _REGION_NAME.fullmatch(region) is None:
            raise InvalidInput("TosConfig.Region", "must be a region of TOS, such as cn-beijing")
        endpoint = required("TosConfig.EndPoint", self.end_point)
        if _ENDPOINT.fullmatch(endpoint) is None:
            raise InvalidInput(
                "TosConfig.EndPoint", "must be a host, such as tos-s3-cn-beijing.volces.com"
            )
        return StorageTarget(
            vendor=StorageVendor.TOS,
            account_id=required_id("TosConfig.UserAccountId", self.user_account_id),
            region=region,
            endpoint=endpoint,
            bucket=_bucket("TosConfig", self.bucket),
        )


def chosen_target(
    storage_type: int, tos: TosConfig | None, custom: CustomConfig | None
) -> StorageTarget:
    """Return the bucket of the sub-config that StorageConfig.Type selects.

    Raises:
        Refusal: it is not there, or one of its fields is not.
        StorageUnsupported: slices cannot go to that type.
        InvalidInput: the type does not exist, or a field of the sub-config is malformed.
    """
    if storage_type in UNSUPPORTED_TYPES:
        raise StorageUnsupported(
            "StorageConfig.Type",
            f"{storage_type} ({UNSUPPORTED_TYPES[storage_type]}) cannot take slices; "
            "use 0 (TOS) or 2 (third party)",
        )
    if storage_type not in SUPPORTED_TYPES:
        raise InvalidInput("StorageConfig.Type", "must be 0 (TOS) or 2 (third party)")
    name, config = ("TosConfig", tos) if storage_type == TYPE_TOS else ("CustomConfig", custom)
    if config is None:
        raise Refusal(MISSING_PARAMETER, f"StorageConfig.{name}")
    return config.target()


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


def _region(path: str, vendor: StorageVendor, number: int | None) -> int:
    known = REGIONS[vendor]
    region = number or 0
    if region not in known:
        numbers = ", ".join(map(str, known))
        raise InvalidInput(f"{path}.Region", f"must be one of {numbers} for {vendor}")
    return region


def _bucket(path: str, text: str | None) -> str:
    bucket = required(f"{path}.Bucket", text)
    if BUCKET_PATTERN.fullmatch(bucket) is None:
        raise InvalidInput(f"{path}.Bucket", "must be a bucket name")
    return bucket


def _key(field: str, text: str | None) -> str:
    key = required(field, text)
    if _KEY.fullmatch(key) is None:
        raise InvalidInput(field, "must be printable ASCII without spaces")
    return key
