"""CreateCallback and its family."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.clients.wire_client import WireClient, error_of
from tests.support.clock import HandClock

VERSION = "2020-12-01"
APP_ID = "661e0000000000000005543c"
SECRET = "VERYSECRET"
BODY = {
    "AppID": APP_ID,
    "BusinessId": "business",
    "EventList": ["SegmentRealTimeData", "RoomCreate"],
    "SecretKey": SECRET,
    "URL": "https://example.com/callback",
}


async def post(wire: WireClient, action: str, **changes: Any) -> httpx.Response:
    body = {name: value for name, value in {**BODY, **changes}.items() if value is not None}
    return await wire.post(action, VERSION, body)


async def shown(wire: WireClient, **query: str) -> dict[str, Any]:
    response = await wire.send(
        "GET", {"Action": "GetCallback", "Version": VERSION, "AppId": APP_ID, **query}
    )
    result: dict[str, Any] = response.json()["Result"]
    return result


async def test_a_setting_is_shown_without_its_secret(wire: WireClient) -> None:
    created = await post(wire, "CreateCallback")

    assert created.json()["Result"] == "ok"
    assert await shown(wire) == {
        "AccountId": "2100000000",
        "AppId": APP_ID,
        "BusinessId": "",
        "Callbacks": [
            {
                "AccountId": "2100000000",
                "AppId": APP_ID,
                "BusinessId": "business",
                "CreatedAt": "2023-02-27T06:02:12Z",
                "EventList": ["SegmentRealTimeData", "RoomCreate"],
                "Region": "cn-north-1",
                "SecretKey": "******",
                "URL": "https://example.com/callback",
                "UpdatedAt": "2023-02-27T06:02:12Z",
            }
        ],
        "CreatedAt": "",
        "EventList": "[]",
        "Region": "cn-north-1",
        "SecretKey": "",
        "URL": "",
        "UpdatedAt": "",
    }


async def test_the_setting_of_the_application_is_shown_at_the_top_too(wire: WireClient) -> None:
    await post(wire, "CreateCallback", BusinessId="")

    result = await shown(wire)

    assert result["URL"] == "https://example.com/callback"
    assert result["EventList"] == '["SegmentRealTimeData","RoomCreate"]'
    assert result["SecretKey"] == "******"
    assert len(result["Callbacks"]) == 1


async def test_an_update_replaces_a_setting_whatever_case_names_are_in(
    wire: WireClient, clock: HandClock
) -> None:
    await post(wire, "CreateCallback")
    clock.turn(60)

    updated = await wire.post(
        "UpdateCallback",
        VERSION,
        {
            "AppId": APP_ID,
            "BusinessID": "business",
            "EventList": [],
            "SecretKey": "******",
            "URL": "https://example.com/other",
        },
    )

    assert updated.json()["Result"] == "ok"
    [setting] = (await shown(wire))["Callbacks"]
    assert (setting["EventList"], setting["URL"]) == ([], "https://example.com/other")
    assert setting["SecretKey"] == "******"
    assert setting["UpdatedAt"] == "2023-02-27T06:03:12Z"


async def test_a_deleted_setting_is_gone(wire: WireClient) -> None:
    await post(wire, "CreateCallback")

    deleted = await wire.post(
        "DeleteCallback", VERSION, {"AppId": APP_ID, "BusinessId": "business"}
    )

    assert deleted.json()["Result"] == "ok"
    assert (await shown(wire))["Callbacks"] == []
    gone = await wire.post("DeleteCallback", VERSION, {"AppId": APP_ID, "BusinessId": "business"})
    assert error_of(gone)[:2] == (400, "InvalidParameter")


async def test_a_setting_is_created_once_and_updated_only_after_that(wire: WireClient) -> None:
    assert error_of(await post(wire, "UpdateCallback"))[:2] == (400, "InvalidParameter")
    await post(wire, "CreateCallback")

    status, code, message = error_of(await post(wire, "CreateCallback"))

    assert (status, code) == (400, "InvalidParameter")
    assert "update it" in message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AppID": None}, "MissingParameter.NoAppId"),
        ({"AppID": "no such app"}, "InvalidParameter.IllegalAppId"),
        ({"AppID": "nowhere"}, "InvalidParameter.NotExistAppId"),
        ({"URL": None}, "MissingParameter"),
        ({"EventList": None}, "MissingParameter"),
        ({"SecretKey": None}, "MissingParameter"),
        ({"BusinessId": "no id"}, "InvalidParameter"),
        ({"EventList": "RoomCreate"}, "InvalidParameter"),
        ({"EventList": ["Room Create"]}, "InvalidParameter"),
        ({"URL": "example.com"}, "InvalidParameter"),
        ({"URL": "http://169.254.169.254/latest"}, "InvalidParameter"),
        ({"URL": "http://[::1]/"}, "InvalidParameter"),
    ],
)
async def test_bad_requests_are_refused(
    wire: WireClient, changes: dict[str, Any], code: str
) -> None:
    status, told, message = error_of(await post(wire, "CreateCallback", **changes))

    assert (status, told) == (400, code)
    assert SECRET not in message


async def test_the_settings_of_others_are_neither_shown_nor_changed(wire: WireClient) -> None:
    await post(wire, "CreateCallback")
    wire.keys = ("AKOTHER", "SKOTHER")

    for action in ("CreateCallback", "UpdateCallback", "DeleteCallback"):
        assert error_of(await post(wire, action))[:2] == (403, "Unauthorized")
    query = {"Action": "GetCallback", "Version": VERSION, "AppId": APP_ID}
    assert error_of(await wire.send("GET", query))[:2] == (403, "Unauthorized")
