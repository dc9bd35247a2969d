"""A request as it arrived, and how it is answered."""

from __future__ import annotations

import json

from starlette.requests import Request

from airslice.facades.http.refusals import Refusal
from airslice.facades.huawei import errors
from airslice.facades.huawei.exchange import Exchange
from airslice.facades.huawei.fields import NoBody
from airslice.facades.huawei.live_rooms import RoomId


def exchange(**scope: object) -> Exchange:
    http = {"type": "http", "method": "GET", "scheme": "https", "headers": [], "query_string": b""}
    return Exchange(request=Request({**http, "raw_path": b"/v1/a%2Fb", **scope}), id="id")


def test_a_path_is_signed_decoded_and_found_encoded() -> None:
    arrived = exchange(raw_path=b"/v1/a%2Fb?x=y")

    assert arrived.path == b"/v1/a%2Fb"
    assert arrived.signed(b"body").path == b"/v1/a/b"


def test_the_address_is_the_one_that_the_client_used() -> None:
    assert exchange(headers=[(b"host", b"live.example:8443")]).base_url == (
        "https://live.example:8443"
    )
    assert exchange().base_url == "https://localhost"


def test_an_answer_without_fields_has_no_body() -> None:
    empty, full = exchange().success(NoBody()), exchange().success(RoomId(room_id="r"), status=202)

    assert (empty.status_code, empty.body, empty.headers.get("content-type")) == (200, b"", None)
    assert (full.status_code, json.loads(bytes(full.body))) == (202, {"room_id": "r"})
    assert full.headers["X-Request-Id"] == empty.headers["X-Request-Id"] == "id"
    assert full.headers["Cache-Control"] == "no-store"


def test_only_the_gateway_names_the_request_in_its_body() -> None:
    gateways = exchange().failure(Refusal(errors.TOO_LARGE))
    services = exchange().failure(Refusal(errors.ROOM_NOT_FOUND))

    assert gateways.status_code == 413
    assert json.loads(bytes(gateways.body)) == {
        "error_code": "APIGW.0201",
        "error_msg": "Request entity too large",
        "request_id": "id",
    }
    assert json.loads(bytes(services.body)) == {
        "error_code": "MSS.20010045",
        "error_msg": "roomInfo not found.",
    }


def test_who_is_too_fast_is_told_when_to_come_back() -> None:
    answer = exchange().failure(Refusal(errors.THROTTLED, "x"))

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_what_is_quoted_of_a_request_need_not_be_text() -> None:
    answer = exchange().failure(Refusal(errors.INVALID_PARAMETER, "\udcff"))

    assert json.loads(bytes(answer.body))["error_msg"] == "Invalid parameter: ?"
