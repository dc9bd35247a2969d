"""The regions that a storage target can name by number, vendor by vendor.

Source: region table of the slicing API (https://www.volcengine.com/docs/6348/1167931). Entries
that the table marks as unsupported are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from airslice.domain.storage_target import StorageVendor

REGIONS: Mapping[StorageVendor, Mapping[int, str]] = {
    StorageVendor.TOS: {
        0: "cn-beijing",
        1: "cn-guangzhou",
        2: "cn-shanghai",
        3: "ap-southeast-1",
    },
    StorageVendor.S3: {
        0: "us-east-1",
        1: "us-east-2",
        2: "us-west-1",
        3: "us-west-2",
        4: "eu-west-1",
        5: "eu-west-2",
        6: "eu-west-3",
        8: "ap-southeast-1",
        10: "ap-northeast-1",
        11: "ap-northeast-2",
        12: "sa-east-1",
        13: "ca-central-1",
        14: "ap-south-1",
        15: "cn-north-1",
        16: "cn-northwest-1",
        18: "ap-east-1",
        19: "eu-south-1",
        20: "ap-northeast-3",
        21: "eu-north-1",
        22: "me-south-1",
        24: "af-south-1",
    },
    StorageVendor.OSS: {
        0: "oss-cn-hangzhou",
        1: "oss-cn-shanghai",
        2: "oss-cn-qingdao",
        3: "oss-cn-beijing",
        4: "oss-cn-zhangjiakou",
        5: "oss-cn-huhehaote",
        6: "oss-cn-wulanchabu",
        7: "oss-cn-shenzhen",
        8: "oss-cn-heyuan",
        9: "oss-cn-guangzhou",
        10: "oss-cn-chengdu",
        11: "oss-cn-hongkong",
        12: "oss-us-west-1",
        13: "oss-us-east-1",
        14: "oss-ap-southeast-1",
        15: "oss-ap-southeast-2",
        17: "oss-ap-southeast-5",
        18: "oss-ap-northeast-1",
        19: "oss-ap-south-1",
        20: "oss-eu-central-1",
        21: "oss-eu-west-1",
        22: "oss-me-east-1",
        23: "oss-ap-southeast-6",
    },
    StorageVendor.OBS: {
        1: "cn-north-4",
        3: "cn-north-9",
        5: "cn-east-3",
        6: "cn-south-1",
        11: "cn-southwest-2",
        14: "ap-southeast-1",
    },
    StorageVendor.COS: {
        1: "ap-beijing",
        2: "ap-nanjing",
        3: "ap-shanghai",
        4: "ap-guangzhou",
        5: "ap-chengdu",
        6: "ap-chongqing",
        7: "ap-shenzhen-fsi",
        8: "ap-shanghai-fsi",
        9: "ap-beijing-fsi",
        10: "ap-hongkong",
    },
    StorageVendor.KODO: {
        0: "cn-east-1",
        1: "cn-east-2",
        2: "cn-north-1",
        3: "cn-south-1",
    },
}
"""The vendor's own names of its regions by their numbers on the wire."""


def region_name(vendor: StorageVendor, region: int | str) -> str | None:
    """Return the vendor's name of `region`; None if the number is not in the table.

    A name is returned as it is: the oldest wire version gives names.
    """
    return region if isinstance(region, str) else REGIONS[vendor].get(region)


def region_number(vendor: StorageVendor, region: int | str) -> int | None:
    """Return the number of `region`; None if its name is not in the table.

    A number is returned as it is.
    """
    if isinstance(region, int):
        return region
    return next((number for number, name in REGIONS[vendor].items() if name == region), None)
