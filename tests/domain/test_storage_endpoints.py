from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airslice.domain.errors import StoreRefused
from airslice.domain.storage_endpoints import (
    StorageMatch,
    StorageOverride,
    bucket_access,
    find_override,
)
from airslice.domain.storage_regions import REGIONS
from airslice.domain.storage_target import BUCKET_PATTERN, StorageTarget, StorageVendor

TOS_3 = StorageMatch(vendor=StorageVendor.TOS, region=3)
TOS_4 = StorageMatch(vendor=StorageVendor.TOS, region=4)  # there is none
OWN_SERVER = StorageOverride(endpoint="http://10.0.0.5:9000", access_key="AK", secret_key="SK")


def target(
    vendor: StorageVendor = StorageVendor.S3,
    region: int | str = 0,
    bucket: str = "moderation",
    *,
    keys: tuple[str, str] = ("their-AK", "their-SK"),
    endpoint: str = "",
) -> StorageTarget:
    return StorageTarget(
        vendor=vendor,
        region=region,
        bucket=bucket,
        access_key=keys[0],
        secret_key=keys[1],
        endpoint=endpoint,
    )


@pytest.mark.parametrize(
    ("vendor", "region", "url", "signing_region"),
    [
        (StorageVendor.S3, 0, "https://moderation.s3.us-east-1.amazonaws.com", "us-east-1"),
        (StorageVendor.S3, 15, "https://moderation.s3.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        (StorageVendor.TOS, 0, "https://moderation.tos-s3-cn-beijing.volces.com", "cn-beijing"),
        (
            StorageVendor.TOS,
            "cn-shanghai",
            "https://moderation.tos-s3-cn-shanghai.volces.com",
            "cn-shanghai",
        ),
        (StorageVendor.OSS, 0, "https://moderation.s3.oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"),
        (StorageVendor.OBS, 1, "https://moderation.obs.cn-north-4.myhuaweicloud.com", "cn-north-4"),
        (StorageVendor.COS, 4, "https://moderation.cos.ap-guangzhou.myqcloud.com", "ap-guangzhou"),
        (StorageVendor.KODO, 0, "https://moderation.s3.cn-east-1.qiniucs.com", "cn-east-1"),
    ],
)
def test_a_bucket_is_addressed_as_its_vendor_documents(
    vendor: StorageVendor, region: int | str, url: str, signing_region: str
) -> None:
    access = bucket_access(target(vendor, region), None)

    assert (access.url, access.region) == (url, signing_region)
    assert (access.access_key, access.secret_key) == ("their-AK", "their-SK")


@pytest.mark.parametrize(
    ("vendor", "region"), [(vendor, region) for vendor in REGIONS for region in REGIONS[vendor]]
)
def test_every_region_of_the_table_has_an_endpoint_of_the_vendor(
    vendor: StorageVendor, region: int
) -> None:
    access = bucket_access(target(vendor, region), None)

    assert access.takes_sha256 == (vendor is StorageVendor.S3)
    assert access.region in access.url


def test_a_number_that_is_in_no_table_is_refused() -> None:
    with pytest.raises(StoreRefused, match="no region 7"):
        bucket_access(target(region=7), None)


@given(
    vendor=st.sampled_from(StorageVendor),
    bucket=st.from_regex(BUCKET_PATTERN, fullmatch=True),
)
def test_no_bucket_name_leads_away_from_the_vendor(vendor: StorageVendor, bucket: str) -> None:
    region = next(iter(REGIONS[vendor]))
    home = bucket_access(target(vendor, region, "x"), None).url.removeprefix("https://x.")
    try:
        url = bucket_access(target(vendor, region, bucket), None).url
    except StoreRefused:
        return

    host = url.removeprefix("https://").split("/")[0]
    assert host == home or host.endswith(f".{home}")


def test_a_bucket_that_no_certificate_covers_is_in_the_path() -> None:
    access = bucket_access(target(bucket="voice.example"), None)

    assert access.url == "https://s3.us-east-1.amazonaws.com/voice.example"


def test_a_bucket_that_cannot_be_in_a_hosts_name_is_refused_where_it_must_be() -> None:
    with pytest.raises(StoreRefused, match="cannot be the name"):
        bucket_access(target(StorageVendor.COS, 4, "Voice_Room"), None)


def test_a_server_of_ones_own_has_buckets_in_the_path() -> None:
    access = bucket_access(target(StorageVendor.TOS, 0), OWN_SERVER)

    assert (access.url, access.region) == ("http://10.0.0.5:9000/moderation", "us-east-1")
    assert access.takes_sha256


def test_an_override_can_name_the_region_of_signatures() -> None:
    override = StorageOverride(endpoint="https://s3.example.com/", signing_region="garage")

    access = bucket_access(target(), override)

    assert (access.url, access.region) == ("https://s3.example.com/moderation", "garage")


def test_an_override_that_only_adds_keys_is_addressed_as_the_vendor_demands() -> None:
    override = StorageOverride(
        endpoint="https://tos-s3-cn-beijing.ivolces.com", access_key="AK", secret_key="SK"
    )

    access = bucket_access(target(StorageVendor.TOS, 0, keys=("", "")), override)

    assert access.url == "https://moderation.tos-s3-cn-beijing.ivolces.com"
    assert (access.region, access.takes_sha256) == ("cn-beijing", False)


@pytest.mark.parametrize(
    ("override", "keys"),
    [
        (OWN_SERVER, ("AK", "SK")),
        (StorageOverride(endpoint="http://10.0.0.5:9000"), ("their-AK", "their-SK")),
    ],
)
def test_the_operators_keys_come_before_those_of_the_request(
    override: StorageOverride, keys: tuple[str, str]
) -> None:
    access = bucket_access(target(), override)

    assert (access.access_key, access.secret_key) == keys


@pytest.mark.parametrize("override", [None, StorageOverride(endpoint="http://10.0.0.5:9000")])
def test_without_keys_there_is_no_access(override: StorageOverride | None) -> None:
    with pytest.raises(StoreRefused, match=r"storage\.endpoints"):
        bucket_access(target(StorageVendor.TOS, 0, keys=("", "")), override)


@pytest.mark.parametrize("override", [None, OWN_SERVER])
def test_the_endpoint_that_a_request_names_is_never_used(override: StorageOverride | None) -> None:
    plain = bucket_access(target(StorageVendor.TOS, 0), override)

    named = bucket_access(target(StorageVendor.TOS, 0, endpoint="http://169.254.169.254"), override)

    assert named == plain


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        (StorageMatch(), True),
        (StorageMatch(vendor=StorageVendor.S3), True),
        (StorageMatch(vendor=StorageVendor.OSS), False),
        (StorageMatch(bucket="moderation"), True),
        (StorageMatch(bucket="other"), False),
        (StorageMatch(region=0), True),
        (StorageMatch(region="us-east-1"), True),
        (StorageMatch(region=1), False),
    ],
)
def test_a_server_takes_what_its_match_names(match: StorageMatch, matches: bool) -> None:
    assert match.matches(target()) == matches


def test_the_first_override_that_matches_wins() -> None:
    others = StorageOverride(endpoint="others", match=StorageMatch(bucket="others"))
    first, second = StorageOverride(endpoint="first"), StorageOverride(endpoint="second")

    assert find_override(target(), [others, first, second]) is first
    assert find_override(target(), [others]) is None


def test_keys_are_not_shown() -> None:
    shown = f"{OWN_SERVER!r} {bucket_access(target(), OWN_SERVER)!r}"

    assert "SK" not in shown
    assert "AK" not in shown


@pytest.mark.parametrize(
    "override",
    [
        OWN_SERVER,
        StorageOverride(endpoint="https://s3.example"),
        StorageOverride(endpoint="http://s3", match=StorageMatch(region="eu-somewhere-9")),
        StorageOverride(endpoint="http://s3", match=StorageMatch(region=24)),
        StorageOverride(
            endpoint="http://s3", match=StorageMatch(vendor=StorageVendor.TOS, region=3)
        ),
    ],
)
def test_an_override_that_can_be_used_has_no_problems(override: StorageOverride) -> None:
    assert list(override.problems()) == []


@pytest.mark.parametrize(
    ("override", "names"),
    [
        (StorageOverride(endpoint="s3", access_key="AK"), ["endpoint", "secret_key"]),
        (StorageOverride(endpoint="http://s3", secret_key="S K"), ["access_key", "secret_key"]),
        (
            StorageOverride(endpoint="http://s3", match=StorageMatch(region=999, bucket="..")),
            ["match.bucket", "match.region"],
        ),
        (
            StorageOverride(
                endpoint="http://s3", match=StorageMatch(vendor=StorageVendor.TOS, region=4)
            ),
            ["match.region"],
        ),
    ],
)
def test_all_problems_of_an_override_are_named(override: StorageOverride, names: list[str]) -> None:
    assert [name for name, _ in override.problems()] == names
