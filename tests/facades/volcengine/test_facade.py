"""The way of a request: routing, signature, limits, isolation, failures."""

from __future__ import annotations

import logging

import pytest
from starlette.types import Message

from airslice.domain.errors import (
    AirsliceError,
    AppNotFound,
    RateLimited,
    StoreFailed,
    TooManyTasks,
)
from airslice.facades.volcengine.facade import MAX_BODY_BYTES, VolcengineFacade
from airslice.facades.volcengine.operations import OPERATIONS
from tests.support.clients.wire_client import WireClient, error_of
from tests.support.clock import HandClock
from tests.support.stages.in_memory_tasks import InMemorySliceTasks
from tests.support.values.sample_bodies import KEY, NEW, START


class TestRouting:
    @pytest.mark.parametrize(
        ("query", "ours"),
        [
            (b"Action=StopSegment&Version=2023-11-01", True),
            (b"Version=2023-11-01&Action=StopSegment", True),
            (b"Action=", True),
            (b"Action", True),
            (b"", False),
            (b"action=StopSegment", False),
            (b"NoAction=1", False),
        ],
    )
    def test_a_request_with_an_action_is_ours(self, query: bytes, ours: bool) -> None:
        assert VolcengineFacade.takes({"type": "http", "query_string": query}) is ours

    @pytest.mark.parametrize(
        ("query", "answer"),
        [
            ({"Action": "", "Version": NEW}, (400, "MissingParameter.NoAction")),
            ({"Action": "StopSegment"}, (400, "MissingParameter.NoVersion")),
            ({"Action": "DoWonders", "Version": NEW}, (404, "InvalidActionOrVersion")),
            ({"Action": "StopSegment", "Version": "2023-06-01"}, (404, "InvalidActionOrVersion")),
            (
                {"Action": "GetSegmentTask", "Version": "2020-12-01"},
                (404, "InvalidActionOrVersion"),
            ),
        ],
    )
    async def test_an_unknown_operation(
        self, wire: WireClient, query: dict[str, str], answer: tuple[int, str]
    ) -> None:
        assert error_of(await wire.send("POST", query, b"{}"))[:2] == answer

    @pytest.mark.parametrize(("action", "version"), OPERATIONS)
    async def test_an_operation_has_one_method(
        self, wire: WireClient, action: str, version: str
    ) -> None:
        wrong = "GET" if OPERATIONS[action, version].method == "POST" else "POST"

        answer = error_of(await wire.send(wrong, {"Action": action, "Version": version}))

        assert answer[:2] == (405, "MethodNotAllowed")

    async def test_too_many_query_parameters(self, wire: WireClient) -> None:
        query = {"Action": "StopSegment", "Version": NEW} | {f"q{n}": "" for n in range(300)}

        assert error_of(await wire.send("POST", query))[:2] == (400, "InvalidParameter")


class TestEnvelope:
    async def test_the_region_is_the_callers(self, wire: WireClient) -> None:
        refused = await wire.http.get("http://server/?Action=A&Version=V")
        signed = await wire.post("StartSegment", NEW, START)

        metadata = refused.json()["ResponseMetadata"]
        assert metadata.pop("RequestId")
        assert metadata.pop("Error")["CodeN"] == 100003
        assert metadata == {
            "Action": "A", "Version": "V", "Service": "rtc", "Region": "cn-north-1",
        }  # fmt: skip
        assert signed.json()["ResponseMetadata"]["Region"] == "cn-north-1"

    async def test_every_request_has_an_id_of_its_own(self, wire: WireClient) -> None:
        ids = {(await wire.get(**KEY)).headers["x-tt-logid"] for _ in range(5)}

        assert len(ids) == 5


class TestSignature:
    async def test_a_wrong_key_is_refused_before_anything_is_told(
        self, wire: WireClient, tasks: InMemorySliceTasks
    ) -> None:
        wire.keys = ("AKTEST", "wrong")

        for action in ("StartSegment", "DoWonders"):
            answer = error_of(await wire.post(action, NEW, START))
            assert answer[:2] == (401, "SignatureDoesNotMatch")
        assert not tasks.orders

    async def test_an_old_request_is_refused_with_the_servers_time(
        self, wire: WireClient, clock: HandClock
    ) -> None:
        wire.clock = HandClock(utc_ms=clock.utc_ms - 901_000)

        status, code, message = error_of(await wire.post("StartSegment", NEW, START))

        assert (status, code) == (400, "InvalidTimestamp")
        assert "20230227T060212Z" in message


class TestBodySize:
    async def test_a_body_of_one_mebibyte_is_read(self, wire: WireClient) -> None:
        body = b" " * (MAX_BODY_BYTES - 2) + b"{}"

        answer = error_of(await wire.send("POST", {"Action": "StopSegment", "Version": NEW}, body))

        assert answer[1] == "MissingParameter.NoAppId"

    async def test_a_longer_one_is_not_even_read_to_its_end(self, facade: VolcengineFacade) -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "query_string": b"Action=StopSegment&Version=2023-11-01",
            "headers": [],
        }
        read = 0
        sent: list[Message] = []

        async def receive() -> Message:
            nonlocal read
            read += 1
            return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

        async def send(message: Message) -> None:
            sent.append(message)

        await facade(scope, receive, send)

        assert sent[0]["status"] == 413
        assert b"InvalidParameter.SizeOverLimit" in sent[1]["body"]
        assert read == MAX_BODY_BYTES // 65_536 + 1

    async def test_a_client_that_leaves_early_is_not_answered(
        self, facade: VolcengineFacade
    ) -> None:
        scope = {
            "type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [],
        }  # fmt: skip

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            raise AssertionError(message)

        await facade(scope, receive, send)


class TestRates:
    @pytest.mark.parametrize(
        ("action", "version", "per_second"),
        [
            ("StartSegment", "2020-12-01", 150),
            ("StartSegment", "2022-06-01", 60),
            ("StartSegment", "2023-11-01", 60),
            ("UpdateSegment", "2023-11-01", 150),
            ("StopSegment", "2022-06-01", 150),
        ],
    )
    async def test_an_account_may_ask_so_often(
        self,
        wire: WireClient,
        clock: HandClock,
        action: str,
        version: str,
        per_second: int,
    ) -> None:
        async def ask() -> int:
            return (await wire.post(action, version, {})).status_code

        assert [await ask() for _ in range(per_second + 1)] == [400] * per_second + [429]

        clock.turn(1)
        assert await ask() == 400

    async def test_the_answer_is_the_documented_one(self, wire: WireClient) -> None:
        for _ in range(60):
            await wire.get(**KEY)

        answer = error_of(await wire.get("2022-06-01", **KEY))

        assert answer == (
            429,
            "FlowLimitExceeded.QPSOverLimit",
            "GetSegmentTask takes 60 requests per second and account",
        )

    async def test_accounts_do_not_slow_each_other(self, wire: WireClient) -> None:
        for _ in range(61):
            await wire.get(**KEY)
        wire.keys = ("AKOTHER", "SKOTHER")

        assert (await wire.get(**KEY)).status_code == 403

    async def test_requests_with_a_wrong_signature_use_nothing_up(self, wire: WireClient) -> None:
        wire.keys = ("AKTEST", "wrong")
        for _ in range(60):
            await wire.get(**KEY)
        wire.keys = ("AKTEST", "SKTEST")

        assert (await wire.get(**KEY)).status_code == 400


class TestIsolation:
    @pytest.mark.parametrize("action", ["StartSegment", "UpdateSegment", "StopSegment"])
    async def test_another_accounts_application(self, wire: WireClient, action: str) -> None:
        body = {**START, "AppId": "661e0000000000000000ffff"}

        assert error_of(await wire.post(action, NEW, body))[:2] == (403, "Unauthorized")

    async def test_another_accounts_task(self, wire: WireClient) -> None:
        await wire.post("StartSegment", NEW, START)
        wire.keys = ("AKOTHER", "SKOTHER")

        assert error_of(await wire.get(**KEY))[:2] == (403, "Unauthorized")

    async def test_an_unknown_application(self, wire: WireClient) -> None:
        body = {**START, "AppId": "f" * 24}

        answer = error_of(await wire.post("StartSegment", NEW, body))

        assert answer[:2] == (400, "InvalidParameter.NotExistAppId")


class TestFailures:
    @pytest.mark.parametrize(
        "failure", [RuntimeError("the password is swordfish"), StoreFailed("swordfish")]
    )
    async def test_the_servers_own_are_logged_once_and_not_told(
        self,
        wire: WireClient,
        tasks: InMemorySliceTasks,
        caplog: pytest.LogCaptureFixture,
        failure: Exception,
    ) -> None:
        tasks.failure = failure

        with caplog.at_level(logging.WARNING):
            response = await wire.post("StartSegment", NEW, START)

        assert error_of(response)[:2] == (500, "InternalError")
        assert "swordfish" not in response.text
        (record,) = caplog.records
        assert response.headers["x-tt-logid"] in record.getMessage()
        assert record.exc_info is not None
        assert record.exc_info[1] is failure

    @pytest.mark.parametrize(
        ("failure", "answer"),
        [
            (TooManyTasks("full"), (429, "FlowLimitExceeded.TaskNumberOverLimit", "full")),
            (RateLimited("slow"), (429, "FlowLimitExceeded.QPSOverLimit", "slow")),
            (AppNotFound("none"), (400, "InvalidParameter.NotExistAppId", "none")),
        ],
    )
    async def test_the_callers_are_told_and_not_logged(
        self,
        wire: WireClient,
        tasks: InMemorySliceTasks,
        caplog: pytest.LogCaptureFixture,
        failure: AirsliceError,
        answer: tuple[int, str, str],
    ) -> None:
        tasks.failure = failure

        assert error_of(await wire.post("StartSegment", NEW, START)) == answer
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
