"""Bodies before their fields are looked at."""

from __future__ import annotations

import pytest

from tests.support.clients.wire_client import WireClient, error_of
from tests.support.stages.in_memory_tasks import InMemorySliceTasks
from tests.support.values.sample_bodies import NEW


class TestBodies:
    @pytest.mark.parametrize("body", [b"", b" \n"])
    async def test_an_empty_body(self, wire: WireClient, body: bytes) -> None:
        query = {"Action": "StopSegment", "Version": NEW}

        answer = error_of(await wire.send("POST", query, body))

        assert answer[:2] == (400, "InvalidParameter.BodyIsEmpty")

    @pytest.mark.parametrize(
        "body", [b"{", b"{}x", b"\xff", b'{"AppId":"\xff"}', b'{"x":' + b"[" * 100_000, b'"\\ud800']
    )
    async def test_a_body_that_is_not_json(self, wire: WireClient, body: bytes) -> None:
        query = {"Action": "StopSegment", "Version": NEW}

        answer = error_of(await wire.send("POST", query, body))

        assert answer[:2] == (400, "InvalidParameter.Unmarshal")

    @pytest.mark.parametrize("body", [[], "text", 1, None])
    async def test_a_body_that_is_not_an_object(self, wire: WireClient, body: object) -> None:
        code, message = await wire.refused(body)

        assert code == "InvalidParameter"
        assert message.startswith("body: Expected `object`")

    async def test_a_form_as_the_python_sdk_flattens_it(
        self, wire: WireClient, tasks: InMemorySliceTasks
    ) -> None:
        form = (
            "AppId=661e0000000000000005543c&RoomId=Room1&TaskId=Task1&Duration=30&Handle=False"
            "&StorageConfig.Type=0&StorageConfig.TosConfig.AccountId=1"
            "&StorageConfig.TosConfig.Bucket=b&Control.Align=True&TargetStreams.StreamList.1.UserId=u1"
            "&TargetStreams.StreamList.2.UserId=u2&TargetStreams.StreamList.10.UserId=u10"
        )
        query = {"Action": "StartSegment", "Version": NEW}

        await wire.send(
            "POST", query, form.encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        )

        (order,) = tasks.orders
        assert (order.duration_s, order.handle, order.control.align) == (30, False, True)
        assert [target.stream.user_id for target in order.targets] == ["u1", "u2", "u10"]

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            (b"AppId=a&AppId.B=c", "InvalidParameter.Unmarshal"),
            (b"AppId.B=c&TaskId=\xff", "InvalidParameter.Unmarshal"),
            (b"Duration=soon", "InvalidParameter"),
            (b"TargetStreams=%7B%7D&Control={}", "MissingParameter.NoAppId"),
            (b"&".join(b"a%d=1" % n for n in range(300)), "InvalidParameter"),
            (b".".join([b"a"] * 10_000) + b"=1", "InvalidParameter.Unmarshal"),
            (b".".join([b"a"] * 18) + b"=1", "InvalidParameter.Unmarshal"),
            (b".".join([b"a"] * 17) + b"=1", "MissingParameter.NoAppId"),
        ],
    )
    async def test_a_form_that_makes_no_sense(
        self, wire: WireClient, form: bytes, code: str
    ) -> None:
        query = {"Action": "StartSegment", "Version": NEW}
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

        answer = error_of(await wire.send("POST", query, form, headers))

        assert answer[:2] == (400, code)

    async def test_a_long_form_is_refused(self, wire: WireClient) -> None:
        query = {"Action": "StartSegment", "Version": NEW}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}

        answer = error_of(await wire.send("POST", query, b"a=" + b"%" * 65_535, headers))

        assert answer[:2] == (413, "InvalidParameter.SizeOverLimit")

    async def test_json_that_calls_itself_a_form_is_json(self, wire: WireClient) -> None:
        query = {"Action": "StartSegment", "Version": NEW}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}

        answer = error_of(await wire.send("POST", query, b'{"AppId": 1}', headers))

        assert answer == (400, "InvalidParameter", "AppId: Expected `str | null`, got `int`")
