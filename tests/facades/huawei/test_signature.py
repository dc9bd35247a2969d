"""Request signatures: the vendor's own vectors, and every way to get one wrong."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from airslice.facades.http.refusals import Refusal
from airslice.facades.http.signatures import SignedRequest, signature
from airslice.facades.huawei.bodies import parse_query
from airslice.facades.huawei.signature import (
    canonical_request,
    check,
    claim_of,
    string_to_sign,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "huawei" / "signatures"
CASES = sorted(path.parent for path in VECTORS.glob("*/case.toml"))
KEYS = {"TESTAK0000000000AAAA": "TestSk0000000000000000000000000000000000"}
NOW_S = int(datetime(2022, 1, 18, 16, 29, 36, tzinfo=UTC).timestamp())


def read_request(folder: Path) -> SignedRequest:
    """Read a `.http` file: request line and headers, an empty line, the exact body."""
    head, _, body = (folder / "request.http").read_bytes().partition(b"\n\n")
    request_line, *lines = head.splitlines()
    method, target, _ = request_line.split(b" ")
    path, _, query = target.partition(b"?")
    headers = [line.decode().split(": ", 1) for line in lines]
    return SignedRequest(
        method=method.decode(),
        path=unquote_to_bytes(path),
        query=parse_query(query),
        headers={name.lower(): value for name, value in headers},
        body=body,
    )


def read_text(path: Path) -> str:
    return path.read_text().removesuffix("\n")


def verify(request: SignedRequest, *, keys: dict[str, str] = KEYS, now_s: int = NOW_S) -> None:
    check(claim_of(request.headers, secret_keys=keys, now_s=now_s), request)


def refused(request: SignedRequest, *, now_s: int = NOW_S) -> str:
    """The message with which a request is refused."""
    with pytest.raises(Refusal) as caught:
        verify(request, now_s=now_s)
    assert caught.value.error.code == "APIGW.0301"
    assert caught.value.error.status == 401
    return str(caught.value)


def with_header(request: SignedRequest, name: str, value: str | None) -> SignedRequest:
    headers = {key: text for key, text in request.headers.items() if key != name}
    return replace(request, headers=headers if value is None else {**headers, name: value})


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
class TestVectors:
    def test_every_step_is_the_vendors(self, folder: Path) -> None:
        facts = tomllib.loads((folder / "case.toml").read_text())
        request = read_request(folder)
        listed = request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0]

        canonical = canonical_request(request, listed.split(";"))
        text = string_to_sign(canonical, request.headers["x-sdk-date"])

        assert canonical == read_text(folder / "canonical_request.txt")
        assert text == read_text(folder / "string_to_sign.txt")
        assert signature(facts["secret_key"].encode(), text) == read_text(folder / "signature.hex")

    def test_the_request_is_accepted(self, folder: Path) -> None:
        facts = tomllib.loads((folder / "case.toml").read_text())
        keys = {facts["access_key"]: facts["secret_key"]}

        verify(read_request(folder), keys=keys, now_s=int(facts["now"].timestamp()))

    def test_another_secret_key_is_refused(self, folder: Path) -> None:
        facts = tomllib.loads((folder / "case.toml").read_text())
        keys = {facts["access_key"]: facts["secret_key"] + "x"}

        with pytest.raises(Refusal):
            verify(read_request(folder), keys=keys, now_s=int(facts["now"].timestamp()))

    def test_nothing_that_is_signed_can_be_changed(self, folder: Path) -> None:
        facts = tomllib.loads((folder / "case.toml").read_text())
        keys = {facts["access_key"]: facts["secret_key"]}
        request = read_request(folder)
        changed = [
            replace(request, method="PATCH"),
            replace(request, path=request.path + b"x"),
            replace(request, query=[*request.query, ("limit", "100")]),
            with_header(request, "host", "elsewhere"),
        ]
        if request.headers.get("x-sdk-content-sha256") != "UNSIGNED-PAYLOAD":
            changed.append(replace(request, body=request.body + b" "))

        for one in changed:
            with pytest.raises(Refusal, match="verify aksk signature fail"):
                verify(one, keys=keys, now_s=int(facts["now"].timestamp()))


@pytest.fixture
def listing() -> SignedRequest:
    return read_request(VECTORS / "list-smart-live")


@pytest.fixture
def start() -> SignedRequest:
    return read_request(VECTORS / "start-smart-live")


@pytest.mark.parametrize("off_s", [-900, 900])
def test_a_date_may_be_fifteen_minutes_off(listing: SignedRequest, off_s: int) -> None:
    verify(listing, now_s=NOW_S + off_s)


@pytest.mark.parametrize("off_s", [-901, 901])
def test_more_is_refused_and_the_servers_time_is_told(listing: SignedRequest, off_s: int) -> None:
    assert "the server's time is 20220118T16" in refused(listing, now_s=NOW_S + off_s)


@pytest.mark.parametrize(
    "date", ["", "20220118", "20220230T162936Z", "2022011\u0668T162936Z", "x" * 99]
)
def test_a_malformed_date_is_refused(listing: SignedRequest, date: str) -> None:
    assert "X-Sdk-Date must look like" in refused(with_header(listing, "x-sdk-date", date))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic YTpi",
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date",
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=",
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=ABC",
        "SDK-HMAC-SM3 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64,
    ],
)
def test_another_authorization_is_refused(
    listing: SignedRequest, authorization: str | None
) -> None:
    assert "expected 'SDK-HMAC-SHA256" in refused(
        with_header(listing, "authorization", authorization)
    )


def test_the_date_must_be_signed(listing: SignedRequest) -> None:
    listed = listing.headers["authorization"].replace(";x-sdk-date", "")

    assert "x-sdk-date is not signed" in refused(with_header(listing, "authorization", listed))


def test_an_unknown_access_key_is_refused(listing: SignedRequest) -> None:
    other = listing.headers["authorization"].replace("TESTAK", "OTHERS")

    assert "Get secretKey failed" in refused(with_header(listing, "authorization", other))


def test_a_signed_header_must_be_there(listing: SignedRequest) -> None:
    assert "x-app-userid is missing" in refused(with_header(listing, "x-app-userid", None))


def test_headers_that_are_not_signed_may_come_and_go(listing: SignedRequest) -> None:
    verify(with_header(listing, "accept", "*/*"))


def test_a_given_hash_of_the_body_must_be_right(start: SignedRequest) -> None:
    assert "X-Sdk-Content-Sha256" in refused(with_header(start, "x-sdk-content-sha256", "0" * 64))


def test_an_unsigned_payload_cannot_be_claimed_afterwards(start: SignedRequest) -> None:
    claimed = with_header(start, "x-sdk-content-sha256", "UNSIGNED-PAYLOAD")

    assert "verify aksk signature fail" in refused(replace(claimed, body=b"{}"))


def test_what_was_verified_is_quoted_up_to_a_bound(listing: SignedRequest) -> None:
    long = with_header(listing, "x-app-userid", "u" * 10_000)

    message = refused(long)

    assert "canonicalRequest:GET|/v1/" in message
    assert len(message) < 2_200


def test_bytes_that_are_no_text_do_no_harm(listing: SignedRequest) -> None:
    refused(replace(listing, path=b"/\xff%zz%", query=[("\udcff", "\udcfe")]))
    refused(with_header(listing, "x-app-userid", "\udcff"))
