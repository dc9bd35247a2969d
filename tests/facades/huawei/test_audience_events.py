"""What a broadcast's audience does, on the wire."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.clients.huawei_client import HuaweiClient, error_of, json_of
from tests.support.stages.smart_live_stage import SmartLiveStage
from tests.support.values.sample_rooms import ROOM
from tests.support.values.smart_live_bodies import COMMENT, EVENTS


@pytest.fixture
async def job(client: HuaweiClient) -> str:
    """Path of a job of the room with every field."""
    room_id = (await client.create("/smart-live-rooms", ROOM))["room_id"]
    jobs = f"/smart-live-rooms/{room_id}/smart-live-jobs"
    return f"{jobs}/{(await client.create(jobs, {}, 202))['job_id']}"


class TestEventReports:
    async def test_a_signed_report_is_taken(self, client: HuaweiClient, job: str) -> None:
        assert await client.create(f"{job}/live-event-report", EVENTS) == {}

    async def test_a_new_address_is_given_on_request(self, client: HuaweiClient, job: str) -> None:
        path = f"{job}/live-event-report"

        answer = json_of(await client.call("POST", path, EVENTS, refresh_url="true"))

        assert f"{path}?auth_key=" in answer["live_event_report_url"]

    async def test_the_address_alone_is_enough(self, client: HuaweiClient, job: str) -> None:
        url = (await client.get(job))["live_event_report_url"]

        answer = await client.http.post(url, json=EVENTS)

        assert json_of(answer) == {}

    async def test_the_key_may_be_in_headers(self, client: HuaweiClient, job: str) -> None:
        url = urlsplit((await client.get(job))["live_event_report_url"])
        given = dict(pair.split("=") for pair in url.query.split("&"))

        answer = await client.http.post(
            f"http://server{url.path}",
            json=EVENTS,
            headers={
                "x-mss-auth-key": given["auth_key"],
                "x-mss-expires-time": given["expires_time"],
            },
        )

        assert json_of(answer) == {}

    async def test_another_key_is_refused(self, client: HuaweiClient, job: str) -> None:
        url = (await client.get(job))["live_event_report_url"]

        wrong = await client.http.post(url.replace("auth_key=", "auth_key=0"), json=EVENTS)
        later = await client.http.post(f"{url}9", json=EVENTS)

        expected = (401, "MSS.00000001", "Unauthorized: auth_key is wrong")
        assert error_of(wrong) == error_of(later) == expected

    async def test_a_key_expires(
        self, client: HuaweiClient, live: SmartLiveStage, job: str
    ) -> None:
        url = (await client.get(job))["live_event_report_url"]
        live.clock.turn(30 * 86_400)

        assert error_of(await client.http.post(url, json=EVENTS))[:2] == (401, "MSS.00000001")

    async def test_a_key_opens_nothing_else(self, client: HuaweiClient, job: str) -> None:
        url = (await client.get(job))["live_event_report_url"]

        answer = await client.http.post(url.replace("/live-event-report", "/stop"))

        assert error_of(answer)[:2] == (401, "APIGW.0301")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "total"),
            ({"total": 0}, "total"),
            ({"total": 1_001}, "total"),
            ({"total": 1}, "total"),
            ({"total": 1, "events": [{"timestamp": 0}] * 2}, "total"),
            ({"total": 1, "events": [{}]}, "timestamp"),
            ({"total": 1, "events": [{"timestamp": 4_102_415_999_001}]}, "timestamp"),
            ({"total": 1, "events": [{"timestamp": 0, "type": 101}]}, "type"),
            ({"total": 1, "events": [{"timestamp": 0, "type": 1, "content": "x"}]}, "content"),
        ],
    )
    async def test_a_wrong_report_is_named(
        self, client: HuaweiClient, job: str, body: object, field: str
    ) -> None:
        code, message = await client.refused("POST", f"{job}/live-event-report", body)

        assert code == "MSS.00000003"
        assert field in message

    @pytest.mark.parametrize(
        ("kind", "content"),
        [
            (1, COMMENT),
            (2, '{"user": {}}'),
            (3, '{"user": {"level": 17}}'),
            (4, '{"user": {}, "gift": {"giftNum": 1}}'),
            (5, ""),
            (5, "{}"),
            (6, '{"numberOfViewers": 12}'),
            (99, ""),
            (0, '{"whatever": []}'),
        ],
    )
    async def test_events_of_the_documented_forms_are_taken(
        self, client: HuaweiClient, job: str, kind: int, content: str
    ) -> None:
        assert await client.create(f"{job}/live-event-report", report((kind, content))) == {}

    @pytest.mark.parametrize(
        ("kind", "content", "problem"),
        [
            (1, "", "must be JSON text"),
            (1, "no json", "must be JSON text"),
            (1, "[]", "must be a JSON object"),
            (1, "null", "must be a JSON object"),
            (1, '{"content": "no user"}', "must have a user for type 1"),
            (1, '{"user": {}, "content": 5}', "must have a content for type 1"),
            (2, "{}", "must have a user for type 2"),
            (3, '{"user": "li"}', "must have a user for type 3"),
            (4, '{"user": {}}', "must have a gift for type 4"),
            (6, '{"numberOfViewers": "12"}', "must have a numberOfViewers for type 6"),
            (6, '{"numberOfViewers": true}', "must have a numberOfViewers for type 6"),
            (5, "no json", "must be JSON text"),
            (99, "[" * 8_000, "must be JSON text"),
        ],
    )
    async def test_other_events_are_refused_and_their_place_is_told(
        self, client: HuaweiClient, job: str, kind: int, content: str, problem: str
    ) -> None:
        body = report((1, COMMENT), (kind, content))

        refused = await client.refused("POST", f"{job}/live-event-report", body)

        expected = f"Invalid parameter: events[1].content: {problem}"
        assert refused == ("MSS.00000003", expected)

    async def test_the_end_of_a_job_is_told_before_what_is_wrong_with_an_event(
        self, client: HuaweiClient, job: str
    ) -> None:
        await client.create(f"{job}/stop", {})

        code, _ = await client.refused("POST", f"{job}/live-event-report", report((1, "no json")))

        assert code == "MSS.20010066"


def report(*events: tuple[int, str]) -> dict[str, Any]:
    """The report of events of these types and contents."""
    told = [{"timestamp": 1_694_481_224_245, "type": t, "content": c} for t, c in events]
    return {"total": len(told), "events": told}
