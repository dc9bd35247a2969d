"""Which server a storage target is on, how its bucket is addressed there, and with whose keys.

Every vendor is spoken to through its S3-compatible endpoint. Sources, vendor by vendor:

- S3: ``s3.{region}.amazonaws.com``, in China ``….amazonaws.com.cn``
  (https://docs.aws.amazon.com/general/latest/gr/s3.html)
- TOS: ``tos-s3-{region}.volces.com``, virtual-hosted style only
  (https://www.volcengine.com/docs/6349/107356;
  https://docs.byteplus.com/en/docs/tos/docs-compatibility-with-amazon-s3)
- OSS: ``s3.oss-{region}.aliyuncs.com``, virtual-hosted style only, no chunked signatures
  (https://help.aliyun.com/zh/oss/developer-reference/use-aws-sdks-to-access-oss)
- OBS: ``obs.{region}.myhuaweicloud.com`` (https://developer.huaweicloud.com/endpoint?OBS)
- COS: ``cos.{region}.myqcloud.com``, virtual-hosted style only for buckets made since 2024
  (https://cloud.tencent.com/document/product/436/37421, /102489)
- Kodo: ``s3.{region}.qiniucs.com``; the bucket is Kodo's "S3 space name"
  (https://developer.qiniu.com/kodo/4088/s3-access-domainname)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from airslice.domain.destination import is_http_url
from airslice.domain.errors import StoreRefused
from airslice.domain.storage_regions import region_name
from airslice.domain.storage_target import (
    BUCKET_PATTERN,
    KEY_PATTERN,
    StorageTarget,
    StorageVendor,
)

_HOSTS = {
    StorageVendor.TOS: "tos-s3-{region}.volces.com",
    StorageVendor.S3: "s3.{region}.amazonaws.com",
    StorageVendor.OSS: "s3.{region}.aliyuncs.com",
    StorageVendor.OBS: "obs.{region}.myhuaweicloud.com",
    StorageVendor.COS: "cos.{region}.myqcloud.com",
    StorageVendor.KODO: "s3.{region}.qiniucs.com",
}

_DOMAINS = {
    StorageVendor.TOS: (".volces.com", ".ivolces.com"),
    StorageVendor.S3: (".amazonaws.com", ".amazonaws.com.cn"),
    StorageVendor.OSS: (".aliyuncs.com",),
    StorageVendor.OBS: (".myhuaweicloud.com",),
    StorageVendor.COS: (".myqcloud.com", ".tencentcos.cn"),
    StorageVendor.KODO: (".qiniucs.com",),
}
"""Domains of each vendor's own endpoints, those of its internal network included."""

_TAKES_PATH_STYLE = frozenset({StorageVendor.S3, StorageVendor.OBS, StorageVendor.KODO})

_HOST_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")
"""Bucket names that can be part of a host's name and of its certificate, which covers no dots."""

_DEFAULT_REGION = "us-east-1"
"""Region that self-hosted S3-compatible servers expect in a signature by default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageMatch:
    """Which targets a server takes. A field that is None matches everything."""

    vendor: StorageVendor | None = None
    region: int | str | None = None
    bucket: str | None = None

    def matches(self, target: StorageTarget) -> bool:
        """Whether `target` is one of them."""
        return (
            self.vendor in (None, target.vendor)
            and self.bucket in (None, target.bucket)
            and (
                self.region is None
                or region_name(target.vendor, self.region)
                == region_name(target.vendor, target.region)
            )
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageOverride:
    """A server that takes the place of a vendor's own for the targets that match."""

    match: StorageMatch = StorageMatch()
    endpoint: str
    """The server's http or https URL."""
    signing_region: str = ""
    """Region that the server expects in signatures; empty: the vendor's if the endpoint is the
    vendor's own, else us-east-1."""
    access_key: str = field(default="", repr=False)
    """Key that is used instead of the request's own; empty: the request's is used."""
    secret_key: str = field(default="", repr=False)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each field that cannot be used, and what is wrong with it."""
        if not is_http_url(self.endpoint):
            yield "endpoint", "expected an http or https URL"
        keys = {"access_key": self.access_key, "secret_key": self.secret_key}
        for name, key in keys.items():
            if not key and any(keys.values()):
                yield name, "is missing: access_key and secret_key belong together"
            if key and not KEY_PATTERN.fullmatch(key):
                yield name, "must be printable ASCII without spaces"
        match = self.match
        if match.bucket is not None and not BUCKET_PATTERN.fullmatch(match.bucket):
            yield "match.bucket", "must be a bucket name"
        vendors = StorageVendor if match.vendor is None else [match.vendor]
        if match.region is not None and not any(region_name(v, match.region) for v in vendors):
            yield "match.region", "is no number of the region table"


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketAccess:
    """Everything that is needed to send a request to a bucket."""

    url: str
    """URL of the bucket, to which a slash and an object's key are added."""
    region: str
    """Region that signatures are made for."""
    takes_sha256: bool
    """Whether the server knows S3's own SHA-256 checksums, beside Content-MD5."""
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


def find_override(
    target: StorageTarget, overrides: Iterable[StorageOverride]
) -> StorageOverride | None:
    """Return the first of `overrides` that takes `target`; None if none does."""
    return next((override for override in overrides if override.match.matches(target)), None)


def bucket_access(target: StorageTarget, override: StorageOverride | None) -> BucketAccess:
    """Return how the bucket of `target` is reached, at `override` or else at its vendor.

    The endpoint that a request may name (StartSegment 2020-12-01) has no say: nobody but the
    operator decides which hosts this server sends data to, and who sees the keys.

    Raises:
        StoreRefused: there are no keys, no such region, or the bucket's name cannot be used.
    """
    if override is not None and override.access_key:
        access_key, secret_key = override.access_key, override.secret_key
    else:
        access_key, secret_key = target.access_key, target.secret_key
    if not access_key or not secret_key:
        raise StoreRefused(
            f"there are no keys for bucket {target.bucket!r} of {target.vendor}: "
            "they belong in an entry of storage.endpoints"
        )
    endpoint = _vendor_endpoint(target) if override is None else override.endpoint.rstrip("/")
    vendor = _vendor_of(endpoint)
    return BucketAccess(
        url=_bucket_url(endpoint, target.bucket, vendor),
        region=(override.signing_region if override else "") or _signing_region(target, vendor),
        takes_sha256=vendor in (None, StorageVendor.S3),
        access_key=access_key,
        secret_key=secret_key,
    )


def _vendor_endpoint(target: StorageTarget) -> str:
    region = region_name(target.vendor, target.region)
    if region is None:
        raise StoreRefused(f"{target.vendor} has no region {target.region}")
    host = _HOSTS[target.vendor].format(region=region)
    if target.vendor is StorageVendor.S3 and region.startswith("cn-"):
        host += ".cn"
    return f"https://{host}"


def _vendor_of(endpoint: str) -> StorageVendor | None:
    """Return whose own endpoint this is; None if it is a server of somebody else's."""
    host = urlsplit(endpoint).hostname or ""
    return next((vendor for vendor, ends in _DOMAINS.items() if host.endswith(ends)), None)


def _bucket_url(endpoint: str, bucket: str, vendor: StorageVendor | None) -> str:
    if vendor is not None and _HOST_LABEL.fullmatch(bucket):
        parts = urlsplit(endpoint)
        return parts._replace(netloc=f"{bucket}.{parts.netloc}").geturl()
    if vendor is None or vendor in _TAKES_PATH_STYLE:
        return f"{endpoint}/{bucket}"
    raise StoreRefused(f"{bucket!r} cannot be the name of a bucket at {vendor}")


def _signing_region(target: StorageTarget, vendor: StorageVendor | None) -> str:
    region = region_name(target.vendor, target.region)
    if vendor is not target.vendor or region is None:
        return _DEFAULT_REGION
    return region.removeprefix("oss-")
