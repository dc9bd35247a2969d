"""Where a task's slices go: a bucket, its vendor, and the keys for it.

The server that the bucket is on is found in `storage_endpoints`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

BUCKET_PATTERN = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._\-]{1,255}")
"""Bucket names that every supported store can hold; none can leave its directory."""

KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,1024}")
"""Access and secret keys. They travel in HTTP headers, so neither space nor line feed is in one."""


class StorageVendor(StrEnum):
    """Object stores that a task can name."""

    TOS = "tos"
    S3 = "s3"
    OSS = "oss"
    OBS = "obs"
    COS = "cos"
    KODO = "kodo"


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageTarget:
    """A bucket at a vendor, with the keys that the task's owner gave for it."""

    vendor: StorageVendor
    region: int | str
    """Number from the vendor's region table; a name where the oldest wire version gave one."""
    bucket: str
    account_id: str = ""
    """Owner of a TOS bucket; empty for other vendors."""
    endpoint: str = ""
    """Host that a request named; only StartSegment 2020-12-01 can. It is shown, never dialled."""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
