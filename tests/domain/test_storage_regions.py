"""The region table, against the counts and corners of the official one."""

from __future__ import annotations

import pytest

from airslice.domain.storage_regions import REGIONS, region_name, region_number
from airslice.domain.storage_target import StorageVendor


def test_every_vendor_has_a_table() -> None:
    assert {vendor: len(REGIONS[vendor]) for vendor in StorageVendor} == {
        StorageVendor.TOS: 4,
        StorageVendor.S3: 21,
        StorageVendor.OSS: 23,
        StorageVendor.OBS: 6,
        StorageVendor.COS: 10,
        StorageVendor.KODO: 4,
    }


@pytest.mark.parametrize("number", [7, 9, 17, 23, 25, -1])
def test_unsupported_numbers_have_no_name(number: int) -> None:
    assert region_name(StorageVendor.S3, number) is None


@pytest.mark.parametrize(
    ("vendor", "number", "name"),
    [
        (StorageVendor.TOS, 0, "cn-beijing"),
        (StorageVendor.S3, 24, "af-south-1"),
        (StorageVendor.OSS, 23, "oss-ap-southeast-6"),
        (StorageVendor.OBS, 14, "ap-southeast-1"),
        (StorageVendor.COS, 10, "ap-hongkong"),
        (StorageVendor.KODO, 3, "cn-south-1"),
    ],
)
def test_numbers_and_names_lead_to_each_other(
    vendor: StorageVendor, number: int, name: str
) -> None:
    assert region_name(vendor, number) == name
    assert region_number(vendor, name) == number


def test_a_name_is_its_own_name_and_a_number_its_own_number() -> None:
    assert region_name(StorageVendor.TOS, "cn-somewhere") == "cn-somewhere"
    assert region_number(StorageVendor.TOS, 3) == 3


def test_an_unknown_name_has_no_number() -> None:
    assert region_number(StorageVendor.TOS, "cn-somewhere") is None
