"""Request signatures: the vendor's own vectors, and every way to get one wrong."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airslice.facades.http.refusals import Refusal
from airslice.facades.http.signatures import SignedRequest, signature
from airslice.facades.volcengine.signature import (
    MAX_EXPIRES_S,
    Caller,
    Scope,
    canonical_request,
    signing_key,
    string_to_sign,
    verify,
)
from tests.support.values.http_text import VECTORS, read_request, read_text

KEYS = {"AKTEST": "SKTEST"}
SIGNED_AT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW_S = int(SIGNED_AT.timestamp())

CASES = sorted(path.parent for path in VECTORS.glob("signatures/*/case.toml"))
SDK_REQUESTS = sorted(VECTORS.glob("volcengine/sdk_requests/*.http"))


def case(name: str) -> SignedRequest:
    return read_request(VECTORS / "signatures" / name / "request.http")


def refused(request: SignedRequest, now_s: int = NOW_S) -> str:
    """The code with which a request is refused."""
    with pytest.raises(Refusal) as caught:
        verify(request, secret_keys=KEYS, now_s=now_s)
    return caught.value.error.code


def with_header(request: SignedRequest, name: str, value: str | None) -> SignedRequest:
    headers = {key: text for key, text in request.headers.items() if key != name}
    return replace(request, headers=headers if value is None else {**headers, name: value})


def with_query(request: SignedRequest, name: str, value: str | None) -> SignedRequest:
    query = [pair for pair in request.query if pair[0] != name]
    return replace(request, query=query if value is None else [*query, (name, value)])


def signed_query(extra: list[tuple[str, str]], signed_at: datetime = SIGNED_AT) -> SignedRequest:
    """A query-signed GetSegmentTask that the tests themselves sign, by the documented rules."""
    scope = Scope(date=f"{signed_at:%Y%m%d}", region="cn-north-1")
    query = [
        ("Action", "GetSegmentTask"),
        ("X-Algorithm", "HMAC-SHA256"),
        ("X-Credential", f"AKTEST/{scope}"),
        ("X-Date", f"{signed_at:%Y%m%dT%H%M%SZ}"),
        *extra,
    ]
    request = SignedRequest(method="GET", path=b"/", query=query, headers={}, body=b"")
    text = string_to_sign(canonical_request(request, query, ()), query[3][1], scope)
    signed = ";".join(name for name, _ in query)
    presented = signature(signing_key("SKTEST", scope), text)
    return replace(request, query=[*query, ("X-SignedQueries", signed), ("X-Signature", presented)])


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
class TestVectors:
    def test_every_step_is_the_vendors(self, folder: Path) -> None:
        facts = tomllib.loads((folder / "case.toml").read_text())
        request = read_request(folder / "request.http")
        authorization = request.headers.get("authorization", "")
        query = dict(request.query)
        if authorization:
            names = re.findall(r"SignedHeaders=([^,]*)", authorization)[0]
            signed = request.query
            timestamp = request.headers["x-date"]
        else:
            names = query["X-SignedHeaders"]
            signed = [
                pair for pair in request.query if pair[0] in query["X-SignedQueries"].split(";")
            ]
            timestamp = query["X-Date"]
        scope = Scope(date=timestamp[:8], region="cn-north-1")

        canonical = canonical_request(request, signed, names.split(";") if names else ())
        text = string_to_sign(canonical, timestamp, scope)
        key = signing_key(facts["secret_key"], scope)

        assert canonical == read_text(folder / "canonical_request.txt")
        assert text == read_text(folder / "string_to_sign.txt")
        assert key.hex() == read_text(folder / "signing_key.hex")
        assert signature(key, text) == read_text(folder / "signature.hex")

    def test_the_request_is_accepted(self, folder: Path) -> None:
        facts = tomllib.loads((folder / "case.toml").read_text())

        caller = verify(
            read_request(folder / "request.http"),
            secret_keys={facts["access_key"]: facts["secret_key"]},
            now_s=int(facts["now"].timestamp()),
        )

        assert caller == Caller(access_key=facts["access_key"], region="cn-north-1")

    def test_another_secret_key_is_refused(self, folder: Path) -> None:
        facts = tomllib.loads((folder / "case.toml").read_text())

        with pytest.raises(Refusal) as caught:
            verify(
                read_request(folder / "request.http"),
                secret_keys={facts["access_key"]: facts["secret_key"] + "x"},
                now_s=int(facts["now"].timestamp()),
            )

        assert caught.value.error.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("path", SDK_REQUESTS, ids=lambda path: path.stem)
def test_recorded_sdk_requests_are_accepted(path: Path) -> None:
    request = read_request(path)
    timestamp = request.headers.get("x-date") or dict(request.query)["X-Date"]
    now = datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    caller = verify(request, secret_keys=KEYS, now_s=int(now.timestamp()))

    assert caller.access_key == "AKTEST"


def test_there_are_vectors() -> None:
    assert len(CASES) >= 11
    assert len(SDK_REQUESTS) == 20


class TestTampering:
    def test_a_changed_body_is_refused(self) -> None:
        request = case("post-json")

        assert refused(replace(request, body=request.body + b" ")) == "SignatureDoesNotMatch"

    def test_a_changed_body_with_its_right_hash_is_refused(self) -> None:
        body = b"{}"
        request = with_header(
            case("post-json"), "x-content-sha256", hashlib.sha256(body).hexdigest()
        )

        assert refused(replace(request, body=body)) == "SignatureDoesNotMatch"

    def test_a_wrong_hash_is_refused_even_where_it_is_not_signed(self) -> None:
        request = with_header(case("node-get"), "x-content-sha256", "0" * 64)

        assert refused(request) == "SignatureDoesNotMatch"

    @pytest.mark.parametrize("name", ["Action", "Version"])
    def test_a_changed_query_is_refused(self, name: str) -> None:
        assert refused(with_query(case("post-json"), name, "x")) == "SignatureDoesNotMatch"

    def test_an_added_query_parameter_is_refused(self) -> None:
        assert refused(with_query(case("post-json"), "AppId", "x")) == "SignatureDoesNotMatch"

    def test_a_changed_method_is_refused(self) -> None:
        assert refused(replace(case("post-json"), method="PUT")) == "SignatureDoesNotMatch"

    def test_a_changed_path_is_refused(self) -> None:
        assert refused(replace(case("post-json"), path=b"/x")) == "SignatureDoesNotMatch"

    @pytest.mark.parametrize("name", ["content-type", "host"])
    def test_a_changed_signed_header_is_refused(self, name: str) -> None:
        assert refused(with_header(case("post-json"), name, "x")) == "SignatureDoesNotMatch"

    def test_a_signed_header_that_is_missing_is_refused(self) -> None:
        assert refused(with_header(case("post-json"), "host", None)) == "SignatureDoesNotMatch"

    def test_a_changed_unsigned_header_is_nothing(self) -> None:
        request = with_header(case("node-get"), "host", "elsewhere")

        verify(request, secret_keys=KEYS, now_s=NOW_S)

    def test_an_unsigned_query_parameter_is_refused(self) -> None:
        assert refused(with_query(case("query"), "UserId", "u")) == "SignatureDoesNotMatch"

    def test_a_body_under_a_signed_query_is_refused(self) -> None:
        assert refused(replace(case("query"), body=b"{}")) == "SignatureDoesNotMatch"

    def test_a_changed_signed_query_parameter_is_refused(self) -> None:
        assert refused(with_query(case("query"), "RoomId", "x")) == "SignatureDoesNotMatch"

    def test_another_region_is_another_key(self) -> None:
        request = case("post-json")
        moved = request.headers["authorization"].replace("cn-north-1", "ap-southeast-1")

        assert refused(with_header(request, "authorization", moved)) == "SignatureDoesNotMatch"


class TestTime:
    @pytest.mark.parametrize("skew_s", [-900, 0, 900])
    @pytest.mark.parametrize("name", ["post-json", "query"])
    def test_a_quarter_of_an_hour_is_accepted_both_ways(self, name: str, skew_s: int) -> None:
        verify(case(name), secret_keys=KEYS, now_s=NOW_S + skew_s)

    @pytest.mark.parametrize("skew_s", [-901, 901])
    @pytest.mark.parametrize("name", ["post-json", "query"])
    def test_more_is_refused(self, name: str, skew_s: int) -> None:
        assert refused(case(name), now_s=NOW_S + skew_s) == "InvalidTimestamp"

    @pytest.mark.parametrize(
        ("expires_s", "age_s", "accepted"),
        [
            (60, 60, True),
            (60, 61, False),
            (3600, 3600, True),
            (3600, 3601, False),
            (10 * MAX_EXPIRES_S, MAX_EXPIRES_S, True),
            (10 * MAX_EXPIRES_S, MAX_EXPIRES_S + 1, False),
            (3600, -901, False),
        ],
    )
    def test_a_signed_query_may_say_when_it_expires(
        self, expires_s: int, age_s: int, accepted: bool
    ) -> None:
        request = signed_query([("X-Expires", str(expires_s))])

        if accepted:
            verify(request, secret_keys=KEYS, now_s=NOW_S + age_s)
        else:
            assert refused(request, now_s=NOW_S + age_s) == "InvalidTimestamp"

    def test_an_expiry_that_is_not_signed_is_refused(self) -> None:
        request = with_query(case("query"), "X-Expires", "86400")

        assert refused(request) == "SignatureDoesNotMatch"

    @pytest.mark.parametrize("expires", ["", "soon", "-1", "9" * 10])
    def test_an_expiry_that_is_no_number_is_refused(self, expires: str) -> None:
        assert refused(signed_query([("X-Expires", expires)])) == "InvalidTimestamp"

    @pytest.mark.parametrize(
        "timestamp",
        [
            "20240102",
            "20240102T030405",
            "20240102T036105Z",
            "20240102T03040\N{ARABIC-INDIC DIGIT FIVE}Z",
        ],
    )
    def test_a_malformed_date_is_refused(self, timestamp: str) -> None:
        request = with_header(case("post-json"), "x-date", timestamp)

        assert refused(request) == "InvalidTimestamp"

    def test_midnight_between_signing_and_arrival_is_nothing(self) -> None:
        late = datetime(2024, 1, 1, 23, 59, 59, tzinfo=UTC)
        request = signed_query([], signed_at=late)
        arrival = late + timedelta(seconds=2)

        verify(request, secret_keys=KEYS, now_s=int(arrival.timestamp()))


class TestMalformedHeader:
    def test_no_signature_at_all(self) -> None:
        request = with_header(case("post-json"), "authorization", None)

        assert refused(request) == "MissingAuthenticationToken"

    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "Bearer token",
            "HMAC-SHA256",
            "HMAC-SHA1 Credential=a, SignedHeaders=x-date, Signature=b",
            "HMAC-SHA256 Credential=a SignedHeaders=x-date Signature=b",
            "HMAC-SHA256 Credential=a, SignedHeaders=x-date, Signature=b, More=c",
        ],
    )
    def test_a_malformed_authorization(self, authorization: str) -> None:
        request = with_header(case("post-json"), "authorization", authorization)

        assert refused(request) == "InvalidAuthorization"

    def test_an_empty_signature(self) -> None:
        request = case("post-json")
        cut = re.sub("Signature=.*", "Signature=", request.headers["authorization"])

        assert refused(with_header(request, "authorization", cut)) == "MissingSignature"

    def test_no_date(self) -> None:
        assert refused(with_header(case("post-json"), "x-date", None)) == "MissingRequestInfo"

    @pytest.mark.parametrize("names", ["", "host;x-content-sha256"])
    def test_a_date_that_is_not_signed(self, names: str) -> None:
        request = case("post-json")
        unsigned = re.sub(
            "SignedHeaders=[^,]*", f"SignedHeaders={names}", request.headers["authorization"]
        )

        assert refused(with_header(request, "authorization", unsigned)) == "InvalidAuthorization"

    @pytest.mark.parametrize(
        "credential",
        [
            "AKTEST",
            "AKTEST/20240102/cn-north-1/rtc",
            "AKTEST/20240102/cn-north-1/rtc/request/x",
            "AKTEST/20240102/cn-north-1/rtc/aws4_request",
            "AKTEST/20240102//rtc/request",
            "AKTEST/20240102/cn-north-1/vod/request",
            "AKTEST/20240101/cn-north-1/rtc/request",
        ],
    )
    def test_a_malformed_credential(self, credential: str) -> None:
        request = case("post-json")
        changed = re.sub(
            "Credential=[^,]*", f"Credential={credential}", request.headers["authorization"]
        )

        assert refused(with_header(request, "authorization", changed)) == "InvalidCredential"

    def test_an_unknown_access_key(self) -> None:
        request = case("post-json")
        changed = request.headers["authorization"].replace("AKTEST", "AKOTHER")

        assert refused(with_header(request, "authorization", changed)) == "InvalidAccessKey"

    def test_names_may_come_in_any_case_and_order_and_without_spaces(self) -> None:
        request = case("node-post")
        changed = (
            request.headers["authorization"]
            .replace("x-content-sha256;x-date", "X-Date;X-Content-Sha256")
            .replace(", ", ",")
        )

        verify(with_header(request, "authorization", changed), secret_keys=KEYS, now_s=NOW_S)


class TestMalformedQuery:
    @pytest.mark.parametrize("value", [None, ""])
    def test_no_signature(self, value: str | None) -> None:
        assert refused(with_query(case("query"), "X-Signature", value)) == "MissingSignature"

    @pytest.mark.parametrize("value", [None, "HMAC-SHA1"])
    def test_another_algorithm(self, value: str | None) -> None:
        assert refused(with_query(case("query"), "X-Algorithm", value)) == "InvalidAuthorization"

    def test_no_date(self) -> None:
        assert refused(with_query(case("query"), "X-Date", None)) == "MissingRequestInfo"

    def test_no_list_of_signed_parameters(self) -> None:
        request = with_query(case("query"), "X-SignedQueries", None)

        assert refused(request) == "SignatureDoesNotMatch"

    def test_headers_need_not_be_named(self) -> None:
        request = signed_query([])
        assert "X-SignedHeaders" not in dict(request.query)

        verify(request, secret_keys=KEYS, now_s=NOW_S)


def test_a_wrong_signature_that_is_not_ascii_is_refused() -> None:
    request = case("post-json")
    changed = re.sub("Signature=.*", "Signature=é", request.headers["authorization"])

    assert refused(with_header(request, "authorization", changed)) == "SignatureDoesNotMatch"


def test_the_body_is_kept_out_of_representations() -> None:
    request = replace(case("post-json"), body=b"SecretKey")

    assert "SecretKey" not in repr(request)
