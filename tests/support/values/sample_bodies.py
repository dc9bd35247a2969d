"""Right bodies, to be sent or to be spoilt."""

from __future__ import annotations

from typing import Any

KEY = {"AppId": "661e0000000000000005543c", "RoomId": "Room1", "TaskId": "Task1"}
TOS = {"AccountId": "2100000990", "Region": 1, "Bucket": "my-bucket"}
CUSTOM = {"Vendor": 3, "Region": 4, "Bucket": "b.1", "AccessKey": "ak", "SecretKey": "s/k=="}
OLD_TOS = {
    "UserAccountId": "2100000990",
    "Region": "cn-beijing",
    "EndPoint": "tos-s3-cn-beijing.volces.com",
    "Bucket": "my-bucket",
}
START: dict[str, Any] = {**KEY, "StorageConfig": {"TosConfig": TOS}}
OLD_START: dict[str, Any] = {**KEY, "TosConfig": OLD_TOS}

NEW, MIDDLE, OLD = "2023-11-01", "2022-06-01", "2020-12-01"
"""Versions of the wire."""
