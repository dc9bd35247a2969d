"""Where slices go, and what is wrong with where they are to go."""

from __future__ import annotations

import re
from typing import Any

import pytest

from airslice.domain.storage_target import StorageTarget, StorageVendor
from airslice.facades.volcengine.requests import StorageConfig
from airslice.facades.volcengine.storage_config import VENDORS, CustomConfig
from tests.support.clients.wire_client import WireClient, error_of
from tests.support.stages.in_memory_tasks import InMemorySliceTasks
from tests.support.values.sample_bodies import (
    CUSTOM,
    KEY,
    NEW,
    OLD,
    OLD_START,
    OLD_TOS,
    START,
    TOS,
)


def with_storage(**storage: Any) -> dict[str, Any]:
    return {**KEY, "StorageConfig": storage}


class TestStorage:
    async def test_tos(self, wire: WireClient, tasks: InMemorySliceTasks) -> None:
        await wire.post("StartSegment", NEW, START)

        assert tasks.orders[0].storage == StorageTarget(
            vendor=StorageVendor.TOS, account_id="2100000990", region=1, bucket="my-bucket"
        )

    async def test_third_party(self, wire: WireClient, tasks: InMemorySliceTasks) -> None:
        await wire.post("StartSegment", NEW, with_storage(Type=2, CustomConfig=CUSTOM))

        assert tasks.orders[0].storage == StorageTarget(
            vendor=StorageVendor.COS, region=4, bucket="b.1", access_key="ak", secret_key="s/k=="
        )

    async def test_the_oldest_version_names_region_and_endpoint(
        self, wire: WireClient, tasks: InMemorySliceTasks
    ) -> None:
        await wire.post("StartSegment", OLD, OLD_START)

        assert tasks.orders[0].storage == StorageTarget(
            vendor=StorageVendor.TOS,
            account_id="2100000990",
            region="cn-beijing",
            endpoint="tos-s3-cn-beijing.volces.com",
            bucket="my-bucket",
        )

    @pytest.mark.parametrize(
        ("storage", "code", "field"),
        [
            ({"Type": 1}, "InvalidParameter", "StorageConfig.Type"),
            ({"Type": 3}, "InvalidParameter", "StorageConfig.Type"),
            ({"Type": 4}, "InvalidParameter", "StorageConfig.Type"),
            ({}, "MissingParameter", "StorageConfig.TosConfig"),
            ({"Type": 2, "TosConfig": TOS}, "MissingParameter", "StorageConfig.CustomConfig"),
            *(
                ({"TosConfig": {**TOS, name: bad}}, code, f"StorageConfig.TosConfig.{name}")
                for name, bad, code in [
                    ("AccountId", None, "MissingParameter"),
                    ("AccountId", "a/b", "InvalidParameter"),
                    ("Bucket", "", "MissingParameter"),
                    ("Bucket", "..", "InvalidParameter"),
                    ("Bucket", "a/b", "InvalidParameter"),
                    ("Region", 4, "InvalidParameter"),
                ]
            ),
            *(
                (
                    {"Type": 2, "CustomConfig": {**CUSTOM, name: bad}},
                    code,
                    f"StorageConfig.CustomConfig.{name}",
                )
                for name, bad, code in [
                    ("Vendor", 5, "InvalidParameter"),
                    ("Vendor", -1, "InvalidParameter"),
                    ("Region", None, "InvalidParameter"),  # COS has no region 0
                    ("Region", 11, "InvalidParameter"),
                    ("Bucket", None, "MissingParameter"),
                    ("AccessKey", "", "MissingParameter"),
                    ("AccessKey", "a\nb", "InvalidParameter"),
                    ("SecretKey", None, "MissingParameter"),
                    ("SecretKey", "密", "InvalidParameter"),
                ]
            ),
        ],
    )
    async def test_what_is_wrong_is_named(
        self, wire: WireClient, storage: dict[str, Any], code: str, field: str
    ) -> None:
        given_code, message = await wire.refused(with_storage(**storage))

        assert given_code == code
        assert re.search(rf"{re.escape(field)}(:| parameter)", message)

    @pytest.mark.parametrize(
        ("name", "bad", "code"),
        [
            *((name, "", "MissingParameter") for name in OLD_TOS),
            ("Region", "cn beijing", "InvalidParameter"),
            ("EndPoint", "http://a/b?c", "InvalidParameter"),
            ("EndPoint", "http://user@host", "InvalidParameter"),
        ],
    )
    async def test_what_is_wrong_in_the_oldest_version_is_named(
        self, wire: WireClient, name: str, bad: str, code: str
    ) -> None:
        body = {**KEY, "TosConfig": {**OLD_TOS, name: bad}}

        status, given_code, message = error_of(await wire.post("StartSegment", OLD, body))

        assert (status, given_code) == (400, code)
        assert f"TosConfig.{name}" in message

    async def test_there_must_be_a_storage(self, wire: WireClient) -> None:
        code, message = await wire.refused(KEY)

        assert code == "MissingParameter"
        assert message == "The request is missing StorageConfig parameter."

    def test_every_vendor_but_tos_has_a_number(self) -> None:
        assert {*VENDORS.values(), StorageVendor.TOS} == set(StorageVendor)

    def test_keys_are_kept_out_of_representations(self) -> None:
        config = CustomConfig(bucket="b", access_key="AKxx", secret_key="SKxx")

        assert "xx" not in repr(StorageConfig(custom_config=config))

    async def test_the_oldest_version_needs_a_tos_config(self, wire: WireClient) -> None:
        status, code, message = error_of(await wire.post("StartSegment", OLD, START))

        assert (status, code) == (400, "MissingParameter")
        assert message == "The request is missing TosConfig parameter."
