"""What every answer is wrapped in."""

from __future__ import annotations

import json
import re

from airslice.facades.http.refusals import Refusal
from airslice.facades.volcengine import errors
from airslice.facades.volcengine.envelope import (
    ResponseMetadata,
    failure,
    new_request_id,
    success,
)

METADATA = ResponseMetadata(request_id="id", action="Act", version="2020-12-01")
FACTS = {
    "RequestId": "id",
    "Action": "Act",
    "Version": "2020-12-01",
    "Service": "rtc",
    "Region": "cn-north-1",
}


def test_ids_begin_with_the_time_and_differ() -> None:
    ids = {new_request_id(1_677_477_732_999_999_999) for _ in range(100)}

    assert len(ids) == 100
    assert all(re.fullmatch("20230227060212[0-9A-F]{20}", one) for one in ids)


def test_a_result_comes_before_the_facts() -> None:
    answer = success(METADATA, "ok")

    assert answer.status_code == 200
    assert answer.headers["X-Tt-Logid"] == "id"
    assert json.loads(bytes(answer.body)) == {"Result": "ok", "ResponseMetadata": FACTS}


def test_a_failure_of_the_gateway_has_a_number_and_no_result() -> None:
    answer = failure(METADATA, Refusal(errors.MISSING_SIGNATURE))

    error = {
        "CodeN": 100005,
        "Code": "MissingSignature",
        "Message": "The request is missing signature.",
    }
    assert answer.status_code == 401
    assert json.loads(bytes(answer.body)) == {"ResponseMetadata": {**FACTS, "Error": error}}


def test_a_failure_of_the_service_has_no_number() -> None:
    answer = failure(METADATA, Refusal(errors.NO_APP_ID, "AppId"))

    error = {"Code": "MissingParameter.NoAppId", "Message": "The request is missing AppId."}
    assert json.loads(bytes(answer.body))["ResponseMetadata"]["Error"] == error
