from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from airslice.config import ConfigError, Settings
from airslice.config.reading import settings_of
from airslice.config.tables import Document
from airslice.domain.errors import AirsliceError
from airslice.domain.storage_regions import REGIONS
from airslice.domain.storage_target import StorageTarget, StorageVendor
from airslice.facades.http.refusals import Refusal
from airslice.facades.volcengine.requests import StartSegment20220601
from tests.support.values.minimal_config import MINIMAL
from tests.support.values.sample_bodies import CUSTOM, NEW, TOS
from tests.support.values.sample_bodies import KEY as KEY_OF_TASK

Load = Callable[..., Settings]
Refused = Callable[..., list[str]]

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("number", "vendor"),
    [
        (0, StorageVendor.S3),
        (1, StorageVendor.OSS),
        (2, StorageVendor.OBS),
        (3, StorageVendor.COS),
        (4, StorageVendor.KODO),
    ],
)
def test_auto_slices_can_go_to_a_vendor_of_the_custom_kind(
    load_text: Load, number: int, vendor: StorageVendor
) -> None:
    settings = load_text(
        MINIMAL
        + f"""
[apps.auto_slice]
enabled = true
[apps.auto_slice.storage]
Type = 2
CustomConfig = {{ Vendor = {number}, Region = 1, Bucket = "b", AccessKey = "a", SecretKey = "s" }}
"""
    )

    auto_slice = settings.apps[0].auto_slice
    assert auto_slice is not None
    assert auto_slice.duration_s == 20
    assert auto_slice.storage == StorageTarget(
        vendor=vendor, region=1, bucket="b", access_key="a", secret_key="s"
    )


SOUND: dict[str, Any] = {"TosConfig": TOS}
CUSTOM_SOUND: dict[str, Any] = {"Type": 2, "CustomConfig": CUSTOM}

STORAGES: list[tuple[dict[str, Any], str | None]] = [
    (SOUND, None),
    (CUSTOM_SOUND, None),
    ({**SOUND, "Type": 0, "CustomConfig": {"Vendor": 99}}, None),  # the other one is not looked at
    ({**SOUND, "Type": None, "CustomConfig": None}, None),
    ({"TosConfig": {"AccountId": "1", "Bucket": "b" * 255}}, None),
    ({}, "TosConfig"),
    ({"Type": 0}, "TosConfig"),
    ({"Type": 2}, "CustomConfig"),
    ({**SOUND, "Type": 1}, "Type"),
    ({**SOUND, "Type": 3}, "Type"),
    ({**SOUND, "Type": -1}, "Type"),
    ({**SOUND, "Type": 2**31}, "Type"),
    ({**SOUND, "Type": "0"}, "Type"),
    ({**SOUND, "Type": False}, "Type"),
    ({"TosConfig": []}, "TosConfig"),
    *(
        ({"TosConfig": {**TOS, field: bad}}, f"TosConfig.{field}")
        for field, bad in [
            ("AccountId", None),
            ("AccountId", ""),
            ("AccountId", "a/b"),
            ("AccountId", "1" * 129),
            ("AccountId", 2100000000),
            ("Region", 4),
            ("Region", 999),
            ("Region", -1),
            ("Region", 2**31),
            ("Region", 1.5),
            ("Region", "1"),
            ("Region", "cn-beijing"),
            ("Bucket", None),
            ("Bucket", ""),
            ("Bucket", ".."),
            ("Bucket", "a/b"),
            ("Bucket", "b" * 256),
            ("Bucket", 1),
        ]
    ),
    *(
        ({"Type": 2, "CustomConfig": {**CUSTOM, field: bad}}, f"CustomConfig.{field}")
        for field, bad in [
            ("Vendor", 5),
            ("Vendor", -1),
            ("Vendor", "s3"),
            ("Region", None),  # COS has no region 0
            ("Region", 11),
            ("Region", 999),
            ("Bucket", None),
            ("Bucket", "a b"),
            ("AccessKey", None),
            ("AccessKey", "a\nb"),
            ("AccessKey", "a" * 1025),
            ("SecretKey", ""),
            ("SecretKey", "a b"),
            ("SecretKey", "密"),
        ]
    ),
]


def setting_refused_by_a_start(storage: dict[str, Any]) -> str | None:
    """Path of the field for which StartSegment is refused, below StorageConfig."""
    body = msgspec.json.encode({**KEY_OF_TASK, "StorageConfig": storage})
    try:
        msgspec.json.decode(body, type=StartSegment20220601).order(NEW, redundant_unit_ms=1000)
    except (AirsliceError, Refusal, msgspec.ValidationError) as error:
        [field] = re.findall(r"StorageConfig\.([A-Za-z.]+[A-Za-z])", str(error))
        return str(field)
    return None


@pytest.mark.parametrize(("storage", "field"), STORAGES)
def test_a_storage_is_refused_as_a_start_refuses_it(
    load_text: Load, storage: dict[str, Any], field: str | None
) -> None:
    variable = "AIRSLICE_APPS__0__AUTO_SLICE__STORAGE"
    try:
        load_text(MINIMAL, {variable: json.dumps(storage)})
        found = []
    except ConfigError as error:
        named = [problem.partition(": ")[0] for problem in error.problems]
        found = [name.replace(f" ({variable})", "") for name in named]

    assert setting_refused_by_a_start(storage) == field
    name = "apps[0].auto_slice.storage"
    assert found == ([] if field is None else [f"{name}.{field}"])


def test_every_problem_of_a_storage_is_told(problems: Refused) -> None:
    text = f"""{MINIMAL}
[apps.auto_slice.storage]
Type = 2
CustomConfig = {{ Region = 999, Bucket = "..", AccessKey = "a b" }}
"""
    name = "apps[0].auto_slice.storage.CustomConfig"
    regions = ", ".join(map(str, REGIONS[StorageVendor.S3]))

    assert problems(text) == [
        f"{name}.Region: must be one of {regions} for s3",
        f"{name}.Bucket: must be a bucket name",
        f"{name}.AccessKey: must be printable ASCII without spaces",
        f"{name}.SecretKey: is missing",
    ]


def test_what_a_start_would_pass_over_is_refused_as_unknown(problems: Refused) -> None:
    text = f"""{MINIMAL}
[apps.auto_slice.storage]
TosConfig = {{ AccountId = "1", Bucket = "b", Regoin = 3 }}
Control = {{ Align = true }}
"""

    assert [problem.partition("; ")[0] for problem in problems(text)] == [
        "apps[0].auto_slice.storage.TosConfig.Regoin: no such setting",
        "apps[0].auto_slice.storage.Control: no such setting",
    ]


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        ('endpoint = "s3.example"', "endpoint: expected an http or https URL"),
        ('endpoint = "http://s3:0"', "endpoint: expected an http or https URL"),
        (
            'endpoint = "http://s3"\naccess_key = "a"',
            "secret_key: is missing: access_key and secret_key belong together",
        ),
        (
            'endpoint = "http://s3"\naccess_key = "a b"\nsecret_key = "s"',
            "access_key: must be printable ASCII without spaces",
        ),
        (
            'endpoint = "http://s3"\nmatch = { vendor = "azure" }',
            "match.vendor: expected one of tos, s3, oss, obs, cos, kodo",
        ),
        (
            'endpoint = "http://s3"\nmatch = { vendor = "tos", region = 4 }',
            "match.region: is no number of the region table",
        ),
        (
            'endpoint = "http://s3"\nmatch = { bucket = ".." }',
            "match.bucket: must be a bucket name",
        ),
    ],
)
def test_an_endpoint_that_cannot_serve_is_refused(
    problems: Refused, endpoint: str, problem: str
) -> None:
    text = f"{MINIMAL}\n[[storage.endpoints]]\n{endpoint}\n"

    assert problems(text) == [f"storage.endpoints[0].{problem}"]


def test_events_are_listed_once(load_text: Load) -> None:
    text = f'{MINIMAL}callback_events = ["RoomCreate", "UserJoinRoom", "RoomCreate"]\n'

    assert load_text(text).apps[0].callback_events == ("RoomCreate", "UserJoinRoom")


def test_the_documentation_names_every_setting() -> None:
    text = (PROJECT / "docs/configuration.md").read_text(encoding="utf-8")

    missing = [name for name in names_of(Document) if f"`{name}`" not in text]

    assert missing == []


def names_of(table: type) -> list[str]:
    """Return the names of all settings in a table and in those below it."""
    names = []
    for name, setting in settings_of(table).items():
        names.append(name)
        for member in (setting.kind, *get_args(setting.kind)):
            if hasattr(member, "__dataclass_fields__") or hasattr(member, "__struct_fields__"):
                names += names_of(member)
    return names
