from __future__ import annotations

from airslice.config import Settings
from airslice.wiring import running
from tests.support.server.in_process import client_of


async def test_all_facades_answer_on_one_address(settings: Settings) -> None:
    expected = {
        ("GET", "/healthz"): 200,
        ("GET", "/metrics"): 200,
        ("GET", "/?Action=GetSegmentTask&Version=2023-11-01"): 401,
        ("GET", "/"): 200,
        ("POST", "/whip/123456781234567812345678/room"): 401,
        ("GET", "/objects/bucket/key"): 403,
        ("GET", "/nothing"): 404,
    }

    async with running(settings) as server, client_of(server) as http:
        statuses = {ask: (await http.request(*ask)).status_code for ask in expected}

    assert statuses == expected


async def test_each_clouds_requests_reach_its_own_facade(settings: Settings) -> None:
    async with running(settings) as server, client_of(server) as http:
        volcengine = (await http.get("/?Action=GetSegmentTask&Version=2023-11-01")).json()
        huawei = (await http.get("/v1/p/smart-live-rooms")).json()
        page = (await http.get("/")).headers["Content-Type"]

    assert "ResponseMetadata" in volcengine
    assert huawei["error_code"] == "APIGW.0301"
    assert page.startswith("text/html")
