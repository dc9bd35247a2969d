"""Where a task's slices go."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

BUCKET_PATTERN = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._\-]{1,255}")
"""Bucket names that every supported store can hold; none can leave its directory."""


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
    """Given by StartSegment 2020-12-01 only."""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
